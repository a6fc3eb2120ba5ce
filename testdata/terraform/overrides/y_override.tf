resource "aws_x" "y" {
  b = 2
  dynamic "block" {
    for_each = [9]
    content {
      n = block.value
    }
  }
}

module "m" {
  source = "./m"
}

variable "new" {}
