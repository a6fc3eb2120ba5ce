//! Infrastructure code evaluated with three-way values, and rules written in Markdown.
//!
//! Data flows one way: files → a kind of [`input`] (listed in [`kinds`]) → [`Stack`]s of [`Resource`]s → [`check::run`]
//! with a [`language::Ruleset`] → [`check::RuleResult`]s. A rule sees a view of a resource (class,
//! type, address, a body of [`Value`]s), never HCL, so that every kind of input stands behind
//! the same view. This crate knows neither the terminal nor advisories.

pub mod check;
pub mod expression;
pub mod files;
pub mod functions;
pub mod iam;
pub mod input;
pub mod kinds;
pub mod language;
mod literal;
pub mod pack;
pub mod plan;
mod problem;
mod resource;
mod severity;
mod span;
pub mod state;
pub mod terraform;
pub mod value;

pub use problem::{Problem, ProblemKind, ProblemSeverity};
pub use resource::{Class, Resource, Stack};
pub use severity::Severity;
pub use span::Span;
pub use value::Value;
