//! Integration tests of the crate: one binary, one module per subject.

#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod hcl_eval;
#[cfg(test)]
mod shipped;
