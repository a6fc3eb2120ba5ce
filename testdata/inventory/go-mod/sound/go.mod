module example.com/app

go 1.21

toolchain go1.21.3

require github.com/alpha/alpha v1.0.0

require (
	github.com/beta/beta/v2 v2.3.4 // indirect
	gopkg.in/yaml.v2 v2.2.8
)

replace gopkg.in/yaml.v2 => gopkg.in/yaml.v2 v2.2.2
