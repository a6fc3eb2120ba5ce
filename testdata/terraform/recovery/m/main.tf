resource "aws_s3_bucket" "m" {
  size = 1 / 0
  name = upper()
  list = [1][3]
}
