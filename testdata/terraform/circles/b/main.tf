module "a" {
  source = "../a"
}

resource "aws_x" "one" {
  v = aws_x.two.v
}

resource "aws_x" "two" {
  v = aws_x.one.v
}

resource "aws_x" "self" {
  for_each = aws_x.self
}
