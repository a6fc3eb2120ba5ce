//! What users read is natural technical English: string literals of the program, the help of its
//! options, README, documentation and changelog hold none of the phrases that gave its first texts
//! an accent. `rules/tests/all/words.rs` looks at the rules.

use std::path::{Path, PathBuf};

use crate::cli::repository;

/// A phrase, and what to write instead. `^` at the start stands for the start of a word.
const WORST: [(&str, &str); 20] = [
    ("^told", "reported, shown"),
    ("^tells", "reports, shows, says"),
    ("^flaw", "vulnerability"),
    ("^anew", "again"),
    ("^afresh", "from scratch"),
    ("^mend", "fix, repair"),
    ("^is no ", "is not a, is not an"),
    ("^that is none", "that is not one"),
    ("^ends with 0", "exits with 0"),
    ("^ends with 1", "exits with 1"),
    ("^ends with 2", "exits with 2"),
    ("^end with 2", "exit with 2"),
    ("^ends the run with", "exits with"),
    ("^end the run with", "exit with"),
    ("of ours", "of Portcullis"),
    ("^lets everybody", "is open to"),
    ("key of your own", "customer-managed key"),
    ("^question the", "query"),
    ("^goes to stdout", "on stdout"),
    ("^nobody", "no one, not"),
];

/// Places that may say so, with the reason.
const ALLOWED: [(&str, &str); 1] = [(
    "there is no",
    "that something is not there is plain English",
)];

/// The phrase that a text should not hold.
fn worst(text: &str) -> Option<&'static (&'static str, &'static str)> {
    let mut text = text.to_ascii_lowercase();
    for (allowed, _) in ALLOWED {
        text = text.replace(allowed, "");
    }
    WORST.iter().find(|(phrase, _)| {
        let (bare, at_word) = match phrase.strip_prefix('^') {
            Some(bare) => (bare, true),
            None => (*phrase, false),
        };
        text.match_indices(bare).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            !at_word || before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-')
        })
    })
}

fn files(folder: &Path, extension: &str, all: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" && name != "mutation" {
                files(&path, extension, all);
            }
        } else if path.extension().is_some_and(|own| own == extension)
            && !name.contains("tests")
            && name != "corpus.rs"
        {
            all.push(path);
        }
    }
}

/// String literals of Rust, line by line, as far as they stand on one line, up to the tests.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let trimmed = line.trim_start();
        if trimmed.starts_with("//") {
            continue;
        }
        let mut rest = line;
        while let Some(start) = rest.find('"') {
            let inside = &rest[start + 1..];
            let mut end = None;
            let mut escaped = false;
            for (at, c) in inside.char_indices() {
                match c {
                    '\\' if !escaped => escaped = true,
                    '"' if !escaped => {
                        end = Some(at);
                        break;
                    }
                    _ => escaped = false,
                }
            }
            let Some(end) = end else { break };
            all.push((number + 1, inside[..end].to_owned()));
            rest = &inside[end + 1..];
        }
    }
    all
}

#[test]
fn what_users_read_is_plain_english() {
    let root = repository();
    let mut found = Vec::new();
    let mut note = |path: &Path, line: usize, text: &str| {
        if let Some((phrase, better)) = worst(text) {
            let path = path.strip_prefix(&root).unwrap().display();
            let phrase = phrase.trim_start_matches('^');
            found.push(format!(
                "{path}:{line}: `{phrase}` ({better}): {}",
                text.trim()
            ));
        }
    };
    let mut sources = Vec::new();
    for folder in ["scanner/src", "db-sync/src", "rules/src"] {
        files(&root.join(folder), "rs", &mut sources);
    }
    sources.sort();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        for (line, literal) in literals(&text) {
            note(&path, line, &literal);
        }
        if path.ends_with("cli/args.rs") {
            for (number, line) in text.lines().enumerate() {
                if let Some(help) = line.trim_start().strip_prefix("///") {
                    note(&path, number + 1, help);
                }
            }
        }
    }
    let mut pages: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "action.yml", "rules/README.md"]
        .map(|name| root.join(name))
        .to_vec();
    files(&root.join("docs"), "md", &mut pages);
    for path in pages {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            note(&path, number + 1, line);
        }
    }
    assert!(
        found.is_empty(),
        "{} places:\n{}",
        found.len(),
        found.join("\n")
    );
}
