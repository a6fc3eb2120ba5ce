//! `paket.lock` (fsprojects.github.io/Paket, "The paket.lock file"): sections by where things come
//! from, with a `remote:` each, packages below it and what they need below them; further groups
//! follow. A package of another feed than nuget.org is listed as from elsewhere, and so are files of
//! GitHub, git and http.

use std::sync::Arc;

use super::nuget::{Needs, is_id, package};
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Package;

/// `paket.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "paket-lock",
    wants: &[Want::Name("paket.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    /// No section has begun.
    Nowhere,
    Nuget,
    /// Files of GitHub, git or http, which are no packages.
    Files,
}

/// Settings of a group that stand between the sections.
const OPTIONS: [&str; 14] = [
    "CONTENT",
    "COPY-CONTENT-TO-OUTPUT-DIR",
    "COPY-LOCAL",
    "FRAMEWORK",
    "GENERATE-LOAD-SCRIPTS",
    "IMPORT-TARGETS",
    "LICENSE-DOWNLOAD",
    "LOWEST_MATCHING",
    "OMIT-CONTENT",
    "REDIRECTS",
    "REFERENCES",
    "RESTRICTION",
    "STORAGE",
    "STRATEGY",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let mut lockfile = Lockfile {
        path: input.path.into(),
        facts,
        section: Section::Nowhere,
        remote: String::new(),
        open: None,
        needs: Needs::default(),
        foreign: Foreign::default(),
    };
    let mut any = false;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let content = text.trim();
        if content.is_empty() {
            continue;
        }
        let indent = text.len().saturating_sub(text.trim_start().len());
        if indent == 0 {
            any |= lockfile.heading(content, line);
        } else {
            lockfile.content(indent, content, line);
        }
    }
    lockfile.close();
    if !any {
        return Err(ParseError::new("no section of a paket.lock"));
    }
    Ok(())
}

struct Lockfile<'f> {
    path: Arc<str>,
    facts: &'f mut Facts,
    section: Section,
    remote: String,
    open: Option<Package>,
    needs: Needs,
    foreign: Foreign,
}

impl Lockfile<'_> {
    /// Whether this is the name of a section.
    fn heading(&mut self, content: &str, line: u32) -> bool {
        let open = self.open.take();
        self.facts.extend(open);
        self.remote.clear();
        let option = content.split(':').next().unwrap_or_default().trim_end();
        let (section, is_section) = match content {
            "NUGET" => (Section::Nuget, true),
            "GITHUB" | "GIT" | "HTTP" | "GIST" => (Section::Files, true),
            _ if content.starts_with("GROUP ") => (Section::Nowhere, false),
            _ if OPTIONS.contains(&option) && content.contains(':') => (Section::Nowhere, false),
            _ => {
                let cause = format!("unknown section {}", shown(content));
                let kind = GapKind::Malformed;
                self.facts.unjudged(&self.path, Some(line), kind, cause);
                (Section::Nowhere, false)
            }
        };
        self.section = section;
        is_section
    }

    fn content(&mut self, indent: usize, content: &str, line: u32) {
        if indent <= 2 {
            let open = self.open.take();
            self.facts.extend(open);
            if let Some(remote) = content.strip_prefix("remote:") {
                remote.trim().clone_into(&mut self.remote);
            } else if content != "specs:" {
                self.malformed(line, content);
            }
            return;
        }
        match (self.section, indent) {
            (Section::Nowhere, _) => self.malformed(line, content),
            (_, 3..=4) => {
                let open = self.open.take();
                self.facts.extend(open);
                self.entry(content, line);
            }
            (Section::Nuget, _) => self.need(content, line),
            // What a file of elsewhere needs is listed with the packages.
            (Section::Files, _) => {}
        }
    }

    /// `Name (1.2.3) - settings`.
    fn entry(&mut self, content: &str, line: u32) {
        let parts = content.split_once(" (");
        let parts = parts.and_then(|(name, rest)| {
            let (version, settings) = rest.split_once(')')?;
            let ends = settings.is_empty() || settings.starts_with(" - ");
            Some((name, version)).filter(|_| ends || self.section == Section::Files)
        });
        let Some((name, version)) = parts else {
            return self.malformed(line, content);
        };
        if self.section == Section::Files {
            let source = format!("{}, which is not a package feed", self.remote);
            return self.foreign.note(name, line, &source);
        }
        self.needs.have(name);
        let package = package(&self.path, line, name, version, self.facts);
        if let Some(mut package) = package {
            if self.remote.is_empty() {
                let cause = format!("package {name} has no remote");
                self.facts.malformed(&self.path, Some(line), cause);
            } else if !is_public(&self.remote) {
                let source = format!("the feed {}", self.remote);
                self.foreign.mark(&mut package, line, &source);
            }
            self.open = Some(package);
        }
    }

    /// `Name (>= 1.2.3)` of what the package above needs.
    fn need(&mut self, content: &str, line: u32) {
        let (name, rest) = content.split_once(' ').unwrap_or((content, ""));
        // A range, and settings behind it.
        let settings = match rest.strip_prefix('(') {
            Some(range) => range.split_once(')').map(|(_, settings)| settings),
            None => Some(rest),
        };
        let ends = settings.is_some_and(|text| {
            let text = text.trim_start();
            text.is_empty() || text.starts_with('-')
        });
        if !is_id(name) || !ends {
            return self.malformed(line, content);
        }
        self.needs.need(name, line);
        match &mut self.open {
            Some(package) => package.dependencies.push(name.into()),
            None => self.malformed(line, content),
        }
    }

    fn malformed(&mut self, line: u32, content: &str) {
        let cause = format!("{:?} is not understood here", shown(content));
        self.facts.malformed(&self.path, Some(line), cause);
    }

    fn close(mut self) {
        let open = self.open.take();
        self.facts.extend(open);
        // Edges are written as their packages are.
        let mut names = std::collections::BTreeMap::new();
        for package in &self.facts.packages {
            let lower = package.name.to_ascii_lowercase();
            names
                .entry(lower)
                .or_insert_with(|| Arc::clone(&package.name));
        }
        for package in &mut self.facts.packages {
            for edge in &mut package.dependencies {
                if let Some(name) = names.get(&edge.to_ascii_lowercase()) {
                    *edge = Arc::clone(name);
                }
            }
            package.dependencies.sort();
        }
        self.needs.close(&self.path, self.facts);
        self.foreign.close(&self.path, self.facts);
    }
}

/// Whether a remote is nuget.org.
fn is_public(remote: &str) -> bool {
    let address = remote.split_once("://").map_or("", |(_, rest)| rest);
    let host = address.split(['/', ':', '?']).next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    host == "nuget.org" || host.ends_with(".nuget.org")
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn the_public_feed() {
        for remote in [
            "https://api.nuget.org/v3/index.json",
            "https://www.nuget.org/api/v2",
            "https://nuget.org/api/v2",
        ] {
            assert!(is_public(remote), "{remote}");
        }
        for remote in [
            "",
            "packages",
            "https://nuget.example.org/v3/index.json",
            "https://evilnuget.org/",
            "https://example.org/api.nuget.org",
        ] {
            assert!(!is_public(remote), "{remote}");
        }
    }
}
