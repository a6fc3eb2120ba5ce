package = "delta"
version = "1.0"
