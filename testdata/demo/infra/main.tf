variable "environment" {
  default = "production"
}

variable "office" {
  description = "Set per site; nothing here says what it is."
}

locals {
  public = var.environment == "production"
}

resource "aws_s3_bucket" "assets" {
  bucket = "demo-assets"
}

resource "aws_s3_bucket_acl" "assets" {
  bucket = aws_s3_bucket.assets.id
  acl    = local.public ? "public-read" : "private"
}

resource "aws_security_group" "bastion" {
  description = "Bastion hosts"

  dynamic "ingress" {
    for_each = toset(["0.0.0.0/0"])
    content {
      description = "SSH"
      from_port   = 22
      to_port     = 22
      protocol    = "tcp"
      cidr_blocks = [ingress.value]
    }
  }
}

# Who gets in here is known when it is applied, not before: undecided.
resource "aws_security_group" "office" {
  description = "Remote desktops"

  ingress {
    description = "Office"
    from_port   = 3389
    to_port     = 3389
    protocol    = "tcp"
    cidr_blocks = [var.office]
  }
}

module "store" {
  source    = "./modules/store"
  for_each  = { hot = true, cold = false }
  encrypted = each.value
}
