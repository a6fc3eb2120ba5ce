//! SARIF against code scanning's demands.

use std::path::{Path, PathBuf};

use portcullis::output::Format;

use super::{sample, written};

fn shared() -> PathBuf {
    std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).to_owned(),
        PathBuf::from,
    )
}

/// What `check-sarif` says; `None` without it or Python.
#[expect(
    clippy::disallowed_methods,
    reason = "an independent checker, in tests only"
)]
fn checked(sarif: &str) -> Option<String> {
    let tool = shared().join("tools/check-sarif");
    if !tool.is_file() {
        println!("skipped: no shared data");
        return None;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), sarif).unwrap();
    let run = std::process::Command::new("python3")
        .arg(tool)
        .arg(file.path())
        .output();
    let Ok(run) = run else {
        println!("skipped: no python3");
        return None;
    };
    Some(String::from_utf8_lossy(&run.stdout).into_owned())
}

#[test]
fn the_independent_checker_is_content() {
    if let Some(said) = checked(&written(Format::Sarif, &sample::report())) {
        assert_eq!(said, "0 errors, 0 warnings\n");
    }
}
