//! `rebar.lock` of Erlang's Rebar (rebar3.org, "Dependencies"): Erlang terms. The first is the list of
//! dependencies, since version 1.1.0 in a tuple with the version of the file; a second one has the sums
//! of those from Hex, so that an entry that was lost shows. The level of an entry is 0 where the project
//! asks for it. Git has no version. The file has no edges.

use std::sync::Arc;

use super::term::{self, Term};
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::{entry, is_semantic};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `rebar.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "rebar-lock",
    wants: &[Want::Name("rebar.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// Versions of the file since it has one.
const VERSIONS: [&str; 2] = ["1.1.0", "1.2.0"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let terms = term::terms(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let Some(first) = terms.first() else {
        return Err(ParseError::new("an empty lockfile"));
    };
    let (list, is_versioned) = match first.tuple() {
        Some([version, list]) => {
            if !version.text().is_some_and(|text| VERSIONS.contains(&text)) {
                let cause = "a version of rebar.lock that we do not know";
                return Err(ParseError::unknown_format(Some(version.line), cause));
            }
            (list, true)
        }
        _ => (first, false),
    };
    let Some(items) = list.list() else {
        return Err(ParseError::at(
            list.line,
            "there is no list of dependencies",
        ));
    };
    let mut complete = Complete::default();
    let mut any_of_hex = false;
    for item in items {
        let Some((name, is_of_hex)) = read(item, &path, facts) else {
            let cause = "an entry that is not a dependency of Rebar";
            facts.malformed(&path, Some(item.line), cause);
            continue;
        };
        any_of_hex |= is_of_hex;
        complete.have(name);
    }
    let mut any_sum = false;
    let blocks = terms.get(1..).unwrap_or_default();
    for block in blocks
        .iter()
        .flat_map(|term| term.list().unwrap_or_default())
    {
        let sums = match block.tuple() {
            Some([kind, sums]) if kind.atom().is_some_and(|kind| kind.starts_with("pkg_hash")) => {
                sums.list()
            }
            _ => None,
        };
        let Some(sums) = sums else {
            facts.malformed(
                &path,
                Some(block.line),
                "a block that is not a list of sums",
            );
            continue;
        };
        for sum in sums {
            match sum.tuple().and_then(|parts| parts.first()?.text()) {
                Some(name) => {
                    any_sum = true;
                    complete.need(name, sum.line);
                }
                None => facts.malformed(&path, Some(sum.line), "a sum without a name"),
            }
        }
    }
    if is_versioned && any_of_hex && !any_sum {
        let cause = "there are no sums of packages: the file may be cut";
        facts.malformed(&path, None, cause);
    }
    complete.close(&path, facts);
    Ok(())
}

/// Adds one entry; its name, and whether it comes from Hex.
fn read<'a>(item: &Term<'a>, path: &Arc<str>, facts: &mut Facts) -> Option<(&'a str, bool)> {
    let [name, source, level] = item.tuple()? else {
        return None;
    };
    let (name, level) = (name.text()?, level.number()?);
    let (kind, parts) = source.tuple()?.split_first()?;
    match kind.atom()? {
        "pkg" => {
            let (package, version) = (parts.first()?.text()?, parts.get(1)?.text()?);
            if !is_name(package) || !is_semantic(version) {
                return None;
            }
            let mut found = entry(PackageType::HEX, path, item.line, package, version);
            found.direct = Some(level == "0");
            facts.add(found);
            Some((name, true))
        }
        "git" | "git_subdir" | "hg" => {
            let cause = format!("package {} is at a commit, not at a version", shown(name));
            facts.gap(path, Some(item.line), GapKind::UnknownVersion, cause);
            Some((name, false))
        }
        other => {
            // A plug-in of Rebar fetched it.
            let cause = format!("{} comes from {}", shown(name), shown(other));
            facts.gap(path, Some(item.line), GapKind::ForeignPackage, cause);
            Some((name, false))
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
