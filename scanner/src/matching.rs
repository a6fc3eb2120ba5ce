//! Packages × database → findings. Owns what a finding says, and the gaps for packages that no
//! advisory source speaks of; how a package is looked up is in `asked`, what is made of a match in
//! `assess`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use db_sync::{Db, Exploitation, FixState, Moment, Undecided};

use crate::inventory::ecosystem;
use crate::model::finding::{Finding, FindingKind, RuleInfo, Vulnerability};
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::Package;
use crate::phrase;
use crate::prefer::{Preference, Shown};

use self::asked::{Asker, Hit};
pub use self::assess::{Assessment, Assessor, LookedUp};

mod asked;
mod assess;
mod yanked;

/// What matching one target's packages gave.
#[derive(Debug, Default)]
pub struct Matched {
    /// One per advisory, package and place.
    pub findings: Vec<Finding>,
    /// Packages that could not be judged.
    pub gaps: Vec<Gap>,
    /// Packages of ecosystems without advisories, by ecosystem.
    pub unspoken: BTreeMap<Arc<str>, Unspoken>,
    /// Packages of types that no advisory source covers, by type.
    pub sourceless: BTreeMap<Arc<str>, Unspoken>,
    /// What the advisories say of themselves, by id.
    pub rules: BTreeMap<Arc<str>, RuleInfo>,
}

/// Matches packages of one target; the caller sets the index of the target. Answers are those of
/// `as_of`, and vulnerabilities have the names that `prefer` says.
pub fn check(
    packages: &[Arc<Package>],
    db: &Db,
    as_of: Option<Moment>,
    prefer: &Preference,
) -> Result<Matched, db_sync::ReadError> {
    let mut matched = Matched::default();
    let mut assessor = Assessor::new(prefer);
    let mut asker = Asker::new(db, as_of);
    // The records of a vulnerability tell which CVEs it is: packages that share them need one
    // answer.
    let mut exploited: BTreeMap<Vec<&str>, Exploitation> = BTreeMap::new();
    for package in packages {
        // The distribution's verdict counts for what the distribution built: its version numbers
        // say nothing about backported fixes.
        if package.owner.is_some() {
            let in_doubt = package.doubt.as_ref();
            if in_doubt.map_or(Ok(true), |doubt| asker.knows(doubt))? {
                continue;
            }
        }
        let Some(ecosystem) = &package.ecosystem else {
            // What is of a distribution, or of a place of its own, has its gap already.
            if !package.kind.is_os() && package.kind.ecosystem().is_none() {
                let word = Arc::from(package.kind.as_str());
                matched.sourceless.entry(word).or_default().add(package);
            }
            continue;
        };
        if package.public && db.is_yanked(&package.name, &package.version)? {
            yanked::add(&mut matched, package);
        }
        let answer = asker.ask(package)?;
        if !answer.covered {
            matched
                .unspoken
                .entry(ecosystem.clone())
                .or_default()
                .add(package);
            // A record from elsewhere may name it: what is known is told.
        }
        matched
            .gaps
            .extend(undecided_gaps(package, &answer.undecided));
        for asked in answer.found {
            let found = &asked.vulnerability;
            let exploitation = if db.info().feeds.is_empty() {
                Exploitation::default()
            } else {
                match exploited.entry(found.merged()) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(place) => *place.insert(found.exploitation(as_of)?),
                }
            };
            let looked_up = LookedUp {
                ecosystem: &asked.ecosystem,
                name: &asked.name,
                version: Some(&asked.version),
            };
            let assessment = assessor.assess(found, looked_up, package, exploitation)?;
            add(&mut matched, &asked, assessment)?;
        }
    }
    Ok(matched)
}

/// Joins the matcheds of several parts of one target's packages.
pub fn join(parts: Vec<Matched>) -> Matched {
    let mut parts = parts.into_iter();
    // The first part, mostly the only one, need not be copied.
    let mut whole = parts.next().unwrap_or_default();
    for part in parts {
        whole.findings.extend(part.findings);
        whole.gaps.extend(part.gaps);
        whole.rules.extend(part.rules);
        for (ecosystem, packages) in part.unspoken {
            whole.unspoken.entry(ecosystem).or_default().join(packages);
        }
        for (word, packages) in part.sourceless {
            whole.sourceless.entry(word).or_default().join(packages);
        }
    }
    let sourceless = std::mem::take(&mut whole.sourceless);
    let gaps = sourceless.into_iter();
    whole
        .gaps
        .extend(gaps.map(|(word, packages)| packages.sourceless(&word)));
    let unspoken = std::mem::take(&mut whole.unspoken);
    whole.gaps.extend(
        unspoken
            .into_iter()
            .map(|(ecosystem, packages)| packages.gap(&ecosystem)),
    );
    whole
}

/// The ecosystems that packages were looked up in and that the database has advisories for.
pub fn ecosystems<'p>(packages: impl Iterator<Item = &'p Package>, db: &Db) -> BTreeSet<Arc<str>> {
    let mut asker = Asker::new(db, None);
    let mut all = BTreeSet::new();
    let mut last = None;
    for package in packages {
        // Packages are sorted by type, and those of no release differ in nothing that is asked
        // here.
        if package.release.is_none() && last == Some(&package.ecosystem) {
            continue;
        }
        last = Some(&package.ecosystem);
        all.extend(asker.ecosystems(package));
    }
    all
}

/// Which packages the database has the advisories for, or those of their owners.
pub fn judged(packages: &[Arc<Package>], db: &Db) -> Vec<bool> {
    let mut asker = Asker::new(db, None);
    let mut last: Option<(&Package, bool)> = None;
    let packages = packages.iter();
    packages
        .map(|package| {
            if package.owner.is_some() && package.doubt.is_none() {
                return true;
            }
            let known = last.filter(|(last, _)| {
                package.release.is_none()
                    && last.release.is_none()
                    && last.ecosystem == package.ecosystem
            });
            let covered = known.map_or_else(|| asker.covers(package), |(_, covered)| covered);
            last = Some((package, covered));
            covered
        })
        .collect()
}

/// The ecosystems of the database that are asked about packages of one, itself first.
pub fn parts(ecosystem: &str, db: &Db) -> Vec<Arc<str>> {
    match ecosystem::named(ecosystem) {
        Some(release) => Asker::new(db, None).parts(&release),
        None => vec![ecosystem.into()],
    }
}

/// Adds a finding for each place of the package, and what the advisory says of itself.
fn add(
    matched: &mut Matched,
    asked: &Hit<'_>,
    assessment: Assessment,
) -> Result<(), db_sync::ReadError> {
    let found = &asked.vulnerability;
    let Assessment {
        shown,
        vulnerability,
    } = assessment;
    let id = shown.id.clone();
    let summary = found.summary()?;
    if !matched.rules.contains_key(&id) {
        let info = rule_info(&shown, &vulnerability, summary);
        matched.rules.insert(id.clone(), info);
    }
    let package = Arc::clone(&vulnerability.package);
    let title: Arc<str> = if summary.is_empty() {
        Arc::from(format!("{id} in {}", package.name))
    } else {
        Arc::from(summary)
    };
    let mut message = message(&id, &vulnerability);
    if let Some(subscription) = ecosystem::subscription(&asked.ecosystem) {
        let _ = write!(
            message,
            "; fixes are for subscribers of {subscription} only"
        );
    }
    let places: Vec<Location> = if package.locations.is_empty() {
        vec![Location::file("")]
    } else {
        package.locations.clone()
    };
    let rated = Arc::clone(&vulnerability.rated);
    for location in places {
        let kind = FindingKind::from(vulnerability.clone());
        matched.findings.push(Finding {
            aliases: shown.aliases.clone().into(),
            severity: rated.severity,
            score: rated.score,
            severity_source: rated.source.clone(),
            title: title.clone(),
            message: message.clone(),
            ..Finding::new(id.clone(), location, kind)
        });
    }
    Ok(())
}

/// What a match tells of its advisory; the stage that describes adds what only the record tells.
fn rule_info(shown: &Shown, vulnerability: &Vulnerability, summary: &str) -> RuleInfo {
    let Shown { id, aliases } = shown;
    let mut help = String::new();
    if !aliases.is_empty() {
        let _ = writeln!(help, "Also known as {}.", aliases.join(", "));
    }
    let mut tags = vec!["security".to_owned(), "vulnerability".to_owned()];
    tags.extend(vulnerability.informational.clone());
    RuleInfo {
        id: id.clone(),
        record: vulnerability.record.clone(),
        title: if summary.is_empty() {
            id.to_string()
        } else {
            summary.to_owned()
        },
        help,
        url: Some(db_sync::advisory_url(id)),
        tags,
    }
}

fn message(id: &str, found: &Vulnerability) -> String {
    let what = match found.informational.as_deref() {
        _ if found.doubt.is_some() => format!("is possibly affected by {id}"),
        Some("notice") => format!("is the subject of the notice {id}"),
        Some(kind) => format!("is {kind}"),
        None => format!("is affected by {id}"),
    };
    let fix = match (found.fixed.first(), found.fix) {
        (Some(fixed), _) => format!("fixed in {fixed}"),
        (None, FixState::WontFix) => "it will not be fixed".to_owned(),
        (None, _) => "no fixed version is known".to_owned(),
    };
    let package = &found.package;
    let version = package.full_version();
    let mut text = format!("{} {version} {what}; {fix}", package.name);
    if let Some(condition) = phrase::condition(&found.scope) {
        let _ = write!(text, "; {condition}");
    }
    if let Some(doubt) = &found.doubt {
        let _ = write!(text, "; {}: {}", doubt.kind.as_str(), doubt.reason);
    }
    text
}

/// Puts the advisories' own texts in front of their help. Texts lie compressed in the database
/// and only some writers show them, so that nobody pays for them unasked.
pub fn add_texts(
    rules: &mut BTreeMap<Arc<str>, RuleInfo>,
    db: &Db,
) -> Result<(), db_sync::ReadError> {
    for rule in rules.values_mut() {
        let details = db.advisory(&rule.record)?.map(|advisory| advisory.details);
        if let Some(details) = details.filter(|details| !details.is_empty()) {
            rule.help = format!("{details}\n\n{}", rule.help);
        }
    }
    Ok(())
}

/// What runs a project's pipelines and is no part of it: all of the project may be judged without.
const BESIDE: &str = "GitHub Actions";

/// Packages of an ecosystem that the database has no advisories for: how many, and the first.
#[derive(Debug, Default)]
pub struct Unspoken {
    count: usize,
    first: Option<Location>,
    /// A lockfile names one of them.
    is_locked: bool,
}

impl Unspoken {
    fn add(&mut self, package: &Package) {
        self.join(Self {
            count: 1,
            first: package.locations.first().cloned(),
            is_locked: package
                .locations
                .iter()
                .any(|place| is_lockfile(&place.path)),
        });
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.is_locked |= other.is_locked;
        self.first = match (self.first.take(), other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn gap(self, ecosystem: &str) -> Gap {
        let gap = Gap::warning(
            Stage::Matching,
            GapKind::NoAdvisories,
            self.first.unwrap_or_else(|| Location::file("")),
            match self.count {
                1 => format!(
                    "the database has no advisories for {ecosystem}; 1 package was not judged"
                ),
                count => format!(
                    "the database has no advisories for {ecosystem}; {count} packages were not judged"
                ),
            },
        );
        if ecosystem == BESIDE {
            return Gap {
                class: GapClass::Partial,
                ..gap
            };
        }
        gap
    }
}

impl Unspoken {
    /// The gap for a type that no database can have advisories for: a lockfile that is not judged is
    /// one as a whole, what is installed or only listed is not.
    fn sourceless(self, word: &str) -> Gap {
        let packages = match self.count {
            1 => "1 package was not judged".to_owned(),
            count => format!("{count} packages were not judged"),
        };
        let cause = format!("no advisory source covers packages of the type {word}; {packages}");
        let place = self.first.unwrap_or_else(|| Location::file(""));
        let gap = Gap::warning(Stage::Matching, GapKind::NoAdvisories, place, cause);
        let class = if self.is_locked {
            gap.class
        } else {
            GapClass::Partial
        };
        Gap { class, ..gap }
    }
}

/// Whether a file is a lockfile by its name.
fn is_lockfile(path: &str) -> bool {
    [".lock", ".snapshot"].iter().any(|end| path.ends_with(end))
}

/// One gap for each cause, however many advisories it keeps from being compared: a version that is
/// none cannot be compared with any.
fn undecided_gaps<'a>(
    package: &'a Package,
    undecided: &'a [Undecided],
) -> impl Iterator<Item = Gap> + 'a {
    let mut causes: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for one in undecided {
        let (_, more) = causes.entry(&one.cause).or_insert((&one.id, 0));
        *more += 1;
    }
    let place = package.locations.first().cloned();
    let place = place.unwrap_or_else(|| Location::file(""));
    causes.into_iter().map(move |(cause, (id, count))| {
        let more = match count {
            1 => String::new(),
            2 => " and one more advisory".to_owned(),
            _ => format!(" and {} more advisories", count - 1),
        };
        Gap::warning(
            Stage::Matching,
            GapKind::UnknownVersion,
            place.clone(),
            format!(
                "{} {} could not be compared with {id}{more}: {cause}",
                package.name,
                package.full_version()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::PackageType;

    #[test]
    fn a_type_without_advisories_is_one_gap() {
        let gap = |paths: &[&str]| {
            let mut all = Unspoken::default();
            for path in paths {
                let package = Package::new(PackageType::COCOAPODS, "a", "1");
                all.add(&package.at(Location::file(*path)));
            }
            all.sourceless("cocoapods")
        };
        let locked = gap(&["b/Podfile.lock", "a/x.json"]);
        assert_eq!(
            (locked.kind, locked.class),
            (GapKind::NoAdvisories, GapClass::Unjudged)
        );
        assert!(locked.cause.ends_with("2 packages were not judged"));
        assert_eq!(&*locked.location.path, "a/x.json");
        assert_eq!(gap(&["a/x.json"]).class, GapClass::Partial);
    }

    #[test]
    fn a_version_that_cannot_be_read_is_one_gap() {
        let package = Package::new(PackageType::PYPI, "a", "latest").at(Location::line("f", 3));
        let undecided = ["A-1", "A-2", "A-3"].map(|id| Undecided {
            id: id.to_owned(),
            cause: "not a version".to_owned(),
        });
        let other = Undecided {
            id: "A-4".to_owned(),
            cause: "an odd bound".to_owned(),
        };
        let all = [&undecided[..], &[other]].concat();
        let gaps: Vec<Gap> = undecided_gaps(&package, &all).collect();
        let causes: Vec<&str> = gaps.iter().map(|gap| &*gap.cause).collect();
        assert_eq!(
            causes,
            [
                "a latest could not be compared with A-4: an odd bound",
                "a latest could not be compared with A-1 and 2 more advisories: not a version",
            ]
        );
        assert_eq!(gaps[0].location.start_line(), Some(3));
    }
}
