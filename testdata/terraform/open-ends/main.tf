data "external" "x" {
  program = ["true"]
}

locals {
  unknown = data.external.x.result
}

resource "aws_security_group" "g" {
  ingress {
    from_port = 22
  }
  dynamic "ingress" {
    for_each = local.unknown
    content {
      from_port = ingress.value
    }
  }
}

resource "aws_instance" "list" {
  kept   = [for n in [1, 2, 3] : n if n == 2 || local.unknown.flag]
  mapped = { for n in ["a", "b"] : n => 1 if n == "a" || local.unknown.flag }
  both   = local.unknown.flag && false
  first  = aws_security_group.g.ingress[0].from_port
}

resource "aws_instance" "text" {
  policy = <<-EOT
    {"Statement": [{"Action": "*", "Resource": "arn:${local.unknown.arn}"}, ${local.unknown.more}]}
  EOT
  name   = "a-${local.unknown.b}"
}

resource "aws_instance" "maybe" {
  count = local.unknown.flag ? 1 : 0
  index = count.index
}

resource "aws_eip" "e" {
  instance = aws_instance.maybe[0].id
}

resource "aws_instance" "keys" {
  for_each = toset(["a", local.unknown.key])
  name     = each.value
}
