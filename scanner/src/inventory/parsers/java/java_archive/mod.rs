//! Java archives, and the archives in them: jar, war and ear files, plug-ins of Jenkins, and what
//! else is a jar by another name.
//!
//! Maven leaves the coordinates in `META-INF/maven/*/*/pom.properties`; each such file is a package,
//! since a shaded jar has those of everything in it. A jar without any is named by its file name and
//! its manifest: neither holds the group that advisories ask for, so that all groups that the manifest
//! and the classes suggest are asked, and the guess is a gap.

mod manifest;
mod named;
mod properties;

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;

use archive::{Archive, Member, MemberError};

use crate::inventory::collect::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, Scope};

use manifest::Manifest;

/// By their extensions.
pub(crate) static PARSER: Parser = Parser {
    id: "java-archive",
    version: 3,
    wants: &[
        Want::Extension(".jar"),
        Want::Extension(".war"),
        Want::Extension(".ear"),
        Want::Extension(".hpi"),
        Want::Extension(".jpi"),
        Want::Extension(".par"),
        Want::Extension(".sar"),
        Want::Extension(".nar"),
        Want::Extension(".kar"),
        Want::Extension(".lpkg"),
    ],
    accepts: None,
    need: Need::Whole(limits::JAVA_ARCHIVE_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// An archive that lies in a source tree ships with it.
pub(crate) static IN_TREES: Parser = Parser {
    id: "java-archive-in-tree",
    need: Need::Whole(limits::JAVA_ARCHIVE_IN_TREE_BYTES),
    evidence: Evidence::Locked,
    parse: parse_in_tree,
    ..PARSER
};

/// Where Maven and Gradle keep the files of tests.
const TESTS: [&str; 2] = ["src/test/", "src/androidTest/"];

/// Extensions that others use, too: only a zip archive counts.
const SHARED: [&str; 5] = ["par", "sar", "nar", "kar", "lpkg"];

/// Archives within archives.
const MAX_DEPTH: usize = 8;

/// Bytes that are inflated of one archive and all in it.
const MAX_INFLATED: usize = 512 << 20;

/// Bytes of a `pom.properties`; Maven writes three lines.
const MAX_PROPERTIES: u64 = 64 << 10;

/// Bytes of a manifest; signed jars have an entry for every file.
const MAX_MANIFEST: u64 = 8 << 20;

/// Where the manifest is.
const MANIFEST: &str = "META-INF/MANIFEST.MF";

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let bytes = input.content.whole()?;
    let extension = extension(input.path);
    if SHARED.contains(&extension.as_str()) && !bytes.starts_with(b"PK") {
        return Ok(());
    }
    let mut walk = Walk { facts, inflated: 0 };
    walk.archive(bytes, input.path, 0)
        .map_err(|fault| match fault {
            Fault::Limit(cause) => ParseError::limit(None, cause),
            Fault::Broken(cause) => ParseError::new(cause),
        })
}

fn parse_in_tree(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let outcome = parse(input, facts);
    let is_of_tests = TESTS
        .iter()
        .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")));
    if is_of_tests {
        for package in &mut facts.packages {
            package.scope = Some(Scope::Dev);
        }
    }
    outcome
}

fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extension.to_ascii_lowercase()
}

/// Whether an entry is an archive of these kinds by its name.
fn is_archive(name: &str) -> bool {
    let extension = extension(name);
    PARSER.wants.iter().any(|want| match want {
        Want::Extension(known) => known.strip_prefix('.') == Some(extension.as_str()),
        _ => false,
    })
}

/// Why an archive or an entry was not read.
enum Fault {
    Limit(String),
    Broken(String),
}

impl From<archive::Error> for Fault {
    fn from(error: archive::Error) -> Self {
        match error {
            archive::Error::Entries(_) => Self::Limit(error.to_string()),
            error => Self::Broken(format!("not a zip archive: {error}")),
        }
    }
}

impl From<MemberError> for Fault {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Limit(cause) => Self::Limit(cause),
            error => Self::Broken(error.to_string()),
        }
    }
}

struct Walk<'f> {
    facts: &'f mut Facts,
    inflated: usize,
}

impl Walk<'_> {
    /// Reads one archive; `path` is its place, with `!/` before what lies in another.
    fn archive(&mut self, bytes: &[u8], path: &str, depth: usize) -> Result<(), Fault> {
        let mut archive = Archive::open(Cursor::new(bytes), limits::JAVA_ARCHIVE)?;
        let members = archive.members();
        let mut coordinates = BTreeSet::new();
        let mut has_properties = false;
        let mut manifest = None;
        let mut places = BTreeSet::new();
        for member in &members {
            if !archive.agrees(member).map_err(archive::Error::Read)? {
                let inside = format!("{path}!/{}", shown(&member.name));
                let cause = "the entry has another name at its place than in the directory";
                self.facts
                    .unjudged(&inside, None, GapKind::Malformed, cause);
            }
            let is_properties = properties::is_name(&member.name);
            let is_nested = is_archive(&member.name);
            has_properties |= is_properties;
            if !is_properties && !is_nested && member.name != MANIFEST {
                continue;
            }
            if !places.insert((member.place(), member.name.as_str())) {
                continue; // the same entry again
            }
            let inside = format!("{path}!/{}", shown(&member.name));
            let most = match (is_properties, is_nested) {
                (true, _) => MAX_PROPERTIES,
                (_, true) => limits::JAVA_ARCHIVE.member_bytes,
                _ => MAX_MANIFEST,
            };
            let content = match self.content(&mut archive, member, most) {
                Ok(content) => content,
                Err(fault) => {
                    self.lost(&inside, fault);
                    continue;
                }
            };
            if is_properties {
                match properties::read(&content) {
                    Ok(found) => {
                        coordinates.insert(found);
                    }
                    Err(cause) => self.lost(&inside, Fault::Broken(cause.to_owned())),
                }
            } else if is_nested {
                self.nested(&content, &inside, depth);
            } else {
                manifest = Some(Manifest::read(&content));
            }
        }
        let place = Location::file(path);
        for (group, artifact, version) in coordinates {
            let name = format!("{group}:{artifact}");
            let package = Package::new(PackageType::MAVEN, name, version).at(place.clone());
            self.facts.add(package);
        }
        if !has_properties {
            self.named(path, &members, manifest.as_ref());
        }
        Ok(())
    }

    fn content(
        &mut self,
        archive: &mut Archive<Cursor<&[u8]>>,
        member: &Member,
        most: u64,
    ) -> Result<Vec<u8>, Fault> {
        let content = archive.read_within(member, most)?;
        self.inflated = self.inflated.saturating_add(content.len());
        if self.inflated > MAX_INFLATED {
            let cause = format!("more than {MAX_INFLATED} bytes in one archive and those in it");
            return Err(Fault::Limit(cause));
        }
        Ok(content)
    }

    fn nested(&mut self, content: &[u8], path: &str, depth: usize) {
        let is_shared = SHARED.contains(&extension(path).as_str());
        if content.is_empty() || is_shared && !content.starts_with(b"PK") {
            return; // it holds nothing, or is a file of another program
        }
        let depth = depth.saturating_add(1);
        let read = if depth > MAX_DEPTH {
            let cause = format!("more than {MAX_DEPTH} archives within each other");
            Err(Fault::Limit(cause))
        } else {
            self.archive(content, path, depth)
        };
        if let Err(fault) = read {
            self.lost(path, fault);
        }
    }

    fn lost(&mut self, path: &str, fault: Fault) {
        let (kind, cause) = match fault {
            Fault::Limit(cause) => (GapKind::Limit, cause),
            Fault::Broken(cause) => (GapKind::Malformed, cause),
        };
        self.facts.unjudged(path, None, kind, cause);
    }

    /// A jar without coordinates. An archive without classes of its own is only what holds others.
    fn named(&mut self, path: &str, members: &[Member], manifest: Option<&Manifest>) {
        let own = |member: &&Member| {
            !["WEB-INF/", "BOOT-INF/"]
                .iter()
                .any(|prefix| member.name.starts_with(prefix))
        };
        let classes = members.iter().filter(own);
        let classes: Vec<&str> = classes
            .map(|member| member.name.as_str())
            // The virtual machine minds the case.
            .filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "class"))
            .collect();
        let Some(found) = named::identify(path, manifest, &classes) else {
            if !classes.is_empty() {
                let cause = "a Java archive that does not say which package and version it is";
                self.facts.gap(path, None, GapKind::UnknownFormat, cause);
            }
            return;
        };
        let mut package = Package::new(PackageType::MAVEN, found.artifact.as_str(), found.version)
            .at(Location::file(path));
        let names = found.groups.iter();
        let names = names.map(|group| Arc::from(format!("{group}:{}", found.artifact)));
        package.candidates = names.collect();
        self.facts.add(package);
        let cause = if found.groups.is_empty() {
            "a Java archive known by its name only: advisories, which name a group, are not matched"
        } else {
            "a Java archive known by its name and manifest: the group that advisories name is a guess"
        };
        self.facts.gap(path, None, GapKind::UnknownFormat, cause);
    }
}

#[cfg(test)]
mod tests;
