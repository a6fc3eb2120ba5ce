//! `Gemfile.lock` and `gems.locked` (Bundler): sections with indented specs. Gems of `GEM`,
//! `GIT` and `PLUGIN SOURCE` sections count; those of `PATH` are the project itself. A platform
//! after the version (`1.2.3-x86_64-linux`) is no part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use db_sync::version::Order;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, file_name, has_extension};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::{Package, PackageType};

/// Bundler names a lockfile after its Gemfile, which `BUNDLE_GEMFILE` may choose freely:
/// `Gemfile.next.lock`, `gemfiles/rails_7.gemfile.lock`, `gems.next.rb.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "gemfile-lock",
    wants: &[Want::Extension(".lock"), Want::Extension(".locked")],
    accepts: Some(is_lockfile),
    parse,
    ..Parser::LOCKFILE
};

fn is_lockfile(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let directory = path.rsplit('/').nth(1).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, "lock")) => {
            stem.starts_with("gemfile")
                || stem.ends_with(".gemfile")
                || stem.starts_with("gems.") && has_extension(stem, ".rb")
                || directory.eq_ignore_ascii_case("gemfiles")
        }
        Some((stem, "locked")) => stem.starts_with("gems"),
        _ => false,
    }
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    /// No section has begun.
    Nowhere,
    /// Gems that somebody made.
    Gems,
    /// Gems of the project.
    Project,
    /// What the Gemfile asks for.
    Dependencies,
    /// Digests of all gems.
    Checksums,
    /// Something else.
    Other,
}

fn section(heading: &str) -> Option<Section> {
    Some(match heading {
        "GEM" | "GIT" | "PLUGIN SOURCE" => Section::Gems,
        "PATH" => Section::Project,
        "DEPENDENCIES" => Section::Dependencies,
        "CHECKSUMS" => Section::Checksums,
        "BUNDLED WITH" | "PLATFORMS" | "RUBY VERSION" => Section::Other,
        _ => return None,
    })
}

/// What a merge leaves behind; Bundler refuses a file with any of these.
const CONFLICTS: [&str; 4] = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let mut lockfile = Lockfile {
        path: input.path.into(),
        facts,
        section: Section::Nowhere,
        has_specs: false,
        has_ended: false,
        is_whole: false,
        listed: BTreeSet::from(["bundler".to_owned()]),
        needed: BTreeMap::new(),
        checksums: BTreeMap::new(),
        open: None,
    };
    let mut any = false;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let content = text.trim();
        if content.is_empty() {
            lockfile.has_ended = true;
            continue;
        }
        if CONFLICTS.iter().any(|sign| content.starts_with(sign)) {
            lockfile.facts.extend(lockfile.open);
            return Err(ParseError::at(line, "a merge conflict"));
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
        return Err(ParseError::new("no section of a Gemfile.lock"));
    }
    Ok(())
}

struct Lockfile<'a> {
    path: Arc<str>,
    facts: &'a mut Facts,
    section: Section,
    /// The specs of the section have begun.
    has_specs: bool,
    /// A blank line, which Bundler writes between sections, has followed.
    has_ended: bool,
    /// The last of the sections that every lockfile has was there.
    is_whole: bool,
    listed: BTreeSet<String>,
    /// Gems that others need, with the line of the first need.
    needed: BTreeMap<String, u32>,
    /// By the name and version of a gem; each platform has its own archive.
    checksums: BTreeMap<(String, String), Vec<Checksum>>,
    open: Option<Package>,
}

impl Lockfile<'_> {
    /// Whether the heading is known.
    fn heading(&mut self, content: &str, line: u32) -> bool {
        let section = section(content);
        if section.is_none() {
            let cause = format!("unknown section {}", shown(content));
            self.unjudged(line, cause);
        }
        self.is_whole |= section == Some(Section::Dependencies);
        self.section = section.unwrap_or(Section::Other);
        self.has_specs = false;
        self.has_ended = false;
        section.is_some()
    }

    fn content(&mut self, indent: usize, content: &str, line: u32) {
        if self.section == Section::Dependencies {
            // What the Gemfile asks for.
            let name = content.split([' ', '!']).next().unwrap_or(content);
            let roots = self.facts.roots.get_or_insert_default();
            roots.push(Arc::<str>::from(name).into());
        }
        match indent {
            _ if self.section == Section::Other => {}
            // In a section of the project, the gems of a section without its heading would be lost.
            _ if self.section == Section::Nowhere
                || self.section == Section::Project && self.has_ended =>
            {
                self.unjudged(line, "text without the heading of its section".to_owned());
                self.section = Section::Other;
            }
            // Without the `!` of an own source it may be one for another platform, which Bundler
            // leaves out of the specs.
            _ if self.section == Section::Dependencies && !content.ends_with('!') => {}
            _ if matches!(self.section, Section::Checksums | Section::Dependencies) => {
                self.need(content, line);
                self.checksum(content);
            }
            2 if content == "specs:" => {
                if self.has_specs {
                    // The heading between them is gone, and so what they belong to.
                    let cause = "specs come twice in one section".to_owned();
                    self.unjudged(line, cause);
                }
                self.has_specs = true;
            }
            2 if is_option(content) => {}
            4 => self.spec(content, line),
            6 => {
                if content.matches('(').count() > 1 {
                    let cause = format!("{} are two gems on one line", shown(content));
                    self.facts.malformed(&self.path, Some(line), cause);
                }
                let name = self.need(content, line);
                if let Some(open) = &mut self.open {
                    open.dependencies.push(name.into());
                }
            }
            _ if self.section == Section::Gems => {
                let cause = format!("{} is not where Bundler writes it", shown(content));
                self.facts.malformed(&self.path, Some(line), cause);
            }
            _ => {}
        }
    }

    /// `name (version-platform) sha256=…`; what Bundler has no checksum of has nothing behind it.
    fn checksum(&mut self, content: &str) {
        let parts = content
            .split_once(" (")
            .filter(|_| self.section == Section::Checksums);
        let parts = parts.and_then(|(name, rest)| Some((name, rest.split_once(") ")?)));
        let Some((name, (version, sums))) = parts else {
            return; // nothing is said
        };
        let version = version.split('-').next().unwrap_or(version);
        let key = (name.to_owned(), version.to_owned());
        let sums = sums.split(',').filter_map(Checksum::named);
        self.checksums.entry(key).or_default().extend(sums);
    }

    /// Notes the gem that a line begins with.
    fn need<'a>(&mut self, content: &'a str, line: u32) -> &'a str {
        let name = content.split(' ').next().unwrap_or(content);
        let name = name.trim_end_matches('!');
        self.needed.entry(name.to_owned()).or_insert(line);
        name
    }

    fn unjudged(&mut self, line: u32, cause: String) {
        self.facts
            .unjudged(&self.path, Some(line), GapKind::Malformed, cause);
    }

    /// `name (version)` or `name (version-platform)`.
    fn spec(&mut self, content: &str, line: u32) {
        self.facts.extend(self.open.take());
        let spec = content.trim_end_matches('!').split_once(" (");
        let spec = spec.and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
        let spec = spec.filter(|(_, version)| !version.contains(['(', ')', ' ']));
        let Some((name, version)) = spec else {
            if self.section == Section::Gems {
                let cause = format!("{} has no version", shown(content));
                self.facts.malformed(&self.path, Some(line), cause);
            }
            return;
        };
        self.listed.insert(name.to_owned());
        if self.section != Section::Gems {
            return;
        }
        let version = version.split('-').next().unwrap_or(version);
        if !is_name(name) {
            let cause = format!("{:?} is not the name of a gem", shown(name));
            self.facts.malformed(&self.path, Some(line), cause);
        } else if Order::RubyGems.parse(version).is_err() {
            let cause = format!(
                "gem {name} has the version {:?}, which is not one of RubyGems",
                shown(version)
            );
            self.facts
                .gap(&self.path, Some(line), GapKind::UnknownVersion, cause);
        } else {
            self.open = Some(entry(PackageType::GEM, &self.path, line, name, version));
        }
    }

    /// Bundler lists what every gem needs, and writes what the Gemfile asks for after it.
    fn close(&mut self) {
        self.facts.extend(self.open.take());
        for package in &mut self.facts.packages {
            let key = (package.name.to_string(), package.version.to_string());
            package
                .checksums
                .extend(self.checksums.remove(&key).unwrap_or_default());
        }
        for (name, line) in &self.needed {
            if !self.listed.contains(name) {
                let cause = format!("the gem {} is needed, but not listed", shown(name));
                self.facts.malformed(&self.path, Some(*line), cause);
            }
        }
        if !self.is_whole {
            let cause = "the section DEPENDENCIES is missing: the file may be cut";
            self.facts
                .unjudged(&self.path, None, GapKind::Malformed, cause);
        }
    }
}

/// `remote: …`, `revision: …`.
fn is_option(content: &str) -> bool {
    let key = content.split_once(':').map_or("", |(key, _)| key);
    !matches!(key, "" | "specs")
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Letters, digits and signs, at least one letter (`Gem::Specification::VALID_NAME_PATTERN`).
pub(super) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.bytes().all(known) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::{is_lockfile, is_name};

    #[test]
    fn lockfiles_are_named_after_gemfiles() {
        for path in [
            "Gemfile.lock",
            "x/gemfile.lock",
            "Gemfile.next.lock",
            "Gemfile_next.lock",
            "gemfiles/rails_7.gemfile.lock",
            "rails_7.gemfile.lock",
            "gemfiles/rails7.lock",
            "gems.locked",
            "gems.next.rb.lock",
        ] {
            assert!(is_lockfile(path), "{path}");
        }
        for path in [
            "gems.lock",
            "Gemfile",
            "yarn.lock",
            "a.locked",
            "gemfiles/Gemfile",
            ".lock",
        ] {
            assert!(!is_lockfile(path), "{path}");
        }
    }

    #[test]
    fn names() {
        for name in ["rails", "ruby-progressbar", "a.b_C-1", "-a"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1.0", "a b", "rack\u{200b}", "rack\0", "@a/b"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
