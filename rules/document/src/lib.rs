//! JSON, YAML and TOML as one tree: values with the line they start on, and where they stand in the
//! text. Depth and number of values are limited the same for all, aliases are not expanded, and
//! nothing is converted: numbers stay text.
//!
//! XML has a tree of its own, under the same budget: its elements are no mappings.
//!
//! One reader for lockfiles, infrastructure code, plans and settings. Knows none of them.

mod budget;
mod error;
mod json;
mod lines;
mod node;
mod toml;
pub mod xml;
mod yaml;

use budget::Budget;
pub use budget::{MAX_DEPTH, MAX_TOML_TABLES, MAX_VALUES};
pub use error::{Error, ErrorKind};
pub use json::parse as json;
use node::place;
pub use node::{Entry, Node, Value};
pub use toml::parse as toml;
pub use yaml::parse as yaml;
