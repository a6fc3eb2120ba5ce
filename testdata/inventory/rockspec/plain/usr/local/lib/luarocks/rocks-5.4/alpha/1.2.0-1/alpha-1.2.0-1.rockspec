rockspec_format = "3.0"
package = "alpha"
version = "1.2.0-1"
source = {
   url = "git+https://git.example.com/alpha.git",
   version = "9"
}
dependencies = { "lua >= 5.1" }
