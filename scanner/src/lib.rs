//! The gate: targets in, one report and one verdict out.
//!
//! The pipeline, each stage in its own module, data flowing one way:
//!
//! ```text
//! Target ─source→ files ─analyzer, inventory→ Package* ─matching (db-sync)→ Finding* ┐
//!             └──── misconfig (rules: code, plans, states) ────────────────→ Finding* ┴→ Report
//!       any stage → Gap* ───────────────────────────────────────────────────────────→ Report
//! Report ─gate→ Decision → exit code          Report + Decision ─output→ table | JSON | SARIF
//! ```
//!
//! [`scan::scan`] runs it; the list in `scan/mod.rs` has the stages in order. The library never prints and never ends the process.

pub mod accept;
pub mod analyzer;
pub mod credentials;
pub mod eol;
pub mod gate;
pub mod ignores;
pub mod inventory;
pub mod matching;
pub mod misconfig;
pub mod model;
pub mod named;
pub mod output;
pub mod phrase;
pub mod prefer;
mod properties;
pub mod scan;
pub mod source;
pub mod staleness;
pub mod target;
pub mod vex;
pub mod word;
