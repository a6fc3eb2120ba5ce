module example.com/app

go 1.23.5

toolchain go1.23.1

require github.com/pkg/errors v0.9.1
