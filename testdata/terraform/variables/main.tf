variable "a" { default = 0 }
variable "b" { default = 0 }
variable "c" { default = 0 }
variable "d" { default = 0 }
variable "e" {
  type    = list(number)
  default = []
}
variable "f" {
  type      = string
  sensitive = true
}
variable "g" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "h" {
  type    = number
  default = "many"
}

resource "aws_x" "y" {
  a = var.a
  b = var.b
  c = var.c
  d = var.d
  e = var.e
  f = "${var.f}!"
  g = [for v in var.g : v]
  h = var.h
  w = "${terraform.workspace}:${path.module}:${path.root}"
}
