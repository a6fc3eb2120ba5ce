//! Integration tests: one binary, so that the library is linked once. A module per subject.

#[cfg(test)]
mod outputs;
