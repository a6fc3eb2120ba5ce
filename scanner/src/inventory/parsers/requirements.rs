//! `requirements*.txt` (pip.pypa.io, "Requirements File Format"). Only `==` and `===` pin a
//! version. A requirement without a pin is a gap: which version would be installed is not known.
//! A file that a line names with `-r` is read when it is itself found, and a gap if its name is
//! not one that we look for; constraints (`-c`) add no packages.

use std::sync::Arc;

use super::shared::{entry, file_name, has_extension};
use crate::gap::GapKind;
use crate::inventory::facts::shown;
use crate::inventory::text::with_lines;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`, `requirements/base.txt`.
pub(super) static PARSER: Parser = Parser {
    id: "requirements",
    wants: &[Want::Extension(".txt")],
    accepts: Some(is_requirements),
    need: Need::Stream,
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn is_requirements(path: &str) -> bool {
    let name = file_name(path);
    let directory = path.rsplit('/').nth(1);
    name.starts_with("requirements")
        || name.ends_with("requirements.txt")
        || directory == Some("requirements")
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut words = file_name(&path).split(|c: char| !c.is_ascii_alphanumeric());
    let dev =
        words.any(|word| matches!(word, "dev" | "develop" | "development" | "test" | "tests"));
    with_lines(input.content, |mut lines| {
        let mut open: Option<(u32, String)> = None;
        while let Some(line) = lines.next()? {
            let number = line.number;
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(&path, Some(number), GapKind::Limit, cause);
                continue;
            }
            let text = String::from_utf8_lossy(line.bytes);
            let text = if number == 1 {
                text.trim_start_matches('\u{feff}')
            } else {
                &*text
            };
            // A backslash joins lines; a comment ends where its line ends.
            let joined = text
                .trim_end()
                .strip_suffix('\\')
                .filter(|text| !is_comment(text));
            let (first, mut whole) = open.take().unwrap_or((number, String::new()));
            whole.push_str(joined.unwrap_or(text));
            if whole.len() > limits::LINE_BYTES {
                let cause = "a requirement longer than the limit was skipped";
                facts.gap(&path, Some(first), GapKind::Limit, cause);
            } else if joined.is_some() {
                open = Some((first, whole));
            } else {
                requirement(&whole, first, dev, &path, facts);
            }
        }
        if let Some((first, whole)) = open {
            requirement(&whole, first, dev, &path, facts);
        }
        Ok(())
    })
}

fn is_comment(text: &str) -> bool {
    text.trim_start().starts_with('#')
}

/// Names may end here: specifiers, extras, markers, comments.
fn name_end(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn requirement(whole: &str, line: u32, dev: bool, path: &Arc<str>, facts: &mut Facts) {
    // `#` starts a comment at the start or after a space.
    let whole = if is_comment(whole) { "" } else { whole };
    let text = whole.split(" #").next().unwrap_or(whole).trim();
    if text.is_empty() {
        return;
    }
    if let Some(option) = text.strip_prefix('-') {
        let end = option.find(['=', ' ']).unwrap_or(option.len().min(1));
        let (name, value) = option.split_at_checked(end).unwrap_or((option, ""));
        let value = value.trim_start_matches(['=', ' ']);
        match name {
            "e" | "-editable" if value.contains("://") => unpinned(text, line, path, facts),
            "r" | "-requirement" if !(has_extension(value, ".txt") && is_requirements(value)) => {
                let cause = format!("{} is not read", shown(value));
                facts.gap(path, Some(line), GapKind::UnknownFormat, cause);
            }
            _ => {}
        }
        return;
    }
    // Hashes and other options of this requirement, then its marker.
    let text = text.split(" --").next().unwrap_or(text);
    let text = text.split(';').next().unwrap_or(text).trim();
    let end = text.find(name_end).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let is_path = text.starts_with(['.', '/']);
    if is_path || rest.starts_with('/') {
        // A file or directory of the project.
        return;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras
            .split_once(']')
            .map_or("", |(_, rest)| rest.trim_start()),
        None => rest,
    };
    let rest = rest.trim_start_matches('(').trim_end_matches(')');
    match rest.strip_prefix("==") {
        // An epoch has a `!` of its own: `1!2.0`.
        Some(version)
            if !version.contains([',', '*', '<', '>', '~']) && !version.contains("!=") =>
        {
            let version = version.trim_start_matches('=').trim();
            let mut package = entry(PackageType::Pypi, path, line, name, version);
            package.scope.dev = dev;
            facts.add(package);
        }
        _ => unpinned(text, line, path, facts),
    }
}

fn unpinned(text: &str, line: u32, path: &Arc<str>, facts: &mut Facts) {
    let cause = format!("{} pins no version", shown(text));
    facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
}
