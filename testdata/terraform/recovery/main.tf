variable "name" {
  default = "kept"
}

resource "aws_s3_bucket" "broken" {
  bucket = "a" "b"
}

resource "aws_s3_bucket" "open" {
  tags = {
    a = 1

resource "aws_s3_bucket" "kept" {
  bucket = var.name
}
