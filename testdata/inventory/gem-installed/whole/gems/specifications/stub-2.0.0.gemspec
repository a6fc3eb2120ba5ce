# stub: stub 2.0.0 ruby lib
Gem::Specification.new do |s|
  s.name = NAME
  s.version = Stub::VERSION
end
