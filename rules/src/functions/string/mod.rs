//! String functions. Positions and lengths count Unicode scalar values.
//!
//! An unknown string may have a known prefix; what that decides is decided.

pub(super) mod affix;
pub(super) mod format;
pub(super) mod regexp;
pub(super) mod text;
mod verb;

#[cfg(test)]
mod tests;
