resource "aws_x" "m" {}
