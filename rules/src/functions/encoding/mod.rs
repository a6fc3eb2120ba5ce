//! Text formats: JSON, YAML, CSV, base64, URL encoding.
//!
//! Every decoder bounds depth and number of parts before it builds a value.

pub(super) mod base64;
pub(super) mod csv;
pub(crate) mod json;
pub(super) mod partial;
pub(super) mod url;
pub(super) mod yaml;
pub(super) mod yaml_write;

#[cfg(test)]
mod tests;
