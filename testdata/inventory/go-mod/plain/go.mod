module example.com/app // the project

go 1.21

toolchain go1.21.3

require github.com/alpha/alpha v1.0.0

require (
	github.com/beta/beta/v2 v2.3.4 // indirect
	"github.com/gamma/gamma" v0.0.0-20200101000000-0123456789ab
	gopkg.in/yaml.v2 v2.2.8
	example.com/local v0.0.0
	github.com/kept/kept v1.1.0
	broken
)

replace gopkg.in/yaml.v2 => gopkg.in/yaml.v2 v2.2.2

replace (
	example.com/local => ./local
	github.com/gamma/gamma v0.0.0-20200101000000-0123456789ab => github.com/fork/gamma v1.0.0
	github.com/kept/kept v1.0.0 => github.com/other/kept v9.0.0
)

exclude github.com/beta/beta/v2 v2.0.0
retract [v1.0.0, v1.0.1]
