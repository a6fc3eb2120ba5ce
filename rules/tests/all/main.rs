//! Integration tests of the crate: one binary, one module per subject.

mod evaluation;
