//! `go.sum` beside a `go.mod` below Go 1.17, which alone names the indirect modules (go.dev/ref/mod,
//! "go.sum files"). It keeps the sums of every version that was ever looked at: one with only a
//! `/go.mod` sum was not part of a build, and of the others the highest of a module is the one that
//! minimal version selection takes, as far as the file alone can tell.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use db_sync::version::Order;

use super::go_mod::line;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// Read only where a `go.mod` includes it.
pub(crate) static PARSER: Parser = Parser {
    id: "go-sum",
    wants: &[],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut highest: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    for (text, number) in input.content.utf8()?.split('\n').zip(1_u32..) {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let (name, version) = match *words.as_slice() {
            [] => continue,
            [name, version, sum] if sum.starts_with("h1:") => (name, version),
            _ => {
                // The go command refuses the file.
                let cause = "a line of go.sum has a module, a version and a sum";
                facts.unjudged(&path, Some(number), GapKind::Malformed, cause);
                continue;
            }
        };
        if version.ends_with("/go.mod") {
            continue;
        }
        if !line::is_path(name) || !line::is_version(version) {
            let cause = format!(
                "{} {} is not a module and its version",
                shown(name),
                shown(version)
            );
            facts.malformed(&path, Some(number), cause);
            continue;
        }
        let known = highest.entry(name).or_insert((version, number));
        match Order::Semver.compare(number_of(known.0), number_of(version)) {
            Ok(Ordering::Less) => *known = (version, number),
            Ok(_) => {}
            Err(_) => {
                let cause = format!(
                    "module {} has {} for a version",
                    shown(name),
                    shown(version)
                );
                facts.gap(&path, Some(number), GapKind::UnknownVersion, cause);
            }
        }
    }
    for (name, (version, number)) in highest {
        facts.add(entry(PackageType::GOLANG, &path, number, name, version));
    }
    Ok(())
}

fn number_of(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}
