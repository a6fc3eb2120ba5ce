//! `Gemfile.lock` and `gems.locked` (Bundler): sections with indented specs. Gems of `GEM`,
//! `GIT` and `PLUGIN SOURCE` sections count; those of `PATH` are the project itself. A platform
//! after the version (`1.2.3-x86_64-linux`) is no part of it.

use std::sync::Arc;

use super::shared::entry;
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::{Package, PackageType};

/// Both names.
pub(super) static PARSER: Parser = Parser {
    id: "gemfile-lock",
    wants: &[Want::Name("Gemfile.lock"), Want::Name("gems.locked")],
    accepts: None,
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut counts = false;
    let mut sections = false;
    let mut open: Option<Package> = None;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let content = text.trim();
        let indent = text.len().saturating_sub(text.trim_start().len());
        match indent {
            _ if content.is_empty() => {}
            0 => {
                if content.starts_with("<<<<<<<") || content.starts_with(">>>>>>>") {
                    facts.extend(open);
                    return Err(ParseError::at(line, "a merge conflict"));
                }
                counts = matches!(content, "GEM" | "GIT" | "PLUGIN SOURCE");
                let is_section = |c: char| c.is_ascii_uppercase() || c == ' ';
                if content.chars().all(is_section) {
                    sections = true;
                } else {
                    let cause = format!("{} is no section", shown(content));
                    facts.malformed(&path, Some(line), cause);
                }
            }
            4 if counts => {
                facts.extend(open.take());
                let Some((name, rest)) = content.split_once(" (") else {
                    let cause = format!("{} has no version", shown(content));
                    facts.malformed(&path, Some(line), cause);
                    continue;
                };
                let version = rest.trim_end_matches(')');
                let version = version.split('-').next().unwrap_or(version);
                open = Some(entry(PackageType::Gem, &path, line, name, version));
            }
            6 if counts => {
                let name = content.split(' ').next().unwrap_or(content);
                if let Some(open) = &mut open {
                    open.dependencies.push(name.trim_end_matches('!').into());
                }
            }
            _ => {}
        }
    }
    facts.extend(open);
    if !sections {
        return Err(ParseError::new("no section of a Gemfile.lock"));
    }
    Ok(())
}
