//! Requirements files (pip.pypa.io, "Requirements File Format"), read as pip reads them. Only a
//! pinned version is listed: by `==` or `===`, or by the name of an archive. A requirement that
//! does not say its version is a gap, and so is a line that pip would refuse.
//!
//! Files that a line names with `-r` or `-c` are reported as includes; whoever has the tree reads
//! them. A constraints file installs nothing by itself; what it includes with `-r` is installed.

use std::sync::Arc;

use self::requirement::Requirement;
use super::pypi::place;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, file_name, has_extension};
use crate::inventory::{Content, Facts, Include, Input, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::{PackageType, Scope};

mod lines;
mod marker;
mod options;
mod requirement;

const BY_NAME: Parser = Parser {
    id: "requirements",
    wants: &[
        Want::Extension(".txt"),
        Want::Extension(".TXT"),
        Want::Extension(".lock"),
        Want::Extension(".pip"),
    ],
    accepts: Some(|path| Name::of(path).is_some()),
    parse: |input, facts| {
        let name = Name::of(input.path);
        if has_extension(input.path, ".lock")
            && let Content::Whole(bytes) = input.content
            && is_helm(bytes)
        {
            let path: Arc<str> = input.path.into();
            let cause = "Helm chart lockfile: recognised, and not read yet";
            facts.unjudged(&path, None, GapKind::NotRead, cause);
            return Ok(());
        }
        facts.is_guess = name != Some(Name::Requirements);
        read(input, facts, name != Some(Name::Constraints))
    },
    ..Parser::LOCKFILE
};

/// Files whose name says what they are.
pub(crate) static PARSER: Parser = BY_NAME;

/// Files that another one includes with `-r`, whatever their names.
pub(crate) static INCLUDED: Parser = Parser {
    id: "requirements-included",
    wants: &[],
    accepts: None,
    parse: |input, facts| read(input, facts, true),
    ..BY_NAME
};

/// Files that another one names with `-c`.
pub(crate) static CONSTRAINTS: Parser = Parser {
    id: "requirements-constraints",
    wants: &[],
    accepts: None,
    parse: |input, facts| read(input, facts, false),
    ..BY_NAME
};

/// What the name of a file says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// `requirements.txt`, `requirements-dev.txt`, `dev-requirements-3.11.txt`.
    Requirements,
    /// `requirements/base.txt`: only its directory tells.
    InDirectory,
    /// `requirements/constraints.txt`.
    Constraints,
}

impl Name {
    fn of(path: &str) -> Option<Self> {
        let name = file_name(path).to_ascii_lowercase();
        let directory = path.rsplit('/').nth(1).unwrap_or_default();
        let named = name.contains("requirements");
        if !named && !directory.eq_ignore_ascii_case("requirements") {
            return None;
        }
        Some(if name.contains("constraint") {
            Self::Constraints
        } else if named {
            Self::Requirements
        } else {
            Self::InDirectory
        })
    }
}

/// Helm 2 calls the lockfile of a chart `requirements.lock`; Rye the one of a Python project.
fn is_helm(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    lines.any(|line| line == "dependencies:" || line.starts_with("dependencies: "))
}

fn read(input: Input<'_>, facts: &mut Facts, installs: bool) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let name = file_name(&path).to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let is_dev =
        words.any(|word| matches!(word, "dev" | "develop" | "development" | "test" | "tests"));
    let lines::Text { text, is_damaged } = lines::decode(input.content.whole()?)?;
    let mut file = File {
        path,
        is_dev,
        installs,
        facts,
        checksums: Vec::new(),
    };
    if is_damaged {
        file.refused(
            None,
            "the file is not UTF-8; what it says depends on the machine",
        );
    }
    lines::logical(&text, |number, line| file.line(number, line));
    Ok(())
}

struct File<'a> {
    path: Arc<str>,
    is_dev: bool,
    /// Whether its requirements are installed; of a constraints file only the includes are.
    installs: bool,
    facts: &'a mut Facts,
    /// Of the archives that the line allows.
    checksums: Vec<Checksum>,
}

impl File<'_> {
    fn line(&mut self, number: u32, line: &str) {
        if line.len() > limits::LINE_BYTES {
            let cause = "a requirement longer than the limit was skipped";
            return self.gap(number, GapKind::Limit, cause.to_owned());
        }
        let (text, options) = options::split(line);
        let options = match options::parse(options) {
            Ok(options) => options,
            Err(cause) => {
                let cause = format!("{}: {cause}", shown(line));
                return self.refused(Some(number), &cause);
            }
        };
        let hashes = options.hashes.iter();
        self.checksums = hashes.filter_map(|text| Checksum::named(text)).collect();
        // Of what one line says, pip takes the first: a requirement, then -e, -r, -c.
        let mut parts = Vec::new();
        if !text.is_empty() {
            parts.push(Part::Requirement(text));
        }
        parts.extend(options.editables.iter().map(|text| Part::Editable(text)));
        parts.extend(
            options
                .requirements
                .iter()
                .map(|text| Part::Include(text, false)),
        );
        parts.extend(
            options
                .constraints
                .iter()
                .map(|text| Part::Include(text, true)),
        );
        if parts.len() > 1 || !options.others.is_empty() {
            let cause = format!("{}: pip ignores a part of this line", shown(line));
            self.refused(Some(number), &cause);
        }
        match parts.first() {
            None => {}
            Some(Part::Requirement(text)) => {
                let (_, marker) = requirement::split(text);
                if !marker.is_empty() && !marker::is_valid(marker) {
                    let cause = format!("{}: its marker cannot be read", shown(text));
                    self.refused(Some(number), &cause);
                }
                self.requirement(number, text, requirement::read);
            }
            Some(Part::Editable(text)) => {
                self.requirement(number, text, requirement::read_editable);
            }
            Some(Part::Include(named, is_constraints)) => {
                self.include(number, named, *is_constraints);
            }
        }
    }

    fn requirement(&mut self, number: u32, text: &str, read: fn(&str) -> Requirement) {
        if !self.installs {
            return;
        }
        match read(text) {
            Requirement::Project => {}
            Requirement::Pinned(name, version) => self.list(number, &name, &version),
            Requirement::Likely(name, version) => {
                self.list(number, &name, &version);
                let cause = format!("{}: only the archive's name says the version", shown(text));
                self.gap(number, GapKind::ForeignPackage, cause);
            }
            Requirement::Unpinned => {
                let cause = if place::has_variable(text) {
                    format!("{}: the environment says the version", shown(text))
                } else {
                    format!("{} pins no version", shown(text))
                };
                self.gap(number, GapKind::Unpinned, cause);
            }
            Requirement::Foreign => {
                let cause = format!("{} does not say which version it is", shown(text));
                self.gap(number, GapKind::ForeignPackage, cause);
            }
            Requirement::Refused(cause) => {
                self.refused(Some(number), &format!("{}: {cause}", shown(text)));
            }
        }
    }

    fn list(&mut self, number: u32, name: &str, version: &str) {
        let mut package = entry(PackageType::PYPI, &self.path, number, name, version);
        package.scope = self.is_dev.then_some(Scope::Dev);
        package.checksums = std::mem::take(&mut self.checksums);
        self.facts.add(package);
    }

    fn include(&mut self, number: u32, named: &str, is_constraints: bool) {
        let has_scheme = ["http:", "https:", "file:"].iter().any(|scheme| {
            named
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if has_scheme || place::has_variable(named) || named.is_empty() {
            let cause = format!("the included file {} is not read", shown(named));
            return self
                .facts
                .gap(&self.path, Some(number), GapKind::NotRead, cause);
        }
        let parser = if is_constraints {
            &CONSTRAINTS
        } else {
            &INCLUDED
        };
        self.facts.include(Include {
            path: named.into(),
            line: number,
            parser: parser.id,
            family: PARSER.id,
            is_certain: !is_constraints,
        });
    }

    fn refused(&mut self, number: Option<u32>, cause: &str) {
        if self.installs {
            self.facts.malformed(&self.path, number, cause);
        }
    }

    fn gap(&mut self, number: u32, kind: GapKind, cause: String) {
        if self.installs {
            self.facts.gap(&self.path, Some(number), kind, cause);
        }
    }
}

enum Part<'a> {
    Requirement(&'a str),
    Editable(&'a str),
    /// And whether it is a constraints file.
    Include(&'a str, bool),
}
