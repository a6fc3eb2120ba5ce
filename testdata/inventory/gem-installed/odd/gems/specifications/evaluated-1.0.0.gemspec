Gem::Specification.new do |s|
  s.name = "evaluated"
  s.version = File.read("VERSION").strip
end
