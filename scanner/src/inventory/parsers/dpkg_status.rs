//! dpkg's database of installed packages, `var/lib/dpkg/status` (deb-control(5), dpkg-query(1)),
//! and the form without a package manager, one file per package in `status.d/`. A package counts
//! while its files are unpacked; one that was removed with its configuration kept does not.

use std::sync::Arc;

use super::shared::has_extension;
use crate::gap::GapKind;
use crate::inventory::facts::shown;
use crate::inventory::text::{Line, with_lines};
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::location::Location;
use crate::package::{Package, PackageType, SourcePackage};

/// `var/lib/dpkg/status`.
pub(super) static PARSER: Parser = Parser {
    id: "dpkg-status",
    wants: &[Want::Path("var/lib/dpkg/status")],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input, facts| parse(input.path, input.content, true, facts),
};

/// `var/lib/dpkg/status.d/*`, as images without a shell have it.
pub(super) static DISTROLESS: Parser = Parser {
    id: "dpkg-status-d",
    wants: &[Want::In("var/lib/dpkg/status.d/")],
    accepts: Some(|path| !has_extension(path, ".md5sums")),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input: Input<'_>, facts| parse(input.path, input.content, false, facts),
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

fn parse(
    path: &str,
    content: Content<'_>,
    status_required: bool,
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
                finish(
                    &std::mem::take(&mut stanza),
                    &shared,
                    status_required,
                    facts,
                );
            } else {
                stanza.read(&line);
            }
        }
        Ok(stanza)
    })?;
    finish(&stanza, &shared, status_required, facts);
    Ok(())
}

impl Stanza {
    fn read(&mut self, line: &Line<'_>) {
        if self.line == 0 {
            self.line = line.number;
        }
        let Some(colon) = line.bytes.iter().position(|&byte| byte == b':') else {
            return;
        };
        let (name, value) = line.bytes.split_at_checked(colon).unwrap_or_default();
        // A continuation starts with a space and so is no field name.
        let field = match name.to_ascii_lowercase().as_slice() {
            b"package" => &mut self.name,
            b"version" => &mut self.version,
            b"architecture" => &mut self.arch,
            b"source" => &mut self.source,
            b"status" => &mut self.status,
            _ => return,
        };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        *field = match std::str::from_utf8(value) {
            _ if line.cut => Field::Bad("a field longer than the limit"),
            Ok("") => Field::Absent,
            Ok(text) => Field::Text(text.to_owned()),
            Err(_) => Field::Bad("a field that is not UTF-8"),
        };
    }

    fn installed(&self, status_required: bool) -> Result<bool, &'static str> {
        let Some(status) = self.status.text()? else {
            return if status_required {
                Err("no status")
            } else {
                Ok(true)
            };
        };
        // want, error flag, state: dpkg-query(1). In these states the files are unpacked.
        let state = status.split_ascii_whitespace().nth(2);
        Ok(matches!(
            state,
            Some(
                "installed"
                    | "unpacked"
                    | "half-configured"
                    | "triggers-awaited"
                    | "triggers-pending"
            )
        ))
    }

    fn half_installed(&self) -> bool {
        matches!(&self.status, Field::Text(status) if status.ends_with("half-installed"))
    }

    fn package(
        &self,
        path: &Arc<str>,
        status_required: bool,
    ) -> Result<Option<Package>, &'static str> {
        if !self.installed(status_required)? {
            return Ok(None);
        }
        let name = self.name.text()?.ok_or("no name")?;
        let version = self.version.text()?.ok_or("no version")?;
        let mut package = Package::new(PackageType::Deb, name, version)
            .at(Location::line(Arc::clone(path), self.line));
        package.arch = self.arch.text()?.map(Arc::from);
        package.source = self
            .source
            .text()?
            .map(|source| split_source(source, version))
            .filter(|source| *source.name != *name || *source.version != *version);
        Ok(Some(package))
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

fn finish(stanza: &Stanza, path: &Arc<str>, status_required: bool, facts: &mut Facts) {
    if stanza.line == 0 {
        return;
    }
    match stanza.package(path, status_required) {
        Ok(Some(package)) => facts.add(package),
        Ok(None) if stanza.half_installed() => {
            let name = stanza.name.text().ok().flatten().unwrap_or_default();
            let cause = format!("package {} was never fully unpacked", shown(name));
            facts.gap(path, Some(stanza.line), GapKind::Unreadable, cause);
        }
        Ok(None) => {}
        Err(cause) => {
            let name = stanza
                .name
                .text()
                .ok()
                .flatten()
                .unwrap_or("without a name");
            let cause = format!("package {}: {cause}", shown(name));
            facts.malformed(path, Some(stanza.line), cause);
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
}
