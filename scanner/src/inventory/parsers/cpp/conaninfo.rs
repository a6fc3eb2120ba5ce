//! `conaninfo.txt` of a package in Conan's cache (docs.conan.io, "Package metadata"): sections, of which
//! `full_requires` has what the package was built with, one reference a line. The package itself is named
//! by the folders around the file, and is not listed here.

use std::sync::Arc;

use super::reference::Reference;
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;

/// `conaninfo.txt`.
pub(crate) static PARSER: Parser = Parser {
    id: "conaninfo",
    wants: &[Want::Name("conaninfo.txt")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut foreign = Foreign::default();
    let mut section = None;
    let mut sections = Vec::new();
    let mut ranges = 0_usize;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(name) = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            section = Some(name);
            sections.push(name);
            continue;
        }
        match section {
            Some("full_requires") => {
                if let Some(reference) = Reference::of(text) {
                    let package = reference.package(&path, line, facts, &mut foreign);
                    facts.extend(package);
                } else {
                    let cause = format!("{} is not a reference of Conan", shown(text));
                    facts.malformed(&path, Some(line), cause);
                }
            }
            Some("requires") => ranges = ranges.saturating_add(1),
            Some(_) => {}
            None => {
                let cause = "a line before the first section";
                facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
            }
        }
    }
    if sections.is_empty() {
        return Err(ParseError::new("there are no sections"));
    }
    if ranges > 0 && !sections.contains(&"full_requires") {
        // Version 2 has ranges such as `zlib/1.2.Z` here alone.
        let cause = format!("{ranges} requirements without their versions");
        facts.unjudged(&path, None, GapKind::Unpinned, cause);
    }
    foreign.close(&path, facts);
    Ok(())
}
