variable "which" {
  type = number
}

resource "aws_subnet" "s" {
  count = 2
  cidr  = "10.0.${count.index}.0/24"
}

resource "aws_subnet" "named" {
  for_each = { "a \"b\"" = 1 }
  size     = each.value
  nothing  = null
}

resource "aws_lb" "l" {
  all      = aws_subnet.s[*].id
  one      = aws_subnet.s[1].cidr
  some     = aws_subnet.s[var.which].id
  legacy   = aws_subnet.s.0.id
  named    = aws_subnet.named["a \"b\""].arn
  provided = aws_subnet.named["a \"b\""].nothing
  text     = "x-${aws_subnet.s[0].cidr}"
  module   = module.m["k"].name
  modules  = [for m in module.m : m.name]
}

module "m" {
  source   = "./m"
  for_each = toset(["k"])
  subnet   = aws_subnet.s[0].id
}
