# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/acme/alpha" {
  version     = "5.72.1"
  constraints = "> 5.72.0"
  hashes = [
    "h1:00000000000000000000000000000000000000000a1=",
    "zh:00000000000000000000000000000000000000000000000000000000000000b2",
  ]
}

provider "registry.opentofu.org/acme/beta" {
  version = "6.8.0-beta1"
  hashes  = []
}
