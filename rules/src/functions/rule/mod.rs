//! Functions that only rules have: policies, addresses, ports, and shorthands for blocks.
//!
//! All of them take unknown arguments and decide what the known part decides.

pub(super) mod access;
pub(super) mod address;
pub(super) mod shorthand;

#[cfg(test)]
mod tests;
