//! The types that travel through the pipeline, and what can be said of each by itself. Nothing here
//! looks upwards: no stage, no format of a file and no writer is known.

pub mod coverage;
pub mod facts;
pub mod finding;
pub mod gap;
pub mod hash;
pub mod location;
pub mod package;
pub mod purl;
pub mod rating;
pub mod report;
pub mod suppression;
pub mod target;
