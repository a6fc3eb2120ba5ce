//! `portcullis rules list | explain | test`.

use std::fmt::Write as _;

use rules::language::{Metadata, Ruleset};
use rules::pack;
use serde_json::json;

use super::args::{RulesCommand, TextOrJson};
use super::failure::Failure;
use super::{COULD_NOT_FINISH, print, scan};
use portcullis::output::serial;

/// Runs one of the subcommands.
pub(super) fn run(command: &RulesCommand) -> Result<u8, Failure> {
    match command {
        RulesCommand::List { format, rules } => {
            let ruleset = scan::load_rules(rules).map_err(Failure::new)?;
            print(&list(&ruleset.metadata(), *format))?;
            Ok(0)
        }
        RulesCommand::Explain { id, rules } => {
            let ruleset = scan::load_rules(rules).map_err(Failure::new)?;
            let rule = ruleset.find(id).ok_or_else(|| {
                Failure::new(format!("there is no rule {id}"))
                    .hint("portcullis rules list shows all")
            })?;
            print(&explain(&rule))?;
            Ok(0)
        }
        RulesCommand::Test { directory } => test(directory),
    }
}

fn list(rules: &[Metadata], format: TextOrJson) -> String {
    match format {
        TextOrJson::Json => {
            let list: Vec<_> = rules
                .iter()
                .map(|rule| {
                    json!({
                        "id": &*rule.id,
                        "title": rule.title,
                        "severity": rule.severity.as_str(),
                        "category": rule.category,
                        "aliases": rule.aliases,
                        "since": rule.since,
                        "controls": rule.controls,
                    })
                })
                .collect();
            serial::pretty(&json!({ "rules": list }))
        }
        TextOrJson::Table => {
            let mut text = String::new();
            let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            for rule in rules {
                let _ = writeln!(
                    text,
                    "{:<8} {:<width$}  {}",
                    rule.severity, rule.id, rule.title
                );
            }
            let _ = writeln!(text, "{} rules", rules.len());
            text
        }
    }
}

fn explain(rule: &Metadata) -> String {
    let mut text = format!("# {}\n\n{} · {}", rule.title, rule.id, rule.severity);
    if !rule.aliases.is_empty() {
        let _ = write!(text, " · also {}", rule.aliases.join(", "));
    }
    let _ = write!(text, "\n\n{}\n", rule.help.trim_end());
    text
}

/// 0 when every rule can be used, 1 when one cannot, 2 when there is none at all.
fn test(directory: &std::path::Path) -> Result<u8, Failure> {
    let (count, errors) = pack::test(&Ruleset::embedded(), directory);
    let mut text = String::new();
    for error in &errors {
        let _ = writeln!(
            text,
            "{}",
            portcullis::output::escape::line(&error.to_string())
        );
    }
    let _ = writeln!(text, "{} rules, {} problems", count, errors.len());
    print(&text)?;
    Ok(match (count, errors.len()) {
        (_, 0) => 0,
        (0, _) => COULD_NOT_FINISH,
        _ => 1,
    })
}
