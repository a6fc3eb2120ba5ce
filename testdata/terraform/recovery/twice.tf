locals {
  a = 1
}

locals {
  a = 2
}

variable "name" {}

module "m" {
  source = "./m"
}

output "o" {
  value = local.missing
}
