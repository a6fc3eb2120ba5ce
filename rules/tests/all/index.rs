//! `docs/rules.md` lists the shipped rules, and is made of them: `PORTCULLIS_BLESS=1` writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use rules::language::{Metadata, Ruleset};

const HEAD: &str = "# Rules

This page is generated from the rules themselves. `portcullis rules explain ID` shows why a rule matters and how to fix
a finding; any alias works as an id.
";

/// Providers by their names.
fn provider(word: &str) -> String {
    match word {
        "aws" => "AWS".to_owned(),
        "google" => "Google Cloud".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    }
}

fn index(rules: &[Metadata]) -> String {
    let mut by_category: BTreeMap<&str, Vec<&Metadata>> = BTreeMap::new();
    for rule in rules {
        by_category.entry(&rule.category).or_default().push(rule);
    }
    let mut text = HEAD.to_owned();
    let mut last = "";
    for (category, rules) in by_category {
        let (word, service) = category.split_once('/').unwrap_or((category, ""));
        if word != last {
            let all = Ruleset::embedded().metadata();
            let count = all.iter().filter(|rule| rule.category.starts_with(word));
            let _ = write!(text, "\n## {} ({} rules)\n", provider(word), count.count());
            last = word;
        }
        let _ = write!(
            text,
            "\n### {service}\n\n| rule | severity | problem | aliases |\n|---|---|---|---|\n"
        );
        for rule in rules {
            let aliases: Vec<String> = rule.aliases.iter().map(|id| format!("`{id}`")).collect();
            let title = rule.title.replace('|', "\\|");
            let aliases = aliases.join(", ");
            let _ = writeln!(
                text,
                "| `{}` | {} | {title} | {aliases} |",
                rule.id, rule.severity
            );
        }
    }
    text
}

#[test]
fn the_index_is_that_of_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let fresh = index(&Ruleset::embedded().metadata());
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/rules.md is stale: run this test with PORTCULLIS_BLESS=1"
    );
}
