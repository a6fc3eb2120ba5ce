//! What the README shows is what the program prints.

use std::fs;

use tempfile::TempDir;

use super::{repository, run};

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("advisories.db");
    let database = database.to_str().unwrap();
    let root = repository();
    let built = [
        "db",
        "build",
        "--osv",
        "testdata/demo-advisories",
        "--db",
        database,
    ];
    let scanned = [
        "scan",
        "testdata/demo",
        "--db",
        database,
        "--date",
        "2026-11-21",
    ];
    let printed = format!("{}{}", run(&root, &built).out, run(&root, &scanned).out);
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(
        readme.contains(&format!("```text\n{printed}```")),
        "{printed}"
    );
}
