//! Explicit specifications of conda (docs.conda.io, "Building identical conda environments"), as
//! `conda list --explicit` and conda-lock write them: a line `@EXPLICIT`, then the address of one
//! archive a line. conda-lock adds what pip installs as comments, `# pip name @ address`.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::python::pypi;
use crate::inventory::parsers::python::pypi::place::{self, Site};
use crate::inventory::parsers::shared::file_name;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;

/// `conda-linux-64.lock` and those of other platforms.
pub(crate) static PARSER: Parser = Parser {
    id: "conda-explicit",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        let starts = ["conda-linux-", "conda-osx-", "conda-win-"];
        starts.iter().any(|start| name.starts_with(start))
    }),
    parse,
    ..Parser::LOCKFILE
};

/// The line before the addresses.
const MARK: &str = "@EXPLICIT";

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = input.content.utf8()?;
    let path: Arc<str> = input.path.into();
    if !text.lines().any(|line| line.trim() == MARK) {
        return Err(ParseError::new("there is no line @EXPLICIT"));
    }
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim();
        if let Some(rest) = content.strip_prefix("# pip ") {
            pip(rest, number, &path, facts);
            continue;
        }
        if content.is_empty() || content.starts_with('#') || content == MARK {
            continue;
        }
        let Some((name, version)) = super::archive(content) else {
            let name = shown(super::file(content));
            let cause = format!("{name:?} is not the archive of a conda package");
            facts.malformed(&path, Some(number), cause);
            continue;
        };
        let package = super::package(facts, &path, number, name, version);
        facts.extend(package);
    }
    Ok(())
}

/// `name @ address --hash=…` or `name === version`.
fn pip(rest: &str, line: u32, path: &Arc<str>, facts: &mut Facts) {
    let mut words = rest.split_whitespace();
    let name = words.next().unwrap_or_default();
    let told = match (words.next(), words.next()) {
        (Some("@"), Some(address)) => match place::at(address) {
            Site::Package(_, version) | Site::Likely(_, version) => Some(version),
            Site::Foreign | Site::Project => None,
        },
        (Some("==" | "==="), Some(version)) => Some(version.to_owned()),
        _ => None,
    };
    if let Some(version) = told {
        let package = pypi::package(facts, path, line, name, &version);
        return facts.extend(package);
    }
    let cause = format!("package {} does not say its version", shown(name));
    facts.gap(path, Some(line), GapKind::ForeignPackage, cause);
}
