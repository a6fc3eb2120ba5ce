//! What the writers write, for a report with one of everything.

mod bills;
mod bom;
pub(crate) mod hostile;
mod json;
mod sample;
mod sarif;
mod schema;
mod table;

use portcullis::gate::{Policy, judge};
use portcullis::model::report::Report;
use portcullis::output::{Format, Options, write};

/// The report in a format, judged by the default policy.
fn written(format: Format, report: &Report) -> String {
    let verdict = judge(report, &Policy::default());
    let mut out = Vec::new();
    write(format, report, &verdict, Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The same, read back as JSON.
fn document(format: Format, report: &Report) -> serde_json::Value {
    serde_json::from_str(&written(format, report)).unwrap()
}
