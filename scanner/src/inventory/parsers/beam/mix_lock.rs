//! `mix.lock` of Elixir's Mix (hexdocs.pm, "mix deps"): a map of Elixir with one entry a line, as Mix
//! writes it. An entry of Hex has the package's name, which may differ from that of the
//! application, its version, its dependencies and the repository. Git has no version; other
//! repositories than hexpm are not public. A path is not in the file.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_semantic};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::PackageType;

/// `mix.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "mix-lock",
    wants: &[Want::Name("mix.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// What stands behind the name of a second entry in the same line.
const JOINS: [&str; 2] = ["\": {:", "\" => {:"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = input.content.utf8()?;
    let path: Arc<str> = input.path.into();
    let mut foreign = Foreign::default();
    let mut state = State::Before;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let mut line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let State::Before = state {
            let Some(rest) = line.strip_prefix("%{") else {
                return Err(ParseError::at(number, "not a map of Elixir"));
            };
            (state, line) = (State::Inside, rest);
        } else if let State::After = state {
            let cause = "text after the end of the map";
            facts.unjudged(&path, Some(number), GapKind::Malformed, cause);
            break;
        }
        // Up to Elixir 1.5 the first and the last entry shared their lines with the braces.
        if let Some(rest) = line.strip_suffix('}')
            && (rest.is_empty() || rest.ends_with('}'))
        {
            (state, line) = (State::After, rest);
        }
        if !line.is_empty() {
            read(line, number, &path, facts, &mut foreign);
        }
    }
    foreign.close(&path, facts);
    match state {
        State::Before => Err(ParseError::new("an empty lockfile")),
        State::Inside => {
            let cause = "the map has no end: the file may be cut";
            facts.unjudged(&path, None, GapKind::Malformed, cause);
            Ok(())
        }
        State::After => Ok(()),
    }
}

#[derive(Clone, Copy)]
enum State {
    Before,
    Inside,
    After,
}

fn read(line: &str, number: u32, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    let one = head(line).filter(|(_, _, rest)| !JOINS.iter().any(|join| rest.contains(join)));
    let Some((name, kind, rest)) = one else {
        let cause = format!("{} is not one entry of mix.lock", shown(line));
        return facts.unjudged(path, Some(number), GapKind::Malformed, cause);
    };
    if kind == "git" {
        let cause = format!("package {} is at a commit of git", shown(name));
        return facts.gap(path, Some(number), GapKind::UnknownVersion, cause);
    }
    let parts = (kind == "hex").then(|| hex(rest)).flatten();
    let Some((package, version, after)) = parts else {
        let cause = format!("package {} has no name and version of Hex", shown(name));
        return facts.malformed(path, Some(number), cause);
    };
    if !is_name(package) || !is_semantic(version) {
        let cause = format!(
            "package {} at {} is not one that Hex allows",
            shown(package),
            shown(version)
        );
        return facts.malformed(path, Some(number), cause);
    }
    let mut found = entry(PackageType::HEX, path, number, package, version);
    found.dependencies = edges(after);
    let sum = checksum(after).and_then(|digits| Checksum::hexadecimal(Algorithm::Sha256, digits));
    found.checksums = Vec::from_iter(sum);
    match repository(after) {
        // Older versions of Hex knew no other.
        None | Some("hexpm") => {}
        Some(other) => {
            let source = format!("the repository {other}");
            foreign.mark(&mut found, number, &source);
        }
    }
    facts.add(found);
}

/// `"name": {:kind, rest},`, in old files `"name" => {:kind, rest},`.
fn head(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.strip_suffix(',').unwrap_or(line).strip_suffix('}')?;
    let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
    let rest = rest
        .strip_prefix(':')
        .or_else(|| rest.strip_prefix(" =>"))?;
    let (kind, rest) = rest.trim_start().strip_prefix("{:")?.split_once(',')?;
    Some((name, kind, rest.trim_start()))
}

/// `:name, "version", rest`, where a name that is no plain atom stands in quotes.
fn hex(rest: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = rest.strip_prefix(':')?.split_once(',')?;
    let (version, rest) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    Some((name.trim_matches('"'), version, rest))
}

/// The last text but one, behind the list of dependencies: `], "hexpm", "checksum"`.
fn repository(rest: &str) -> Option<&str> {
    let (_, tail) = rest.rsplit_once(']')?;
    tail.split('"').nth(1)
}

/// The text behind the repository, which newer versions of Hex write: the checksum of the archive.
fn checksum(rest: &str) -> Option<&str> {
    let (_, tail) = rest.rsplit_once(']')?;
    tail.split('"').nth(3)
}

/// The names that packages on Hex have in the list of dependencies: `[hex: :name, …]`.
fn edges(rest: &str) -> Vec<Arc<str>> {
    let names = rest.split("[hex: :").skip(1);
    let names = names.filter_map(|text| text.split([',', ']']).next());
    let names = names.map(|name| name.trim_matches('"'));
    names.filter(|name| is_name(name)).map(Arc::from).collect()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
