//! Runs the pipeline: from a request to a report. The one place that knows the order of the
//! stages; each stage is a function of its own module.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_sync::{Db, Moment};
use rayon::prelude::*;
use rules::language::Ruleset;
use rules::terraform::Options;

use crate::finding::{Finding, Kind, RuleInfo, fingerprint};
use crate::gap::{Gap, GapKind, Stage};
use crate::inventory::assemble::{Inventory, assemble};
use crate::location::Location;
use crate::package::Package;
use crate::report::{Database, DatabaseSource, Report, StaleSource, Target, TargetGap};
use crate::source::SourceError;
use crate::source::directory::{self, DirectoryFiles, Interest};
use crate::source::{ImageKind, Platform, open_image};
use crate::staleness::{self, Staleness};
use crate::target::{self, TargetKind, TargetSpec};
use crate::vex::{self, Statement};
use crate::{matching, misconfig};

/// What the user asked for.
pub struct Request {
    /// What to scan, in the order given.
    pub targets: Vec<TargetSpec>,
    /// Relative paths in reports are relative to this directory.
    pub working_directory: PathBuf,
    /// The date of the run.
    pub date: String,
    /// Look for vulnerable packages.
    pub vulnerabilities: bool,
    /// Look for misconfigured infrastructure.
    pub misconfigurations: bool,
    /// The platform of images with several.
    pub platform: Option<Platform>,
    /// Answer from the database as if it were this moment.
    pub as_of: Option<Moment>,
    /// What to do about sources that were not updated for long.
    pub staleness: Staleness,
    /// VEX statements, of all documents.
    pub statements: Vec<Statement>,
    /// Some writer shows the advisories' own texts.
    pub texts: bool,
    /// `TF_VAR_…` and the workspace.
    pub terraform: Options,
}

/// Where packages get their advisories from; opened only when a package exists.
pub trait Advisories: Sync {
    /// The opened database.
    fn open(&self) -> Result<&Db, Error>;
}

/// Where the rules come from; loaded only when infrastructure code exists.
pub trait Rules: Sync {
    /// The rules of this run.
    fn load(&self) -> Result<&Ruleset, Error>;
}

/// Why a run gives no report at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used.
    #[error("the advisory database {} cannot be used", path.display())]
    Database {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: db_sync::OpenError,
    },
    /// There is no database.
    #[error("there is no advisory database at {}", path.display())]
    NoDatabase {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// The database broke while it was read.
    #[error("the advisory database is damaged")]
    Read(#[from] db_sync::ReadError),
    /// Another database than the one asked for.
    #[error("the advisory database is {found}, not {wanted}")]
    OtherDatabase {
        /// The digest asked for.
        wanted: String,
        /// The digest of the database at hand.
        found: String,
    },
    /// A source that matters is older than the policy allows.
    #[error("the advisories for {} are {} days old (newest change {})", .0.ecosystem, .0.days, .0.newest_modified)]
    Stale(StaleSource),
    /// Rules that cannot be used.
    #[error("{0}")]
    Rules(String),
}

/// A target that could not be scanned: the run goes on with the others, and ends with 2.
#[derive(Debug)]
pub struct TargetFailure {
    /// As the user wrote it.
    pub target: String,
    /// Why.
    pub error: SourceError,
}

/// The report, and the targets that are not in it.
#[derive(Debug)]
pub struct Scanned {
    /// Everything found.
    pub report: Report,
    /// In the order given.
    pub failures: Vec<TargetFailure>,
}

/// One target on its way through the pipeline.
struct Work {
    target: Target,
    inventory: Inventory,
    gaps: Vec<Gap>,
    misconfigurations: Option<misconfig::Outcome>,
}

/// Scans every target of a request. `progress` is told the name of each stage.
pub fn scan(
    request: &Request,
    advisories: &dyn Advisories,
    rules: &dyn Rules,
    progress: &dyn Fn(&str),
) -> Result<Scanned, Error> {
    let mut work = Vec::new();
    let mut failures = Vec::new();
    for spec in &request.targets {
        let shown = target::shown(&spec.path, &request.working_directory);
        progress(&shown);
        match read_target(request, spec, rules)? {
            Ok(found) => work.extend(found),
            Err(error) => failures.push(TargetFailure {
                target: shown,
                error,
            }),
        }
    }
    progress("matching");
    let report = assemble_report(request, advisories, rules, work, &failures)?;
    Ok(Scanned { report, failures })
}

/// Reads one named target; a source tree brings the images that lie in it along.
fn read_target(
    request: &Request,
    spec: &TargetSpec,
    rules: &dyn Rules,
) -> Result<Result<Vec<Work>, SourceError>, Error> {
    let kind = match spec.resolve() {
        Ok(Some(kind)) => kind,
        Ok(None) => {
            return Ok(Err(SourceError::Invalid {
                place: target::shown(&spec.path, &request.working_directory),
                cause: "neither a directory, nor an OCI layout, nor an image archive".to_owned(),
            }));
        }
        Err(source) => {
            return Ok(Err(SourceError::Io {
                path: spec.path.clone(),
                source,
            }));
        }
    };
    match kind {
        TargetKind::Image(image_kind) => Ok(read_image(request, image_kind, &spec.path)),
        TargetKind::Directory => read_directory(request, &spec.path, rules),
    }
}

fn new_target(request: &Request, kind: TargetKind, path: &Path) -> Target {
    let shown = target::shown(path, &request.working_directory);
    let prefix = match kind {
        TargetKind::Directory => target::prefix(path, &request.working_directory),
        TargetKind::Image(_) => String::new(),
    };
    Target {
        id: shown.clone(),
        kind: kind.as_str(),
        path: shown,
        prefix,
        platform: None,
        digest: None,
        distribution: None,
    }
}

/// Reads the images that a layout or archive holds, mostly one.
fn read_image(request: &Request, kind: ImageKind, path: &Path) -> Result<Vec<Work>, SourceError> {
    let target = new_target(request, TargetKind::Image(kind), path);
    if !request.vulnerabilities {
        return Ok(vec![Work {
            target,
            inventory: Inventory::default(),
            gaps: Vec::new(),
            misconfigurations: None,
        }]);
    }
    let images = open_image(kind, path, request.platform.as_ref())?;
    let several = images.len() > 1;
    let works = images.into_iter().enumerate().map(|(index, contents)| {
        let mut target = target.clone();
        if several {
            let name = contents.reference.unwrap_or_else(|| index.to_string());
            target.id = format!("{}#{name}", target.path);
        }
        let inventory = assemble(contents.files);
        target.platform = contents.platform;
        target.digest = contents.digest;
        target.distribution.clone_from(&inventory.distribution);
        Work {
            target,
            inventory,
            gaps: contents.gaps,
            misconfigurations: None,
        }
    });
    Ok(works.collect())
}

fn read_directory(
    request: &Request,
    path: &Path,
    rules: &dyn Rules,
) -> Result<Result<Vec<Work>, SourceError>, Error> {
    let interest = Interest {
        packages: request.vulnerabilities,
        terraform: request.misconfigurations,
    };
    let tree = match directory::read(path, interest) {
        Ok(tree) => tree,
        Err(error) => return Ok(Err(error)),
    };
    let target = new_target(request, TargetKind::Directory, path);
    let misconfigurations = if tree.terraform.is_empty() {
        None
    } else {
        let files = match DirectoryFiles::new(path) {
            Ok(files) => files,
            Err(source) => {
                return Ok(Err(SourceError::Io {
                    path: path.to_path_buf(),
                    source,
                }));
            }
        };
        let ruleset = rules.load()?;
        Some(misconfig::check(
            &files,
            &tree.terraform,
            ruleset,
            &request.terraform,
        ))
    };
    let mut works = vec![Work {
        target,
        inventory: assemble(tree.files),
        gaps: tree.gaps,
        misconfigurations,
    }];
    for image in tree.images {
        let inner = path.join(&image);
        let spec = TargetSpec {
            kind: None,
            path: inner.clone(),
        };
        let read = match spec.resolve() {
            Ok(Some(TargetKind::Image(kind))) => read_image(request, kind, &inner),
            Ok(_) => continue,
            Err(source) => Err(SourceError::Io {
                path: inner,
                source,
            }),
        };
        match read {
            Ok(images) => works.extend(images),
            // The tree itself is readable: a bad image in it is a bad file in it.
            Err(error) => {
                if let Some(tree) = works.first_mut() {
                    tree.gaps.push(Gap::error(
                        Stage::Source,
                        GapKind::Malformed,
                        Location::file(image.as_str()),
                        source_cause(&error),
                    ));
                }
            }
        }
    }
    Ok(Ok(works))
}

/// One line with the causes of a source error, without absolute paths.
pub fn source_cause(error: &SourceError) -> String {
    match error {
        SourceError::Io { source, .. } => source.to_string(),
        SourceError::Invalid { place, cause } => format!("{place}: {cause}"),
    }
}

fn assemble_report(
    request: &Request,
    advisories: &dyn Advisories,
    rules: &dyn Rules,
    work: Vec<Work>,
    failures: &[TargetFailure],
) -> Result<Report, Error> {
    let mut report = Report {
        date: request.date.clone(),
        ..Report::default()
    };
    let mut infos: BTreeMap<Arc<str>, RuleInfo> = BTreeMap::new();
    let any_package = work.iter().any(|work| !work.inventory.packages.is_empty());
    let db = if request.vulnerabilities && any_package {
        Some(advisories.open()?)
    } else {
        None
    };
    report.database = db.map(|db| database(db, request.as_of));
    for (index, work) in work.into_iter().enumerate() {
        let prefix = work.target.prefix.clone();
        let packages: Vec<Arc<Package>> = work
            .inventory
            .packages
            .into_iter()
            .map(|mut package| {
                for location in &mut package.locations {
                    prepend(location, &prefix);
                }
                Arc::new(package)
            })
            .collect();
        let mut gaps: Vec<Gap> = work.gaps;
        gaps.extend(work.inventory.gaps);
        if let Some(outcome) = work.misconfigurations {
            gaps.extend(outcome.gaps);
            report
                .findings
                .extend(outcome.findings.into_iter().map(|mut finding| {
                    finding.target = index;
                    prepend(&mut finding.location, &prefix);
                    finding
                }));
            report
                .undecided
                .extend(outcome.undecided.into_iter().map(|mut undecided| {
                    undecided.target = index;
                    prepend(&mut undecided.location, &prefix);
                    undecided
                }));
            report.checks.passed += outcome.checks.passed;
            report.checks.failed += outcome.checks.failed;
            report.checks.undecided += outcome.checks.undecided;
        }
        report.gaps.extend(gaps.into_iter().map(|mut gap| {
            prepend(&mut gap.location, &prefix);
            TargetGap {
                target: Some(index),
                gap,
            }
        }));
        if let Some(db) = db {
            // Matched after the prefix went in: its locations are final.
            let chunks: Vec<matching::Outcome> = packages
                .par_chunks(256)
                .map(|chunk| matching::check(chunk, db, request.as_of))
                .collect::<Result<_, _>>()?;
            let outcome = matching::join(chunks);
            report
                .findings
                .extend(outcome.findings.into_iter().map(|mut finding| {
                    finding.target = index;
                    finding
                }));
            report
                .gaps
                .extend(outcome.gaps.into_iter().map(|gap| TargetGap {
                    target: Some(index),
                    gap,
                }));
            infos.extend(outcome.rules);
        }
        report
            .packages
            .extend(packages.into_iter().map(|package| (index, package)));
        report.targets.push(work.target);
    }
    for failure in failures {
        report.failed_targets += 1;
        report.gaps.push(TargetGap {
            target: None,
            gap: Gap::error(
                Stage::Source,
                GapKind::Unreadable,
                Location::file(failure.target.as_str()),
                source_cause(&failure.error),
            ),
        });
    }
    if let (Some(db), Some(database)) = (db, &mut report.database) {
        let used = report
            .packages
            .iter()
            .filter_map(|(_, package)| package.ecosystem.clone());
        database.stale =
            staleness::check(db.info(), &used.collect(), &report.date, request.staleness)?;
    }
    if let Some(db) = db.filter(|_| request.texts) {
        matching::add_texts(&mut infos, db)?;
    }
    vex::apply(&mut report, &request.statements);
    describe_rules(&mut report, rules, infos)?;
    finish(&mut report);
    Ok(report)
}

fn prepend(location: &mut Location, prefix: &str) {
    if !prefix.is_empty() {
        location.path = if location.path.is_empty() {
            Arc::from(prefix)
        } else {
            Arc::from(format!("{prefix}/{}", location.path))
        };
    }
}

fn database(db: &Db, as_of: Option<Moment>) -> Database {
    let info = db.info();
    let mut sources: Vec<DatabaseSource> = info
        .sources
        .iter()
        .map(|source| DatabaseSource {
            name: format!("{}/{}", source.kind, source.name),
            digest: source.digest.clone(),
            records: source.records,
            newest_modified: source.newest_modified.clone(),
        })
        .collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Database {
        digest: info.root_digest.clone(),
        sources,
        as_of: as_of.map(|moment| moment.to_string()),
        stale: Vec::new(),
    }
}

/// Adds what the violated rules say of themselves.
fn describe_rules(
    report: &mut Report,
    rules: &dyn Rules,
    mut infos: BTreeMap<Arc<str>, RuleInfo>,
) -> Result<(), Error> {
    let violated: BTreeSet<Arc<str>> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.kind, Kind::Misconfiguration(_)))
        .map(|finding| finding.rule.clone())
        .collect();
    if !violated.is_empty() {
        let ruleset = rules.load()?;
        for id in violated {
            if let Some(rule) = ruleset.find(&id) {
                let tags = vec![
                    "security".to_owned(),
                    "misconfiguration".to_owned(),
                    rule.category.clone(),
                ];
                infos.insert(
                    id.clone(),
                    RuleInfo {
                        id,
                        title: rule.title,
                        help: rule.help,
                        url: None,
                        tags,
                    },
                );
            }
        }
    }
    report.rules = infos.into_values().collect();
    Ok(())
}

/// Sorts every list and gives each finding its fingerprint.
fn finish(report: &mut Report) {
    report.gaps.sort();
    report.gaps.dedup();
    report.undecided.sort();
    report.undecided.dedup();
    report.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for finding in &mut report.findings {
        let id = report
            .targets
            .get(finding.target)
            .map_or("", |target| target.id.as_str());
        let path = &*finding.location.path;
        let base = match &finding.kind {
            Kind::Vulnerability(found) => fingerprint(&[
                "vulnerability",
                id,
                path,
                found.package.kind.as_str(),
                &found.package.name,
                &finding.rule,
            ]),
            Kind::Misconfiguration(found) => {
                fingerprint(&["misconfiguration", id, path, &found.resource, &finding.rule])
            }
        };
        // The same flaw in two versions of one package of one file, or twice in one resource:
        // told apart by their order, which is that of versions and lines.
        let count = seen.entry(base.clone()).or_insert(0);
        *count += 1;
        finding.fingerprint = if *count == 1 {
            base
        } else {
            format!("{base}:{count}")
        };
    }
}

fn order(finding: &Finding) -> impl Ord + '_ {
    let subject: (&str, &str) = match &finding.kind {
        Kind::Vulnerability(found) => (&found.package.name, &found.package.version),
        Kind::Misconfiguration(found) => (&found.resource, ""),
    };
    (
        finding.target,
        &finding.location,
        subject,
        &finding.rule,
        &finding.message,
    )
}
