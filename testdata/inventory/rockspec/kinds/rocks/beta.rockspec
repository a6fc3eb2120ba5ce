local package_name = "beta"
package = package_name
version = "1.0-1"
