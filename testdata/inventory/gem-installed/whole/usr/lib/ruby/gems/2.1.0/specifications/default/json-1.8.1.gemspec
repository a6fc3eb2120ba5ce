# -*- encoding: utf-8 -*-

Gem::Specification.new do |spec|
  spec.name = 'json'
  spec.version = Gem::Version.new("1.8.1")
  spec.add_dependency "bigdecimal", ">= 0"
end
