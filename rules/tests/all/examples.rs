//! Runs the rules over the visible examples of trivy-checks: each file alone in a folder must be
//! flagged, or must not be, by the rule that carries the check's id as an alias.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rules::check::{self, Verdict};
use rules::files::{DirEntry, Files};
use rules::input::Options;
use rules::language::Ruleset;
use rules::terraform::{self};

/// Deprecated and empty in its source, where it once meant every action of one service; the rule
/// of that id means every action of all.
const OTHER_MEANING: &str = "AWS-0057/bad-1.tf";

struct OneFile(Vec<u8>);

impl Files for OneFile {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == "main.tf" {
            Ok(self.0.clone())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        if path.is_empty() {
            Ok(vec![DirEntry {
                name: "main.tf".to_owned(),
                is_dir: false,
            }])
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

pub(crate) fn shared() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| default.into(), PathBuf::from)
}

fn flagged(ruleset: &Ruleset, rule: &str, text: Vec<u8>) -> (bool, Vec<String>) {
    let directories = [String::new()];
    let evaluation = terraform::evaluate(&OneFile(text), &directories, &Options::default());
    let mut found = false;
    let mut open = Vec::new();
    for stack in &evaluation.stacks {
        let (outcomes, problems) = check::run(ruleset, stack);
        assert!(problems.is_empty(), "{problems:?}");
        for outcome in outcomes.iter().filter(|outcome| &*outcome.rule == rule) {
            match &outcome.verdict {
                Verdict::Fail { .. } => found = true,
                Verdict::Undecided { cause } => open.push(cause.clone()),
                Verdict::Pass => {}
            }
        }
    }
    (found, open)
}

#[test]
fn visible_examples_of_other_tools_are_judged_right() {
    let root = shared().join("iac-corpus/trivy-checks");
    if !root.is_dir() {
        println!("skipped: no shared data");
        return;
    }
    let ruleset = Ruleset::embedded();
    let mut wrong = Vec::new();
    let (mut right, mut checks) = (0, BTreeMap::new());
    let mut providers = entries(&root);
    providers.retain(|path| path.is_dir());
    providers.sort();
    for provider in providers {
        let mut folders: Vec<PathBuf> = entries(&provider);
        folders.sort();
        for folder in folders {
            let id = folder.file_name().unwrap().to_string_lossy().into_owned();
            let Some(rule) = ruleset.find(&id) else {
                continue;
            };
            let mut files = entries(&folder);
            files.sort();
            for file in files {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                if file.extension().is_none_or(|extension| extension != "tf") {
                    continue;
                }
                *checks.entry(id.clone()).or_insert(0) += 1;
                let (found, open) = flagged(&ruleset, &rule.id, std::fs::read(&file).unwrap());
                let expected = name.starts_with("bad") && format!("{id}/{name}") != OTHER_MEANING;
                if found == expected {
                    right += 1;
                } else {
                    wrong.push(format!("{id}/{name}: found {found}, undecided {open:?}"));
                }
            }
        }
    }
    println!(
        "{right} right, {} wrong, {} checks",
        wrong.len(),
        checks.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
