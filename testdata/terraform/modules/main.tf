data "external" "x" {
  program = ["true"]
}

module "maybe" {
  source = "./child"
  count  = data.external.x.result.on ? 1 : 0
  name   = "n"
}

module "typed" {
  source  = "./child"
  name    = 7
  options = { b = "2" }
  nowhere = true
}

module "gone" {
  source = "git::https://example.com/x.git"
  bucket = module.typed.id
}

module "outside" {
  source = "../../elsewhere"
}

resource "aws_instance" "i" {
  a = module.gone.x.y
  b = module.typed.name
  c = module.typed.nowhere
  d = module.maybe[0].id
}
