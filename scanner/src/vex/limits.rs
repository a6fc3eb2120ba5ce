//! Limits on VEX documents, which often come from outside. Each ends the reading with an error
//! that names it, since a document read in part could lack the statement that overrides another.

/// Bytes of one document. Red Hat's largest are about 50 MB.
pub const MAX_BYTES: u64 = 64 << 20;
/// JSON objects in one document; bounds the memory of the typed form.
pub const MAX_OBJECTS: usize = 1 << 20;
/// JSON values in one document (counted as brackets, braces and commas).
pub const MAX_VALUES: usize = 4 << 20;
/// Statements of one document.
pub const MAX_STATEMENTS: usize = 200_000;
/// Products and subcomponents over all statements of one document, after ids are resolved.
pub const MAX_PRODUCTS: usize = 1 << 20;
/// Nested relationships of a CSAF product (`A` in `B` in `C`).
pub const MAX_RELATIONSHIPS: usize = 8;
/// Constraints of one version range.
pub const MAX_CONSTRAINTS: usize = 256;
/// Comparisons of a product with a finding in one run; beyond, nothing is suppressed.
pub const MAX_COMPARISONS: usize = 5_000_000;
