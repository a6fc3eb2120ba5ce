//! `cpanfile.snapshot` of Carton (metacpan.org, `Carton::Snapshot`): a list of
//! distributions by indentation, each with the archive it comes from below the folder of its author, the
//! modules it provides and those it requires. No advisory source covers CPAN; distributions are listed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `cpanfile.snapshot`.
pub(crate) static PARSER: Parser = Parser {
    id: "cpanfile-snapshot",
    wants: &[Want::Name("cpanfile.snapshot")],
    parse,
    ..Parser::LOCKFILE
};

#[derive(Default)]
struct Distribution<'a> {
    line: u32,
    /// `Name-version`.
    head: &'a str,
    pathname: Option<&'a str>,
    provides: Vec<&'a str>,
    requires: Vec<&'a str>,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut all: Vec<Distribution<'_>> = Vec::new();
    let mut section = "";
    let mut is_open = false;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let trimmed = text.trim();
        if trimmed.is_empty() || text.starts_with('#') {
            if text.starts_with('#') && text.contains("format") && !text.contains("version 1.0") {
                let cause = "a version of the snapshot that we do not know";
                return Err(ParseError::unknown_format(Some(line), cause));
            }
            continue;
        }
        let indent = text
            .len()
            .saturating_sub(text.trim_start_matches(' ').len());
        let last = all.last_mut();
        match (indent, last) {
            (0, _) if trimmed == "DISTRIBUTIONS" => is_open = true,
            (2, _) if is_open => {
                section = "";
                all.push(Distribution {
                    line,
                    head: trimmed,
                    ..Distribution::default()
                });
            }
            (4, Some(last)) => match trimmed.split_once(':') {
                Some(("pathname", value)) => last.pathname = Some(value.trim()),
                Some((key @ ("provides" | "requirements"), "")) => section = key,
                _ => odd(trimmed, line, &path, facts),
            },
            (6, Some(last)) => {
                let name = trimmed.split(' ').next().unwrap_or(trimmed);
                match section {
                    "provides" => last.provides.push(name),
                    "requirements" => last.requires.push(name),
                    _ => odd(trimmed, line, &path, facts),
                }
            }
            _ => odd(trimmed, line, &path, facts),
        }
    }
    if !is_open {
        return Err(ParseError::new("there is no list of DISTRIBUTIONS"));
    }
    add(&all, &path, facts);
    Ok(())
}

fn odd(text: &str, line: u32, path: &Arc<str>, facts: &mut Facts) {
    let cause = format!("{} is not a line of a snapshot", shown(text));
    facts.unjudged(path, Some(line), GapKind::Malformed, cause);
}

fn add(all: &[Distribution<'_>], path: &Arc<str>, facts: &mut Facts) {
    let mut providers = BTreeMap::new();
    for one in all {
        if let Some((name, version)) = split(one.head) {
            for module in &one.provides {
                providers.insert(*module, format!("{name}@{version}"));
            }
        }
    }
    for one in all {
        let Some((name, version)) = split(one.head) else {
            let cause = format!("{} is not a distribution and its version", shown(one.head));
            facts.malformed(path, Some(one.line), cause);
            continue;
        };
        let archive = one.pathname.and_then(|path| path.rsplit('/').next());
        if !archive.is_some_and(|archive| archive.starts_with(one.head)) {
            let cause = format!("distribution {} has no archive, or another's", shown(name));
            facts.malformed(path, Some(one.line), cause);
        }
        let mut package = entry(PackageType::CPAN, path, one.line, name, version);
        // What Perl itself brings has no distribution in the file.
        let needed = one
            .requires
            .iter()
            .filter_map(|module| providers.get(module));
        package.dependencies = needed.map(|edge| Arc::from(edge.as_str())).collect();
        facts.add(package);
    }
}

/// `Name-Of-It-v1.2.3`, `Name-1.20-TRIAL`: the version begins behind the last hyphen with a number.
pub(super) fn split(head: &str) -> Option<(&str, &str)> {
    let begins = |rest: &str| {
        let number = rest.strip_prefix('v').unwrap_or(rest);
        number.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut hyphens: Vec<_> = head.match_indices('-').map(|(at, _)| at).collect();
    hyphens.reverse();
    let at = hyphens
        .into_iter()
        .find(|at| head.get(at.saturating_add(1)..).is_some_and(begins))?;
    let (name, version) = (head.get(..at)?, head.get(at.checked_add(1)?..)?);
    (is_name(name) && is_version(version)).then_some((name, version))
}

/// Words with hyphens between.
pub(super) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(known)
}

/// Letters behind a number are those of a trial.
pub(super) fn is_version(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or(text);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.bytes().all(known)
}

#[cfg(test)]
mod tests {
    #[test]
    fn distributions_have_names_and_versions() {
        for (head, expected) in [
            ("Moo-2.003", Some(("Moo", "2.003"))),
            ("Foo-Bar-v1.2.3", Some(("Foo-Bar", "v1.2.3"))),
            ("JSON-XS-4.03-TRIAL", Some(("JSON-XS", "4.03-TRIAL"))),
            ("Base-64", Some(("Base", "64"))),
            ("Moo", None),
            ("-1.0", None),
        ] {
            assert_eq!(super::split(head), expected, "{head}");
        }
    }
}
