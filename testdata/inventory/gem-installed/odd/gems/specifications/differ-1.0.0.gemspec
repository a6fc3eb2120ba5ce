# stub: differ 1.0.0 ruby lib
Gem::Specification.new do |s|
  s.name = "differ"
  s.version = "2.0.0"
end
