//! The distribution, from `etc/os-release` or `usr/lib/os-release` (os-release(5)). The values
//! are quoted as for a shell; nothing is expanded. Systems of Red Hat's family that are older than
//! os-release have one line in a file of their own: `CentOS release 6.10 (Final)`.

use std::sync::Arc;

use crate::inventory::{
    Distribution, Evidence, Facts, Input, Need, ParseError, Parser, Want, limits,
};
use crate::model::gap::GapKind;

/// Both places; the one in `etc` wins when they are put together.
pub(super) static PARSER: Parser = Parser {
    id: "os-release",
    version: 1,
    wants: &[
        Want::Path("etc/os-release"),
        Want::Path("usr/lib/os-release"),
    ],
    accepts: None,
    need: Need::Whole(64 << 10),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// One line; os-release counts more.
pub(super) static RELEASE: Parser = Parser {
    id: "redhat-release",
    version: 1,
    wants: &[
        Want::Path("etc/centos-release"),
        Want::Path("etc/redhat-release"),
    ],
    accepts: None,
    need: Need::Whole(64 << 10),
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| {
        let text = String::from_utf8_lossy(input.content.whole()?);
        facts.distribution = text.lines().next().and_then(release);
        Ok(())
    },
};

/// The systems that write such a line: how it begins, and their `ID`.
const FAMILY: [(&str, &str); 6] = [
    ("AlmaLinux", "almalinux"),
    ("CentOS", "centos"),
    ("CloudLinux", "cloudlinux"),
    ("Oracle", "ol"),
    ("Red Hat Enterprise", "rhel"),
    ("Rocky", "rocky"),
];

fn release(line: &str) -> Option<Distribution> {
    let (name, rest) = line.trim().split_once(" release ")?;
    let (_, id) = FAMILY.iter().find(|(start, _)| name.starts_with(start))?;
    let version = rest.split_ascii_whitespace().next()?;
    let numeric = version.starts_with(|first: char| first.is_ascii_digit());
    (numeric && version.len() <= limits::VERSION_BYTES).then(|| Distribution {
        id: (*id).into(),
        version: Some(version.into()),
        ..Distribution::default()
    })
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = String::from_utf8_lossy(input.content.whole()?);
    let mut id = None;
    let mut version = None;
    let mut like = Vec::new();
    let mut name = None;
    let mut cpe = None;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let value = unquote(value.trim());
        if value.len() > limits::VERSION_BYTES {
            let cause = format!("a value longer than {} bytes", limits::VERSION_BYTES);
            facts.gap(input.path, None, GapKind::Limit, cause);
            continue;
        }
        let full = (!value.is_empty()).then(|| Arc::<str>::from(value.as_str()));
        match key.trim() {
            "ID" => id = full,
            "VERSION_ID" => version = full,
            "PRETTY_NAME" => name = full,
            "CPE_NAME" => cpe = full,
            "ID_LIKE" => like = value.split_ascii_whitespace().map(Arc::from).collect(),
            _ => {}
        }
    }
    // os-release(5): a file without ID means the generic Linux.
    facts.distribution = Some(Distribution {
        id: id.unwrap_or_else(|| "linux".into()),
        version,
        like,
        name,
        cpe,
    });
    Ok(())
}

/// Removes shell quotes and backslashes, and what a shell would not take for the value: a comment
/// after it.
fn unquote(value: &str) -> String {
    let single = value.starts_with('\'');
    let quoted = single || value.starts_with('"');
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' if !single => {}
            '\'' if single => {}
            '\\' if !single => text.extend(characters.next()),
            blank if !quoted && blank.is_whitespace() => break,
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{release, unquote};

    #[test]
    fn the_line_of_systems_without_os_release() {
        for (line, expected) in [
            ("CentOS release 6.10 (Final)", Some(("centos", "6.10"))),
            (
                "CentOS Linux release 7.9.2009 (Core)",
                Some(("centos", "7.9.2009")),
            ),
            (
                "Red Hat Enterprise Linux Server release 6.10 (Santiago)",
                Some(("rhel", "6.10")),
            ),
            ("Fedora release 40 (Forty)", None),
            ("CentOS", None),
        ] {
            let found = release(line);
            let found = found
                .as_ref()
                .map(|found| (&*found.id, found.version.as_deref().unwrap()));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn shell_quotes() {
        assert_eq!(unquote("\"Debian \\\"12\\\"\""), "Debian \"12\"");
        assert_eq!(unquote("'a \"b\" \\'"), "a \"b\" \\");
        assert_eq!(unquote("plain"), "plain");
        assert_eq!(unquote("debian # since 1993"), "debian");
        assert_eq!(unquote("\\"), "");
    }
}
