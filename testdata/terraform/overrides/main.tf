resource "aws_x" "y" {
  a = 1
  b = 1
  block {
    n = 1
  }
  block {
    n = 2
  }
  other {
    n = 3
  }
}

module "m" {
  source = "./gone"
}
