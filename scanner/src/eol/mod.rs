//! Distributions and runtimes that their makers no longer support: findings of their own kind,
//! judged by the date of the run against a dated table. Neither how bad the missing updates are, nor
//! packages that a distribution supports, are judged here.
//!
//! The scale, and why it is no higher: a release does not become exploitable on the day its support
//! ends, and what is known of it is a finding with a severity of its own. What the end of support
//! says is that advisories may stop coming. MEDIUM: there are no security updates any more; LOW: who
//! buys extended support does. `--on-eol fail` makes them violations whatever the severity.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use crate::inventory::assemble::Inventory;
use crate::model::facts::{Distribution, Runtime};
use crate::model::finding::{EndOfLife, Finding, FindingKind, RuleInfo, Severity};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::PackageType;
use crate::word::one_of;

mod table;

pub use table::{MAX_BYTES, Product, ProductKind, Release, Table, TableError};

/// The rule of all these findings.
pub const RULE: &str = "end-of-life";

/// What to do about what is no longer supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEol {
    /// Say nothing.
    Ignore,
    /// Report it with its severity, like any other finding.
    Warn,
    /// Let it fail the run, whatever its severity.
    Fail,
}

impl FromStr for OnEol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = [
            ("warn", Self::Warn),
            ("fail", Self::Fail),
            ("ignore", Self::Ignore),
        ];
        one_of(text, &words)
    }
}

/// What a target has that somebody supports.
#[derive(Clone, Debug)]
pub enum Supported {
    /// Its distribution, and the file that names it.
    Distribution(Distribution, Location),
    /// A runtime.
    Runtime(Runtime),
}

/// Findings of one target, without its index, and what the table does not know.
#[derive(Debug, Default)]
pub struct Judged {
    /// One for each release.
    pub findings: Vec<Finding>,
    /// Releases that the table does not have.
    pub gaps: Vec<Gap>,
}

impl Supported {
    /// Where it was found.
    pub const fn location_mut(&mut self) -> &mut Location {
        match self {
            Self::Distribution(_, location) => location,
            Self::Runtime(runtime) => &mut runtime.location,
        }
    }
}

/// What a target has. The standard library of Go is a part of each program of an image; what a
/// `go.mod` names is the oldest release that it builds with, not the one that it is built with.
pub fn of(inventory: &Inventory, is_image: bool) -> Vec<Supported> {
    let mut found = Vec::new();
    if let Some((distribution, file)) = inventory
        .distribution
        .clone()
        .zip(inventory.release_file.clone())
    {
        found.push(Supported::Distribution(distribution, Location::file(file)));
    }
    found.extend(inventory.runtimes.iter().cloned().map(Supported::Runtime));
    if is_image {
        let own = inventory.packages.iter().filter(|package| {
            package.kind == PackageType::GOLANG
                && &*package.name == "stdlib"
                && package.owner.is_none()
        });
        for package in own {
            found.extend(package.locations.iter().map(|location| {
                Supported::Runtime(Runtime {
                    name: "go".into(),
                    maker: None,
                    version: Arc::clone(&package.version),
                    location: location.clone(),
                })
            }));
        }
    }
    found
}

/// Judges what a target has by the day of the run. The same release in several places, as with many
/// programs of one Go release, is one finding at the first of them.
pub fn judge(found: &[Supported], table: &Table, date: &str) -> Judged {
    let mut ended: BTreeMap<(Arc<str>, Arc<str>), (Ended<'_>, usize)> = BTreeMap::new();
    let mut judged = Judged::default();
    for one in found {
        let (products, version, location) = match one {
            Supported::Distribution(distribution, location) => (
                table.of_distribution(distribution),
                // A rolling release has none, and no end.
                distribution.version.as_deref(),
                location,
            ),
            Supported::Runtime(runtime) => (
                table.of_runtime(runtime),
                Some(&*runtime.version),
                &runtime.location,
            ),
        };
        // Products that the table does not have are not judged: docs/end-of-life.md says which
        // they are.
        let (Some(first), Some(version)) = (products.first(), version) else {
            continue;
        };
        let mut known = products.iter();
        let known = known.find_map(|product| Some((*product, product.release(version)?)));
        let Some((product, release)) = known else {
            judged.gaps.push(unknown(first, version, location, table));
            continue;
        };
        let this = Ended {
            product,
            release,
            version,
            location,
        };
        let key = (Arc::clone(&product.id), Arc::clone(&release.cycle));
        let (first, count) = ended.entry(key).or_insert((this, 0));
        *count = count.saturating_add(1);
        if (location, version) < (first.location, first.version) {
            *first = this;
        }
    }
    let all = ended.into_values();
    judged
        .findings
        .extend(all.filter_map(|(one, count)| one.finding(count, date)));
    judged.gaps.sort();
    judged.gaps.dedup();
    judged
}

/// A release that was found, where it was found first.
#[derive(Clone, Copy)]
struct Ended<'a> {
    product: &'a Product,
    release: &'a Release,
    version: &'a str,
    location: &'a Location,
}

impl Ended<'_> {
    /// The finding, if support has ended on a day.
    fn finding(self, count: usize, date: &str) -> Option<Finding> {
        let Self {
            product,
            release,
            version,
            location,
        } = self;
        let ends = release.ends.as_ref().filter(|ends| date > &***ends)?;
        let bought = release.extended.as_ref();
        let bought = bought.filter(|extended| date <= &***extended);
        let severity = if bought.is_some() {
            Severity::Low
        } else {
            Severity::Medium
        };
        let (name, cycle) = (&product.name, &release.cycle);
        let support = product.extended.as_deref().unwrap_or("extended support");
        let mut message = match (bought, &release.extended) {
            (Some(last), _) => format!(
                "{name} {cycle} has had security updates only with {support} since {ends}, until {last}"
            ),
            (None, Some(last)) => format!(
                "{name} {cycle} has had no security updates since {ends}, and {support} ended on {last}"
            ),
            (None, None) => format!("{name} {cycle} has had no security updates since {ends}"),
        };
        if count > 1 {
            let _ = write!(message, " (in {count} places)");
        }
        let kind = FindingKind::EndOfLife(Box::new(EndOfLife {
            product: Arc::clone(&product.id),
            name: Arc::clone(name),
            cycle: Arc::clone(cycle),
            version: version.into(),
            ended: Arc::clone(ends),
            extended: release.extended.clone(),
            page: product.page.clone(),
        }));
        Some(Finding {
            severity,
            severity_source: "rule".into(),
            title: format!("{name} {cycle} is out of support").into(),
            message,
            ..Finding::new(RULE, location.clone(), kind)
        })
    }
}

fn unknown(product: &Product, version: &str, location: &Location, table: &Table) -> Gap {
    let cause = format!(
        "the table of supported releases of {} does not have {} {version}",
        table.checked, product.name
    );
    let place = location.clone();
    Gap::warning(Stage::Matching, GapKind::UnknownVersion, place, cause)
}

/// What the rule says of itself.
pub fn rule() -> RuleInfo {
    RuleInfo {
        id: RULE.into(),
        record: RULE.into(),
        title: "Release is out of support".to_owned(),
        help: "The makers of this distribution or runtime have ended the support of this release. Vulnerabilities that are found in it from then on get no fix, and mostly no advisory either, so that a scan cannot report them.\n\nMove to a release that is supported. Where extended support was bought, a table of your own (`--eol FILE`) can say until when.\n".to_owned(),
        url: None,
        tags: vec!["security".to_owned(), RULE.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ubuntu(version: &str) -> Supported {
        let distribution = Distribution {
            id: "ubuntu".into(),
            version: Some(version.into()),
            ..Distribution::default()
        };
        Supported::Distribution(distribution, Location::file("etc/os-release"))
    }

    #[test]
    fn the_day_decides_and_bought_support_makes_it_low() {
        let table = Table::ours().unwrap();
        for (date, expected) in [
            ("2025-05-31", None),
            ("2025-06-01", Some(Severity::Low)),
            ("2030-04-02", Some(Severity::Low)),
            ("2030-04-03", Some(Severity::Medium)),
        ] {
            let judged = judge(&[ubuntu("20.04")], &table, date);
            let found = judged.findings.first().map(|finding| finding.severity);
            assert_eq!(found, expected, "{date}");
            assert!(judged.gaps.is_empty());
        }
    }

    #[test]
    fn a_release_that_the_table_does_not_have_is_a_gap() {
        let table = Table::ours().unwrap();
        let judged = judge(&[ubuntu("99.04")], &table, "2026-01-01");
        assert!(judged.findings.is_empty());
        assert_eq!(judged.gaps[0].kind, GapKind::UnknownVersion);
        let rolling = Supported::Distribution(
            Distribution {
                id: "arch".into(),
                ..Distribution::default()
            },
            Location::file("etc/os-release"),
        );
        let judged = judge(&[rolling], &table, "2026-01-01");
        assert!(judged.findings.is_empty() && judged.gaps.is_empty());
    }

    #[test]
    fn runtimes_are_judged_by_their_makers() {
        let table = Table::ours().unwrap();
        for (name, maker, version, expected) in [
            ("node", None, "16.20.2", Some("Node.js 16")),
            ("dotnet", None, "3.1.32", Some(".NET Core 3.1")),
            ("dotnet", None, "6.0.25", Some(".NET 6")),
            (
                "java",
                Some("Eclipse Adoptium"),
                "16.0.1",
                Some("Eclipse Temurin 16"),
            ),
            (
                "java",
                Some("Oracle Corporation"),
                "17.0.1",
                Some("OpenJDK builds by Oracle 17"),
            ),
            ("java", Some("Somebody"), "9", None),
            ("ruby", None, "3.0.6", Some("Ruby 3.0")),
            ("go", None, "v1.20.3", Some("Go 1.20")),
            ("python", None, "3.13", None),
        ] {
            let runtime = Supported::Runtime(Runtime {
                name: name.into(),
                maker: maker.map(Arc::from),
                version: version.into(),
                location: Location::file("f"),
            });
            let judged = judge(&[runtime], &table, "2026-08-22");
            let title = judged
                .findings
                .first()
                .map(|finding| finding.title.to_string());
            let expected = expected.map(|name| format!("{name} is out of support"));
            assert_eq!(title, expected, "{name} {version}");
        }
    }

    #[test]
    fn words_of_the_option() {
        assert_eq!("Fail".parse(), Ok(OnEol::Fail));
        assert!("never".parse::<OnEol>().is_err());
    }
}
