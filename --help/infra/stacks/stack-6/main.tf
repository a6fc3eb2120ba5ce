locals {
  ports = { ssh = 22, web = 443 }
}

module "store" {
  source   = "../../modules/store-6"
  for_each = toset(["logs", "assets", "backup"])
  name     = each.key
  public   = each.key == "assets"
}

resource "aws_security_group" "this" {
  description = "group 6"
  dynamic "ingress" {
    for_each = local.ports
    content {
      description = ingress.key
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["10.6.0.0/16"]
    }
  }
}

resource "aws_ebs_volume" "this" {
  count             = 3
  availability_zone = "eu-west-1a"
  size              = 10 + count.index
  encrypted         = true
}

resource "aws_db_instance" "this" {
  identifier          = "db-6"
  instance_class      = "db.t3.micro"
  storage_encrypted   = true
  publicly_accessible = false
}
