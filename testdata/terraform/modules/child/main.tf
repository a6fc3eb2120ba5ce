variable "name" {
  type = string
}

variable "options" {
  type = object({
    a = optional(number, 1)
    b = optional(number)
    c = optional(list(string), ["x"])
  })
  default = {}
}

variable "required" {
  type     = string
  nullable = false
}

resource "aws_s3_bucket" "b" {
  name     = var.name
  options  = var.options
  required = var.required
}

output "id" {
  value = aws_s3_bucket.b.id
}

output "name" {
  value     = var.name
  sensitive = true
}
