Gem::Specification.new do |s|
  s.name = "rack"
  s.version = "1.0"
end
