//! `go.mod` (go.dev/ref/mod). Since Go 1.17 it lists all modules of the build, indirect ones too.
//! A replacement by another module counts instead of what it replaces; one by a directory is
//! part of the project. The standard library is a package at the version of the `toolchain`
//! line; the `go` line is a lower bound, not the version that builds, and gives none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::shared::entry;
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// `go.mod`.
pub(super) static PARSER: Parser = Parser {
    id: "go-mod",
    wants: &[Want::Name("go.mod")],
    accepts: None,
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

struct Module<'a> {
    line: u32,
    name: &'a str,
    version: &'a str,
}

/// What stands for a module: another at a version, or a directory.
struct Replacement<'a> {
    line: u32,
    name: &'a str,
    version: Option<&'a str>,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut required: Vec<Module<'_>> = Vec::new();
    // By name, and by the version that is replaced; `None` replaces every version.
    let mut replaced: BTreeMap<(&str, Option<&str>), Replacement<'_>> = BTreeMap::new();
    let mut block: Option<&str> = None;
    let mut named = false;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let text = text.split("//").next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        if block.is_some() && text == ")" {
            block = None;
            continue;
        }
        let (verb, rest) = match block {
            Some(verb) => (verb, text),
            None => text
                .split_once(|c: char| c.is_whitespace() || c == '(')
                .map_or((text, ""), |(verb, _)| {
                    (verb, text.get(verb.len()..).unwrap_or_default().trim())
                }),
        };
        if block.is_none() && rest == "(" {
            block = Some(verb);
            continue;
        }
        let words: Vec<&str> = rest
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '`']))
            .collect();
        match (verb, words.as_slice()) {
            ("require", &[name, version]) => required.push(Module {
                line,
                name,
                version,
            }),
            ("replace", &[old, "=>", name, ref version @ ..]) => {
                let version = version.first().copied();
                replaced.insert(
                    (old, None),
                    Replacement {
                        line,
                        name,
                        version,
                    },
                );
            }
            ("replace", &[old, old_version, "=>", name, ref version @ ..]) => {
                let version = version.first().copied();
                replaced.insert(
                    (old, Some(old_version)),
                    Replacement {
                        line,
                        name,
                        version,
                    },
                );
            }
            ("toolchain", &[toolchain]) => {
                let version = toolchain
                    .strip_prefix("go")
                    .and_then(|v| v.split('-').next());
                if let Some(version) = version {
                    facts.add(entry(PackageType::Golang, &path, line, "stdlib", version));
                }
            }
            ("require" | "replace", _) => {
                facts.malformed(
                    &path,
                    Some(line),
                    format!("a {verb} line with missing parts"),
                );
            }
            ("module", _) => named = true,
            ("go" | "toolchain" | "godebug" | "exclude" | "retract" | "tool" | "ignore", _) => {}
            _ => {
                let cause = format!("{} is no directive of a go.mod", shown(verb));
                facts.malformed(&path, Some(line), cause);
            }
        }
    }
    if let Some(verb) = block {
        facts.malformed(&path, None, format!("the block {verb} has no end"));
    }
    if !named {
        return Err(ParseError::new(
            "no module directive, which every go.mod has",
        ));
    }
    for module in required {
        let replacement = replaced
            .get(&(module.name, Some(module.version)))
            .or_else(|| replaced.get(&(module.name, None)));
        let (line, name, version) = match replacement {
            None => (module.line, module.name, module.version),
            Some(Replacement {
                line,
                name,
                version: Some(version),
            }) => (*line, *name, *version),
            Some(_) => continue,
        };
        facts.add(entry(PackageType::Golang, &path, line, name, version));
    }
    Ok(())
}
