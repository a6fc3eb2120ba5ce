//! Advisories: their store, their sources and the version order they are matched by.

pub mod version;
