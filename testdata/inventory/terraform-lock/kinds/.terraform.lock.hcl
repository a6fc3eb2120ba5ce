provider "registry.terraform.io/acme/bare" {
  constraints = "> 1"
}

provider "gamma" {
  version = "1.0.0"
}

module "x" {

provider "registry.terraform.io/acme/open" {
  version = "2.0.0"
