module example.com/app

go 1.21
toolchain nonsense

require (golang.org/x/crypto v0.1.0)
require golang.org/x/text v0.3.0 v0.3.1
require golang.org/x/net latest
require "golang.org/x/sys v0.1.0
require golang.org/x/zero​width v0.1.0
replace example.com/a => example.com/b
require example.com/kept v1.0.0
requires example.com/kept v1.0.0
