//! Finds a finding, or a package, in a JSON report of ours. Reads only what it needs of it, and
//! refuses a report that is not ours or too old to say what was looked up.

use std::fmt;
use std::io;
use std::path::Path;

use db_sync::Moment;
use serde::Deserialize;

use super::subject::{self, Subject};
use crate::cli::failure::Failure;
use portcullis::inventory::ecosystem::{self, Names};
use portcullis::named;

/// Most bytes of a report: some 200,000 findings.
const MAX_REPORT: u64 = 512 << 20;
/// Findings that an error names where several fit.
const NAMED: usize = 8;

/// What is read of a report.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct PastReport {
    schema_version: String,
    database: Option<Database>,
    packages: Vec<Package>,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Database {
    digest: String,
    as_of: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    target: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    version: String,
    purl: String,
    ecosystem: Option<String>,
    source: Option<Source>,
    owned_by: Option<String>,
    epoch: Option<u32>,
    #[serde(default)]
    locations: Vec<Location>,
}

#[derive(Debug, Deserialize)]
struct Source {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize)]
struct Location {
    path: String,
}

#[derive(Debug, Deserialize)]
struct Finding {
    target: String,
    kind: String,
    rule_id: String,
    aliases: Vec<String>,
    purl: Option<String>,
    fingerprint: String,
    location: Location,
    suppressed: Option<Suppression>,
}

/// Why a finding does not count; a text in reports before 2.0.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Suppression {
    Text(String),
    Typed {
        by: String,
        source: String,
        status: String,
        justification: Option<String>,
        reason: Option<String>,
    },
}

impl fmt::Display for Suppression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Typed {
                by,
                source,
                status,
                justification,
                reason,
            } => {
                write!(out, "{by} {source}: {status}")?;
                for more in [justification, reason].into_iter().flatten() {
                    write!(out, ", {more}")?;
                }
                Ok(())
            }
        }
    }
}

impl PastReport {
    /// Reads a report; `-` is stdin.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = if path.as_os_str() == "-" {
            named::whole(&mut io::stdin().lock(), MAX_REPORT)
        } else {
            named::read(path, MAX_REPORT)
        }
        .map_err(|error| Failure::io(format!("cannot read {name}"), &error))?;
        Self::parse(&text).map_err(|error| {
            Failure::new(format!("{name} is not a report of this program: {error}"))
                .hint("write one: portcullis scan --report json=report.json")
        })
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let report: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let (major, minor) = report.schema_version.split_once('.').unwrap_or_default();
        match (major, minor.parse::<u32>()) {
            ("1", Ok(1..)) | ("2", Ok(_)) => Ok(report),
            _ => Err(format!(
                "its version is {}, not 1.1 or later",
                report.schema_version
            )),
        }
    }

    /// The ecosystems of its packages, suffixes included.
    pub(in crate::cli) fn ecosystems(self) -> impl Iterator<Item = String> {
        let packages = self.packages.into_iter();
        packages.filter_map(|package| package.ecosystem)
    }

    /// The moment that the report's answers are of, where it is not all that is known.
    pub(super) fn as_of(&self) -> Result<Option<Moment>, Failure> {
        match self.database.as_ref().and_then(|db| db.as_of.as_deref()) {
            None => Ok(None),
            Some(text) => Moment::parse(text)
                .map(Some)
                .ok_or_else(|| Failure::new(format!("the report's as_of {text} is not a time"))),
        }
    }

    /// The advisory and the package of a finding, by its fingerprint, the beginning of it, or any
    /// of its ids.
    pub(super) fn finding(&self, wanted: &str) -> Result<(String, Subject), Failure> {
        let exact: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| finding.fingerprint == wanted)
            .collect();
        let found = if exact.is_empty() {
            let fits = |finding: &&Finding| {
                let print = &finding.fingerprint;
                let bare = print.split_once(':').map_or("", |(_, bare)| bare);
                finding.rule_id == wanted
                    || finding.aliases.iter().any(|alias| alias == wanted)
                    || (!wanted.is_empty()
                        && (print.starts_with(wanted) || bare.starts_with(wanted)))
            };
            self.findings.iter().filter(fits).collect()
        } else {
            exact
        };
        let finding = match found.as_slice() {
            [] => {
                return Err(Failure::new(format!("the report has no finding {wanted}"))
                    .hint("why is something not found? portcullis db why ID PURL --report …"));
            }
            [finding] => *finding,
            several => {
                let mut failure = Failure::new(format!(
                    "{} findings of the report fit {wanted}: name one by its fingerprint",
                    several.len()
                ));
                for finding in several.iter().take(NAMED) {
                    failure = failure.hint(format!(
                        "{} is {} of {} in {}",
                        finding.fingerprint,
                        finding.rule_id,
                        finding.purl.as_deref().unwrap_or("a resource"),
                        finding.location.path
                    ));
                }
                return Err(failure);
            }
        };
        let Some(purl) = finding
            .purl
            .as_deref()
            .filter(|_| finding.kind == "vulnerability")
        else {
            return Err(Failure::new(format!(
                "{} is from a rule, not from an advisory",
                finding.rule_id
            ))
            .hint(format!("portcullis rules explain {}", finding.rule_id)));
        };
        let mut subject = self.subject(
            |package| package.purl == purl && package.target == finding.target,
            purl,
        )?;
        subject.notes.push(format!(
            "found in {}, fingerprint {}",
            finding.location.path, finding.fingerprint
        ));
        if let Some(reason) = &finding.suppressed {
            subject.notes.push(format!("suppressed: {reason}"));
        }
        Ok((finding.rule_id.clone(), subject))
    }

    /// A package of the report by its package URL.
    pub(super) fn package(&self, purl: &str) -> Result<Subject, Failure> {
        self.subject(|package| package.purl == purl, purl)
    }

    fn subject(&self, is_meant: impl Fn(&Package) -> bool, purl: &str) -> Result<Subject, Failure> {
        let package = self
            .packages
            .iter()
            .find(|package| is_meant(package))
            .ok_or_else(|| {
                Failure::new(format!("the report has no package {purl}"))
                    .hint("it must be written as in the report's packages[].purl")
            })?;
        let Some(ecosystem) = &package.ecosystem else {
            return Err(Failure::new(format!(
                "no advisories are known to speak of {purl}: its distribution has none"
            )));
        };
        let mut notes = Vec::new();
        if let Some(location) = package.locations.first() {
            notes.push(format!("listed in {}", location.path));
        }
        if let Some(owner) = &package.owned_by {
            notes.push(format!(
                "a scan leaves it to the advisories about {owner}, the operating-system package that owns its files: its own version says nothing about fixes that the distribution put in"
            ));
        }
        let (name, version) = match &package.source {
            Some(source) if ecosystem::names(ecosystem) == Names::Source => {
                notes.push(format!(
                    "advisories of {ecosystem} name source packages: {} {} was built from {} {}",
                    package.name, package.version, source.name, source.version
                ));
                let version = match package.epoch.filter(|_| package.kind == "rpm") {
                    // Mostly the source's, too: the name of a source rpm has none.
                    Some(epoch) => format!("{epoch}:{}", source.version),
                    None => source.version.clone(),
                };
                (source.name.clone(), version)
            }
            _ => match package.epoch.filter(|_| package.kind == "rpm") {
                Some(epoch) => (package.name.clone(), format!("{epoch}:{}", package.version)),
                None => (package.name.clone(), package.version.clone()),
            },
        };
        let module = package.purl.parse().ok();
        Ok(Subject {
            ecosystem: ecosystem.clone(),
            name,
            version,
            module: module.as_ref().and_then(subject::module),
            purl: Some(package.purl.clone()),
            notes,
            reported_digest: self.database.as_ref().map(|db| db.digest.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> PastReport {
        let finding = |print: &str, rule: &str, purl: &str| {
            format!(
                r#"{{"target": ".", "kind": "vulnerability", "rule_id": "{rule}", "aliases": ["CVE-1"], "purl": "{purl}", "fingerprint": "{print}", "location": {{"path": "lock"}}}}"#
            )
        };
        let text = format!(
            r#"{{"schema_version": "1.1", "database": null, "findings": [{}, {}], "packages": [
                {{"target": ".", "type": "deb", "name": "libssl3", "version": "3+b1", "purl": "pkg:a", "ecosystem": "Debian:12", "source": {{"name": "openssl", "version": "3"}}}},
                {{"target": ".", "type": "rpm", "name": "bash", "version": "5", "epoch": 2, "purl": "pkg:b", "ecosystem": "AlmaLinux:9"}},
                {{"target": ".", "type": "pypi", "name": "pip", "version": "5", "purl": "pkg:c", "ecosystem": null}}]}}"#,
            finding("v1:abcd", "R-1", "pkg:a"),
            finding("v1:abce", "R-2", "pkg:b"),
        );
        PastReport::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_finding_is_found_by_fingerprint_beginning_or_id() {
        let report = report();
        for wanted in ["v1:abcd", "abcd", "v1:abcd", "R-1"] {
            let (id, subject) = report.finding(wanted).unwrap();
            assert_eq!(id, "R-1");
            assert_eq!((&*subject.name, &*subject.version), ("openssl", "3"));
        }
        let (_, subject) = report.finding("abce").unwrap();
        assert_eq!((&*subject.name, &*subject.version), ("bash", "2:5"));
        for wanted in ["abc", "CVE-1", "R-3", ""] {
            assert!(report.finding(wanted).is_err(), "{wanted}");
        }
        assert!(report.package("pkg:c").is_err() && report.package("pkg:d").is_err());
        assert_eq!(report.package("pkg:b").unwrap().ecosystem, "AlmaLinux:9");
    }

    #[test]
    fn a_report_has_a_largest_size() {
        assert_eq!(named::whole(&mut &b"1234"[..], 4).unwrap(), b"1234");
        assert!(named::whole(&mut &b"12345"[..], 4).is_err());
    }

    #[test]
    fn other_documents_are_refused() {
        for text in [
            "",
            "{}",
            r#"{"schema_version": "1.0", "database": null, "findings": [], "packages": []}"#,
        ] {
            assert!(PastReport::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
