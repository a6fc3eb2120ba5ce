//! Packages × database → findings. Owns which name and version of a package is looked up, and
//! the gaps for packages that no advisory source speaks of.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use db_sync::advisory::Scope;
use db_sync::{Db, Match, Moment, Query};

use crate::finding::{Finding, Kind, RuleInfo, Vulnerability};
use crate::gap::{Gap, GapKind, Stage};
use crate::location::Location;
use crate::output::words;
use crate::package::{Package, PackageType};
use crate::rating;

mod yanked;

/// What matching one target's packages gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One per advisory, package and place.
    pub findings: Vec<Finding>,
    /// Packages that could not be judged.
    pub gaps: Vec<Gap>,
    /// Packages of ecosystems without advisories, by ecosystem.
    pub unspoken: BTreeMap<Arc<str>, Unspoken>,
    /// What the advisories say of themselves, by id.
    pub rules: BTreeMap<Arc<str>, RuleInfo>,
}

/// Matches packages of one target; the caller sets the index of the target.
pub fn check(
    packages: &[Arc<Package>],
    db: &Db,
    as_of: Option<Moment>,
) -> Result<Outcome, db_sync::ReadError> {
    let mut outcome = Outcome::default();
    for package in packages {
        // The distribution's verdict counts for what the distribution built: its version numbers
        // say nothing about backported fixes.
        if package.owner.is_some() {
            continue;
        }
        let Some(ecosystem) = &package.ecosystem else {
            continue; // told once per target as `unknown-distribution`
        };
        if package.public && db.is_yanked(&package.name, &package.version)? {
            yanked::add(&mut outcome, package);
        }
        if !db.has_ecosystem(ecosystem) {
            outcome
                .unspoken
                .entry(ecosystem.clone())
                .or_default()
                .add(package);
            continue;
        }
        let (name, version) = looked_up(package);
        let answer = db.query(&Query {
            ecosystem,
            name: &name,
            version: Some(&version),
            as_of,
        })?;
        for undecided in answer.undecided {
            outcome
                .gaps
                .push(undecided_gap(package, &undecided.id, &undecided.cause));
        }
        for found in answer.matches {
            add(&mut outcome, package, &found)?;
        }
    }
    Ok(outcome)
}

/// Joins the outcomes of several parts of one target's packages.
pub fn join(parts: Vec<Outcome>) -> Outcome {
    let mut whole = Outcome::default();
    for part in parts {
        whole.findings.extend(part.findings);
        whole.gaps.extend(part.gaps);
        whole.rules.extend(part.rules);
        for (ecosystem, packages) in part.unspoken {
            whole.unspoken.entry(ecosystem).or_default().join(packages);
        }
    }
    let unspoken = std::mem::take(&mut whole.unspoken);
    whole.gaps.extend(
        unspoken
            .into_iter()
            .map(|(ecosystem, packages)| packages.gap(&ecosystem)),
    );
    whole
}

/// Debian's and Alpine's advisories name source packages, those of the rpm world binary ones.
fn looked_up(package: &Package) -> (Arc<str>, String) {
    match (&package.source, package.kind) {
        (Some(source), PackageType::Deb | PackageType::Apk) => {
            (source.name.clone(), source.version.to_string())
        }
        _ => (package.name.clone(), package.full_version()),
    }
}

fn add(
    outcome: &mut Outcome,
    package: &Arc<Package>,
    found: &Match<'_>,
) -> Result<(), db_sync::ReadError> {
    let id: Arc<str> = Arc::from(found.id);
    let rated = rating::rate(&found.ratings()?);
    let aliases = found.aliases()?;
    let summary = found.summary()?;
    let informational = found.informational()?;
    let scope = found.scope()?;
    if !outcome.rules.contains_key(&id) {
        outcome.rules.insert(
            id.clone(),
            rule_info(found, &aliases, summary, informational),
        );
    }
    let title: Arc<str> = if summary.is_empty() {
        Arc::from(format!("{id} in {}", package.name))
    } else {
        Arc::from(summary)
    };
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let places: Vec<Location> = if package.locations.is_empty() {
        vec![Location::file("")]
    } else {
        package.locations.clone()
    };
    for location in places {
        outcome.findings.push(Finding {
            target: 0,
            rule: id.clone(),
            aliases: aliases.clone(),
            severity: rated.severity,
            score: rated.score,
            severity_source: rated.source.clone(),
            title: title.clone(),
            message: message(package, found, informational, &scope),
            location,
            fingerprint: String::new(),
            kind: Kind::Vulnerability(Vulnerability {
                package: package.clone(),
                fixed: owned(&found.fixed),
                merged: owned(&found.merged()),
                informational: informational.map(str::to_owned),
                scope: scope.clone(),
            }),
            suppressed: None,
        });
    }
    Ok(())
}

fn message(
    package: &Package,
    found: &Match<'_>,
    informational: Option<&str>,
    scope: &Scope,
) -> String {
    let what = match informational {
        Some("notice") => format!("is the subject of the notice {}", found.id),
        Some(kind) => format!("is {kind}"),
        None => format!("is affected by {}", found.id),
    };
    let fix = match found.fixed.first() {
        Some(fixed) => format!("fixed in {fixed}"),
        None => "no fixed version is known".to_owned(),
    };
    let version = package.full_version();
    let mut text = format!("{} {version} {what}; {fix}", package.name);
    if let Some(condition) = words::condition(scope) {
        let _ = write!(text, "; {condition}");
    }
    text
}

/// What a match tells of its advisory; [`add_texts`] adds what only the record itself tells.
fn rule_info(
    found: &Match<'_>,
    aliases: &[String],
    summary: &str,
    informational: Option<&str>,
) -> RuleInfo {
    let mut help = String::new();
    if !aliases.is_empty() {
        let _ = writeln!(help, "Also known as {}.", aliases.join(", "));
    }
    let mut tags = vec!["security".to_owned(), "vulnerability".to_owned()];
    tags.extend(informational.map(str::to_owned));
    RuleInfo {
        id: Arc::from(found.id),
        title: if summary.is_empty() {
            found.id.to_owned()
        } else {
            summary.to_owned()
        },
        help,
        url: Some(found.url()).filter(|url| !url.is_empty()),
        tags,
    }
}

/// Puts the advisories' own texts in front of their help. Texts lie compressed in the database
/// and only some writers show them, so that nobody pays for them unasked.
pub fn add_texts(
    rules: &mut BTreeMap<Arc<str>, RuleInfo>,
    db: &Db,
) -> Result<(), db_sync::ReadError> {
    for rule in rules.values_mut() {
        let details = db.advisory(&rule.id)?.map(|advisory| advisory.details);
        if let Some(details) = details.filter(|details| !details.is_empty()) {
            rule.help = format!("{details}\n\n{}", rule.help);
        }
    }
    Ok(())
}

/// Packages of an ecosystem that the database has no advisories for: how many, and the first.
#[derive(Debug, Default)]
pub struct Unspoken {
    count: usize,
    first: Option<Location>,
}

impl Unspoken {
    fn add(&mut self, package: &Package) {
        self.join(Self {
            count: 1,
            first: package.locations.first().cloned(),
        });
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.first = match (self.first.take(), other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn gap(self, ecosystem: &str) -> Gap {
        Gap::warning(
            Stage::Matching,
            GapKind::NoAdvisories,
            self.first.unwrap_or_else(|| Location::file("")),
            format!(
                "the database has no advisories for {ecosystem}; {} packages were not judged",
                self.count
            ),
        )
    }
}

fn undecided_gap(package: &Package, id: &str, cause: &str) -> Gap {
    Gap::warning(
        Stage::Matching,
        GapKind::UnknownVersion,
        package
            .locations
            .first()
            .cloned()
            .unwrap_or_else(|| Location::file("")),
        format!(
            "{} {} could not be compared with {id}: {cause}",
            package.name,
            package.full_version()
        ),
    )
}
