//! What this crate promises as a whole, as one test binary.
#![expect(clippy::tests_outside_test_module, reason = "this is a test binary")]

mod evaluation;
mod examples;
mod hcl_eval;
mod shipped;
