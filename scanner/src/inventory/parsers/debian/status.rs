//! dpkg's database of installed packages, `var/lib/dpkg/status` (deb-control(5), dpkg-query(1)),
//! and the form without a package manager, one file per package in `status.d/`; other managers
//! write the same form with words of their own ([`Dialect`]). A package counts
//! while its files are unpacked; one that was removed with its configuration kept does not. A
//! status that dpkg would refuse is a gap, and no way to say that a package is not installed.
//! `updates/` is dpkg's journal: what was changed and not yet written into `status`.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, has_extension, is_plain};
use crate::inventory::text::{Line, with_lines};
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, SourcePackage};

/// `var/lib/dpkg/status`.
pub(crate) static PARSER: Parser = Parser {
    id: "dpkg-status",
    version: 1,
    wants: &[Want::Path("var/lib/dpkg/status")],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input, facts| parse(input.path, input.content, &DPKG, facts),
};

/// `var/lib/dpkg/status.d/*`, as images without a shell have it.
pub(crate) static DISTROLESS: Parser = Parser {
    id: "dpkg-status-d",
    version: 1,
    wants: &[Want::In("var/lib/dpkg/status.d/")],
    accepts: Some(|path| !has_extension(path, ".md5sums")),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input: Input<'_>, facts| parse(input.path, input.content, &WITHOUT_STATUS, facts),
};

/// `var/lib/dpkg/updates/0001`, in the form of `status`.
pub(crate) static JOURNAL: Parser = Parser {
    id: "dpkg-journal",
    version: 1,
    wants: &[Want::In("var/lib/dpkg/updates/")],
    accepts: Some(|path| {
        let name = file_name(path);
        name.bytes().all(|byte| byte.is_ascii_digit())
    }),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input, facts| {
        let path = input.path;
        parse(path, input.content, &DPKG, facts)?;
        let cause = "changes to the dpkg database that are only in its journal: packages that they remove or replace are still listed";
        facts.gap(path, None, GapKind::UnknownFormat, cause);
        Ok(())
    },
};

/// Fields whose loss changes what is known, and which a misspelling must not lose.
const NEEDED: [&[u8]; 5] = [
    b"package",
    b"version",
    b"architecture",
    b"source",
    b"status",
];

/// The words of a status: what is wanted and what is there.
const WANTED: [&str; 5] = ["unknown", "install", "hold", "deinstall", "purge"];
const UNPACKED: [&str; 5] = [
    "installed",
    "unpacked",
    "half-configured",
    "triggers-awaited",
    "triggers-pending",
];
const ABSENT: [&str; 2] = ["not-installed", "config-files"];
const HALF: &str = "half-installed";

/// What the writers of this form differ in.
pub(in crate::inventory::parsers) struct Dialect {
    pub(in crate::inventory::parsers) manager: &'static str,
    pub(in crate::inventory::parsers) kind: PackageType,
    /// A package without a status is a gap.
    pub(in crate::inventory::parsers) needs_status: bool,
    /// The second word of a status: whether something is wrong.
    pub(in crate::inventory::parsers) flags: &'static [&'static str],
    /// The third word, where the files are there, besides those of dpkg.
    pub(in crate::inventory::parsers) unpacked: &'static [&'static str],
    /// Whether `Source` names a source package.
    pub(in crate::inventory::parsers) has_sources: bool,
}

const DPKG: Dialect = Dialect {
    manager: "dpkg",
    kind: PackageType::DEB,
    needs_status: true,
    flags: &["ok", "reinstreq", "hold-reinstreq"],
    unpacked: &[],
    has_sources: true,
};

const WITHOUT_STATUS: Dialect = Dialect {
    needs_status: false,
    ..DPKG
};

/// The fields of one package that we keep.
#[derive(Default)]
struct Stanza {
    line: u32,
    name: Field,
    version: Field,
    arch: Field,
    source: Field,
    status: Field,
    maintainer: Field,
}

/// What a status says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unpacked,
    Half,
    Absent,
    /// Nothing that dpkg knows: the package may be there.
    Odd,
}

/// A field: absent, its text, or why it cannot be read.
#[derive(Default)]
enum Field {
    #[default]
    Absent,
    Text(String),
    Bad(&'static str),
}

impl Field {
    fn text(&self) -> Result<Option<&str>, &'static str> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Bad(cause) => Err(cause),
        }
    }
}

pub(in crate::inventory::parsers) fn parse(
    path: &str,
    content: Content<'_>,
    dialect: &Dialect,
    facts: &mut Facts,
) -> Result<(), ParseError> {
    let shared: Arc<str> = path.into();
    let stanza = with_lines(content, |mut lines| {
        let mut stanza = Stanza::default();
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(path, Some(line.number), GapKind::Limit, cause);
            }
            if line.bytes.iter().all(u8::is_ascii_whitespace) {
                let done = std::mem::take(&mut stanza);
                finish(&done, &shared, dialect, facts);
                continue;
            }
            match line.bytes.iter().position(|&byte| byte == b':') {
                // A continuation.
                _ if matches!(line.bytes.first(), Some(b' ' | b'\t')) => {}
                None => {
                    let cause = "a line that is neither a field nor a continuation of one";
                    facts.malformed(path, Some(line.number), cause);
                }
                Some(colon) => {
                    let (name, value) = line.bytes.split_at_checked(colon).unwrap_or_default();
                    let name = name.trim_ascii_end().to_ascii_lowercase();
                    // An empty line was lost: two packages must not become one.
                    if name == b"package" && !matches!(stanza.name, Field::Absent) {
                        let cause = "a package begins in the middle of another";
                        facts.malformed(path, Some(line.number), cause);
                        let done = std::mem::take(&mut stanza);
                        finish(&done, &shared, dialect, facts);
                    }
                    if let Some(meant) = misspelt(&name) {
                        let cause = format!(
                            "a field {}, which may be a misspelt {meant}",
                            shown(&String::from_utf8_lossy(&name))
                        );
                        facts.malformed(path, Some(line.number), cause);
                    }
                    stanza.read(&line, &name, value);
                }
            }
            if stanza.line == 0 {
                stanza.line = line.number;
            }
        }
        Ok(stanza)
    })?;
    finish(&stanza, &shared, dialect, facts);
    Ok(())
}

/// The needed field that a name differs from in one character, or in two that changed places.
fn misspelt(name: &[u8]) -> Option<&'static str> {
    let meant = NEEDED.iter().find(|field| differs_once(name, field))?;
    std::str::from_utf8(meant).ok()
}

fn differs_once(one: &[u8], other: &[u8]) -> bool {
    let ahead = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let one = one.get(ahead..).unwrap_or_default();
    let other = other.get(ahead..).unwrap_or_default();
    let same = |a: Option<&[u8]>, b: Option<&[u8]>| a.is_some() && a == b;
    match (one, other) {
        ([], []) => false,
        ([a, b, rest @ ..], [c, d, tail @ ..]) if a == d && b == c && rest == tail => true,
        _ => {
            same(one.get(1..), other.get(1..))
                || same(one.get(1..), Some(other))
                || same(Some(one), other.get(1..))
        }
    }
}

impl Stanza {
    fn read(&mut self, line: &Line<'_>, name: &[u8], value: &[u8]) {
        let field = match name {
            b"package" => &mut self.name,
            b"version" => &mut self.version,
            b"architecture" => &mut self.arch,
            b"source" => &mut self.source,
            b"status" => &mut self.status,
            b"maintainer" => &mut self.maintainer,
            _ => return,
        };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        *field = match std::str::from_utf8(value) {
            // dpkg refuses it.
            _ if !matches!(field, Field::Absent) => Field::Bad("a field that comes twice"),
            _ if line.cut => Field::Bad("a field longer than the limit"),
            Ok("") => Field::Absent,
            Ok(text) => Field::Text(text.to_owned()),
            Err(_) => Field::Bad("a field that is not UTF-8"),
        };
    }

    /// What the status says (dpkg-query(1)); dpkg does not mind the case of its words.
    fn state(&self, dialect: &Dialect) -> Result<State, &'static str> {
        let Some(status) = self.status.text()? else {
            return if dialect.needs_status {
                Err("no status")
            } else {
                Ok(State::Unpacked)
            };
        };
        let lower = status.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_ascii_whitespace().collect();
        Ok(match words.as_slice() {
            // opkg writes several flags with commas between.
            [want, flags, state]
                if WANTED.contains(want)
                    && flags.split(',').all(|flag| dialect.flags.contains(&flag)) =>
            {
                if UNPACKED.contains(state) || dialect.unpacked.contains(state) {
                    State::Unpacked
                } else if ABSENT.contains(state) {
                    State::Absent
                } else if *state == HALF {
                    State::Half
                } else {
                    State::Odd
                }
            }
            _ => State::Odd,
        })
    }

    fn package(&self, path: &Arc<str>, dialect: &Dialect) -> Result<Package, &'static str> {
        let name = self.name.text()?.ok_or("no name")?;
        let version = self.version.text()?.ok_or("no version")?;
        if !is_plain(name) {
            return Err("an invalid name");
        }
        if !is_plain(version) {
            return Err("an invalid version");
        }
        let mut package = Package::new(dialect.kind, name, version)
            .at(Location::line(Arc::clone(path), self.line));
        package.arch = self.arch.text()?.map(Arc::from);
        package.source = self
            .source
            .text()?
            .filter(|_| dialect.has_sources)
            .map(|source| split_source(source, version))
            .filter(|source| *source.name != *name || *source.version != *version);
        if package.source.as_ref().is_some_and(|source| {
            source.name.is_empty() || !is_plain(&source.name) || !is_plain(&source.version)
        }) {
            return Err("an invalid source package");
        }
        // Who a maintainer is stands at the beginning; what cannot be read names nobody.
        package.vendor = match &self.maintainer {
            Field::Text(text) => Some(text.chars().take(120).collect::<String>().into()),
            Field::Bad(_) => Some("".into()),
            Field::Absent => None,
        };
        Ok(package)
    }
}

/// `Source: name (version)`; without a version it is that of the binary package.
fn split_source(source: &str, version: &str) -> SourcePackage {
    let (name, rest) = source.split_once('(').unwrap_or((source, ""));
    let own = rest.trim_end().trim_end_matches(')').trim();
    SourcePackage {
        name: name.trim().into(),
        version: if own.is_empty() { version } else { own }.into(),
    }
}

fn finish(stanza: &Stanza, path: &Arc<str>, dialect: &Dialect, facts: &mut Facts) {
    if stanza.line == 0 {
        return;
    }
    let name = stanza
        .name
        .text()
        .ok()
        .flatten()
        .unwrap_or("without a name");
    let line = Some(stanza.line);
    let state = match stanza.state(dialect) {
        Ok(State::Absent) => return,
        Ok(State::Half) => {
            let cause = format!("package {} was never fully unpacked", shown(name));
            return facts.gap(path, line, GapKind::Unreadable, cause);
        }
        Ok(state) => state,
        Err(cause) => {
            let cause = format!("package {}: {cause}", shown(name));
            return facts.malformed(path, line, cause);
        }
    };
    if state == State::Odd {
        let status = stanza.status.text().ok().flatten().unwrap_or_default();
        let cause = format!(
            "package {} has the status {:?}, which {} does not know; it was taken for installed",
            shown(name),
            shown(status),
            dialect.manager
        );
        facts.malformed(path, line, cause);
    }
    match stanza.package(path, dialect) {
        Ok(package) => facts.add(package),
        Err(cause) => {
            let cause = format!("package {}: {cause}", shown(name));
            facts.malformed(path, line, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::run;

    const OPENSSL: &str = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n\n";

    #[test]
    fn a_line_without_end_costs_itself_only() {
        let mut text =
            b"Package: big\nStatus: install ok installed\nVersion: 1\nDescription: ".to_vec();
        text.resize(50 << 20, b'x');
        text.extend_from_slice(b"\n\n");
        text.extend_from_slice(OPENSSL.as_bytes());
        let mut stream = text.as_slice();
        let facts = run(&PARSER, "var/lib/dpkg/status", Content::Stream(&mut stream));
        let names: Vec<_> = facts.packages.iter().map(|p| p.name.as_ref()).collect();
        assert_eq!(names, ["big", "openssl"]);
        assert_eq!(facts.gaps[0].kind, GapKind::Limit);
    }

    #[test]
    fn bad_records_are_gaps_and_do_not_hide_others() {
        let mut text = b"Package: a\nStatus: install ok installed\n\nPackage: \xff\xfe\nStatus: install ok installed\nVersion: 1\n\nPackage: nostatus\nVersion: 1\n\n".to_vec();
        text.extend_from_slice(OPENSSL.as_bytes());
        let mut stream = text.as_slice();
        let facts = run(&PARSER, "var/lib/dpkg/status", Content::Stream(&mut stream));
        assert_eq!(facts.packages.len(), 1);
        let lines: Vec<_> = facts
            .gaps
            .iter()
            .map(|gap| gap.location.start_line())
            .collect();
        assert_eq!(lines, [Some(1), Some(4), Some(8)]);
    }

    fn read(text: &str) -> Facts {
        run(
            &PARSER,
            "var/lib/dpkg/status",
            Content::Whole(text.as_bytes()),
        )
    }

    #[test]
    fn a_status_that_dpkg_does_not_know_hides_no_package() {
        for (status, packages, gaps) in [
            ("install ok installed", 1, 0),
            ("Install OK Installed", 1, 0),
            ("hold ok installed", 1, 0),
            ("deinstall ok config-files", 0, 0),
            ("purge ok not-installed", 0, 0),
            ("install ok instaled", 1, 1),
            ("install ok", 1, 1),
            ("installed", 1, 1),
            ("install ok installed now", 1, 1),
            ("install ok half-installed", 0, 1),
        ] {
            let text = format!("Package: a\nStatus: {status}\nVersion: 1\n");
            let facts = read(&text);
            let found = (facts.packages.len(), facts.gaps.len());
            assert_eq!(found, (packages, gaps), "{status}");
        }
    }

    #[test]
    fn misspelt_fields_and_lost_lines_are_gaps() {
        for (text, packages) in [
            (
                "Package: a\nStatus: install ok installed\nVersion: 1\nSoruce: b\n",
                1,
            ),
            (
                "Package: a\nStatus: install ok installed\nVersion: 1\nSorce: b\n",
                1,
            ),
            ("Package: a\nStatus: install ok installed\nVersion 1\n", 0),
            (
                "Package: a\nStatus: install ok installed\nVersion: 1Description: x\n",
                0,
            ),
            (
                "Package: a\nStatus: install ok installed\nVersion: 1\nPackage: b\nStatus: install ok installed\nVersion: 2\n",
                2,
            ),
        ] {
            let facts = read(text);
            assert_eq!(facts.packages.len(), packages, "{text}");
            assert!(!facts.gaps.is_empty(), "{text}");
        }
        let plain = "Package: a\nStatus: install ok installed\nVersion: 1\nX-Sources: b\nDescription: y\n Sorce: b\n";
        assert!(read(plain).gaps.is_empty());
    }

    #[test]
    fn the_journal_is_read_and_reported() {
        assert!((JOURNAL.accepts.unwrap())("var/lib/dpkg/updates/0001"));
        assert!(!(JOURNAL.accepts.unwrap())("var/lib/dpkg/updates/tmp.i"));
        let facts = run(
            &JOURNAL,
            "var/lib/dpkg/updates/0001",
            Content::Whole(OPENSSL.as_bytes()),
        );
        assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
    }
}
