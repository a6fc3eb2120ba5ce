//! The gate: targets in, one report and one verdict out.
//!
//! The pipeline, each stage in its own module, data flowing one way:
//!
//! ```text
//! Target ─source→ files ─inventory→ Package* ─matching (db-sync)→ Finding* ┐
//!             └──── terraform (rules crate) ────────────────────→ Finding* ┴→ Report
//!       any stage → Gap* ─────────────────────────────────────────────────→ Report
//! Report ─gate→ Verdict → exit code          Report + Verdict ─output→ table | JSON | SARIF
//! ```
//!
//! [`scan::scan`] runs it. The library never prints and never ends the process.

pub mod accept;
pub mod cli;
pub mod coverage;
mod credentials;
pub mod finding;
pub mod gap;
pub mod gate;
pub mod inventory;
pub mod location;
pub mod matching;
pub mod misconfig;
mod named;
pub mod output;
pub mod package;
pub mod prefer;
pub mod rating;
pub mod report;
pub mod scan;
pub mod source;
pub mod staleness;
pub mod suppress;
pub mod target;
pub mod vex;
