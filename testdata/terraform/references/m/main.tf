variable "subnet" {}

resource "aws_nat_gateway" "n" {
  subnet_id = var.subnet
}

output "name" {
  value = aws_nat_gateway.n.subnet_id
}
