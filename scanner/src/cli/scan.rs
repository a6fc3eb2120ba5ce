//! `portcullis scan`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use db_sync::{Db, FeedKind, OpenError};
use rules::input::{Options, VariableFile};
use rules::language::Ruleset;

use super::args::{Only, ScanArguments};
use super::failure::Failure;
use super::progress::Progress;
use super::values::Disputed;
use super::{COULD_NOT_FINISH, cache, ignore_broken_pipe, paths, write};
use portcullis::eol::{self, OnEol};
use portcullis::gate::{self, Decision, GapPolicy, Policy};
use portcullis::model::gap::GapKind;
use portcullis::model::report::Report;
use portcullis::named;
use portcullis::output::{self, Format};
use portcullis::scan::{self, Advisories, Base, Error, Request, Rules, Scanned};
use portcullis::source::Access;
use portcullis::source::limits::Limits;
use portcullis::staleness::{OnStale, Staleness};
use portcullis::target::TargetSpec;
use portcullis::vex;

/// Runs a scan and writes its reports; the verdict alone decides the exit code.
pub(super) fn run(arguments: &ScanArguments) -> Result<u8, Failure> {
    let policy = Policy {
        fail_on: arguments.fail_on,
        fail_on_kev: arguments.fail_on_kev,
        fail_on_epss: arguments.fail_on_epss,
        ignore_unfixed: arguments.ignore_unfixed,
        fail_on_disputed: arguments.disputed == Disputed::Fail,
        fail_on_stale: arguments.on_stale == OnStale::Fail,
        fail_on_eol: arguments.on_eol == OnEol::Fail,
        fail_on_undecided: arguments.fail_on_undecided,
        gaps: match (arguments.strict, arguments.lenient) {
            (true, _) => GapPolicy::Strict,
            (false, true) => GapPolicy::Lenient,
            (false, false) => GapPolicy::Unjudged,
        },
        exit_zero: arguments.exit_zero,
    };
    let path = paths::database(&arguments.database);
    let inputs = read(arguments, &path);
    write::check(written(arguments), &inputs)?;
    let request = request(arguments, &policy)?;
    let database = LazyDatabase {
        path,
        digest: arguments.db_digest.clone(),
        db: OnceLock::new(),
    };
    // A database that the user names must be there, even if nothing needs it.
    if (arguments.database.db.is_some() || arguments.db_digest.is_some()) && request.vulnerabilities
    {
        database.open().map_err(|error| failure(&error))?;
    }
    let rules = LazyRules {
        directories: &arguments.rules,
        rules: OnceLock::new(),
    };
    // So must rules.
    if !arguments.rules.is_empty() {
        rules.load().map_err(|error| failure(&error))?;
    }
    let progress = Progress::start();
    let Scanned { report, failures } =
        scan::scan(&request, &database, &rules, &|stage| progress.stage(stage))
            .map_err(|error| failure(&error))?;
    drop(progress);
    let verdict = gate::judge(&report, &policy);
    for failed in &failures {
        let rendered = Failure::from_error(&failed.error);
        let _ = rendered.render(&mut io::stderr().lock());
    }
    for kind in gate::missing_feeds(&report, &policy) {
        let _ = missing_feed(kind, &report).render(&mut io::stderr().lock());
    }
    too_old(&report, &policy);
    no_database(&report, &database.path);
    let lost = write_all(arguments, &inputs, &report, &verdict);
    // The process ends here: the system takes a large report back faster than it is taken apart.
    std::mem::forget((report, rules));
    for failure in &lost {
        let _ = failure.render(&mut io::stderr().lock());
    }
    if !lost.is_empty() {
        return Ok(COULD_NOT_FINISH);
    }
    Ok(verdict.exit_code)
}

/// The files that a run writes.
fn written(arguments: &ScanArguments) -> impl Iterator<Item = &Path> {
    let reports = arguments.reports.iter().map(|file| file.path.as_path());
    reports.chain(arguments.write_vex.as_deref())
}

/// What a run reads.
fn read(arguments: &ScanArguments, database: &Path) -> write::Inputs {
    let targets = arguments.targets.iter();
    let targets: Vec<_> = targets.map(|text| TargetSpec::parse(text).path).collect();
    let targets = targets.iter().map(PathBuf::as_path);
    let files = arguments.vex.iter().chain(&arguments.rules);
    let files = files.chain(&arguments.eol);
    write::Inputs::new(targets.chain(files.map(PathBuf::as_path)).chain([database]))
}

/// Writes every report; one that fails keeps no other from being written.
fn write_all(
    arguments: &ScanArguments,
    inputs: &write::Inputs,
    report: &Report,
    verdict: &Decision,
) -> Vec<Failure> {
    let vex = arguments.write_vex.iter().map(|path| {
        write::replace(path, inputs, |out| {
            vex::write_openvex(report, &arguments.vex_author, out)
        })
    });
    let files = arguments.reports.iter().map(|file| {
        write::replace(&file.path, inputs, |out| {
            output::write(
                file.format,
                report,
                verdict,
                output::Options::default(),
                out,
            )
        })
    });
    let stdout = std::iter::once_with(|| write_stdout(arguments.format, report, verdict));
    vex.chain(files)
        .chain(stdout)
        .filter_map(Result::err)
        .collect()
}

/// Tells what is older than the policy allows, and what mends it.
fn too_old(report: &Report, policy: &Policy) {
    let old = gate::too_old(report, policy);
    for (number, source) in old.iter().enumerate() {
        let mut failure = Failure::new(source.told());
        if number.saturating_add(1) == old.len() {
            failure = failure.hint("update: portcullis db sync (a feed: with --epss or --kev), or allow more: --max-age ECOSYSTEM=DAYS");
        }
        let _ = failure.render(&mut io::stderr().lock());
    }
}

/// Says what to run where packages were found and there is no database.
fn no_database(report: &Report, path: &Path) {
    let mut gaps = report.gaps.iter();
    if gaps.any(|entry| entry.gap.kind == GapKind::NoDatabase) {
        let missing = Error::NoDatabase {
            path: path.to_path_buf(),
        };
        let _ = failure(&missing).render(&mut io::stderr().lock());
    }
}

/// Why the gate could not use a feed, and what mends it.
fn missing_feed(kind: FeedKind, report: &Report) -> Failure {
    let feeds = report.database.iter().flat_map(|database| &database.feeds);
    let later = feeds.into_iter().find(|feed| feed.info.kind == kind);
    let (flag, option) = match kind {
        FeedKind::Epss => ("--fail-on-epss", "--epss"),
        FeedKind::Kev => ("--fail-on-kev", "--kev"),
    };
    match later {
        Some(feed) => Failure::new(format!(
            "{flag} cannot be judged: the {kind} feed of the database is of {}, after the day of --as-of",
            feed.info.date
        ))
        .hint("earlier ones are not kept: use the database of that day"),
        None => Failure::new(format!(
            "{flag} cannot be judged: the database has no {kind} feed"
        ))
        .hint(format!(
            "add one: portcullis db sync {option} URL|FILE, or portcullis db build {option} FILE"
        )),
    }
}

fn request(arguments: &ScanArguments, policy: &Policy) -> Result<Request, Failure> {
    let working_directory = std::env::current_dir()
        .map_err(|error| Failure::io("cannot tell the working directory", &error))?;
    let platform = match &arguments.platform {
        Some(text) => Some(text.parse().map_err(|_| {
            Failure::new(format!("{text} is not a platform"))
                .hint("write it as os/arch, such as linux/arm64, or all")
        })?),
        None => None,
    };
    let date = arguments.date.unwrap_or_else(|| {
        jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
    });
    let mut statements = Vec::new();
    for path in &arguments.vex {
        statements.extend(vex::load(path).map_err(|error| Failure::from_error(&error))?);
    }
    let wants = |only| arguments.only.is_empty() || arguments.only.contains(&only);
    Ok(Request {
        targets: arguments
            .targets
            .iter()
            .map(|text| TargetSpec::parse(text))
            .collect(),
        working_directory,
        date: date.to_string(),
        vulnerabilities: wants(Only::Vuln),
        misconfigurations: wants(Only::Misconfig),
        cache: cache::of(arguments)?,
        access: Access {
            insecure: arguments.insecure_registry.clone(),
            ca_file: arguments.registry_ca.clone(),
            partial: arguments.partial,
            docker_host: std::env::var("DOCKER_HOST")
                .ok()
                .filter(|host| !host.is_empty()),
            attached: arguments.use_attached,
        },
        platform,
        base: arguments.base.as_deref().map(Base::parse),
        as_of: arguments.answer.moment()?,
        prefer: arguments.answer.preference(),
        staleness: Staleness {
            bounds: arguments.max_age.clone(),
            on_stale: arguments.on_stale,
        },
        supported: supported(arguments)?,
        feeds: policy.feeds(),
        statements,
        texts: arguments.format == Format::Sarif
            || arguments
                .reports
                .iter()
                .any(|file| file.format == Format::Sarif),
        allow: arguments.allow.clone(),
        memory: arguments.memory,
        limits: arguments
            .limits
            .iter()
            .fold(Limits::default(), |all, (name, value)| {
                all.with(*name, *value)
            }),
        include_vendored: arguments.include_vendored,
        terraform: terraform_options(&arguments.var_file)?,
    })
}

/// The table of releases: the user's instead of ours, where there is one.
fn supported(arguments: &ScanArguments) -> Result<Option<eol::Table>, Failure> {
    if arguments.on_eol == OnEol::Ignore {
        return Ok(None);
    }
    let Some(path) = &arguments.eol else {
        let ours = eol::Table::ours();
        return ours.map(Some).map_err(|error| Failure::from_error(&error));
    };
    let shown = path.to_string_lossy();
    let bytes = named::read(path, eol::MAX_BYTES)
        .map_err(|error| Failure::io(format!("cannot read --eol {shown}"), &error))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::new(format!("--eol {shown} is not UTF-8")))?;
    let table = eol::Table::parse(text)
        .map_err(|error| Failure::new(format!("--eol {shown} cannot be used: {error}")))?;
    Ok(Some(table))
}

/// `TF_VAR_name`, `TF_WORKSPACE` and `--var-file`, as Terraform reads them. A value that is not
/// text would silently leave a default in its place, and is refused.
fn terraform_options(variable_files: &[PathBuf]) -> Result<Options, Failure> {
    let mut options = Options::default();
    for path in variable_files {
        let shown = path.to_string_lossy();
        let bytes = named::read(path, rules::terraform::MAX_FILE_BYTES as u64)
            .map_err(|error| Failure::io(format!("cannot read --var-file {shown}"), &error))?;
        let real = path.canonicalize().ok();
        let file = VariableFile::new(&shown, bytes, real.as_deref())
            .map_err(|cause| Failure::new(format!("--var-file cannot be used: {cause}")))?;
        options.variable_files.push(file);
    }
    for (name, value) in std::env::vars_os() {
        let Some(name) = name
            .to_str()
            .filter(|name| *name == "TF_WORKSPACE" || name.starts_with("TF_VAR_"))
        else {
            continue;
        };
        let Ok(value) = value.into_string() else {
            return Err(Failure::new(format!(
                "the environment variable {name} is not UTF-8"
            )));
        };
        match name.strip_prefix("TF_VAR_") {
            Some(variable) => {
                options.environment.insert(variable.to_owned(), value);
            }
            None if value.is_empty() => {}
            None => options.workspace = Some(value),
        }
    }
    Ok(options)
}

/// Opens the database at its first use.
struct LazyDatabase {
    path: PathBuf,
    digest: Option<String>,
    db: OnceLock<Db>,
}

impl Advisories for LazyDatabase {
    fn open(&self) -> Result<&Db, Error> {
        if let Some(db) = self.db.get() {
            return Ok(db);
        }
        let db = open_database(&self.path)?;
        if let Some(wanted) = &self.digest {
            let found = &db.info().root_digest;
            if wanted != found {
                return Err(Error::OtherDatabase {
                    wanted: wanted.clone(),
                    found: found.clone(),
                });
            }
            // The name is a claim; a pinned database is read whole once.
            db.verify()?;
        }
        Ok(self.db.get_or_init(|| db))
    }
}

/// Opens a database, telling "not there" from "not usable".
pub(super) fn open_database(path: &Path) -> Result<Db, Error> {
    Db::open(path).map_err(|source| match source {
        OpenError::Missing { path } => Error::NoDatabase { path },
        source => Error::Database {
            path: path.to_path_buf(),
            source,
        },
    })
}

/// Loads the rules at their first use.
struct LazyRules<'a> {
    directories: &'a [PathBuf],
    rules: OnceLock<Ruleset>,
}

impl Rules for LazyRules<'_> {
    fn load(&self) -> Result<&Ruleset, Error> {
        if let Some(rules) = self.rules.get() {
            return Ok(rules);
        }
        let rules = load_rules(self.directories).map_err(Error::Rules)?;
        Ok(self.rules.get_or_init(|| rules))
    }
}

/// The embedded rules with those of further directories.
pub(super) fn load_rules(directories: &[PathBuf]) -> Result<Ruleset, String> {
    let mut ruleset = Ruleset::embedded();
    for directory in directories {
        rules::pack::add(&mut ruleset, directory).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            lines.join("; ")
        })?;
    }
    Ok(ruleset)
}

/// Renders an error of the pipeline with the command that mends it.
pub(super) fn failure(error: &Error) -> Failure {
    let rendered = Failure::from_error(error);
    match error {
        Error::NoDatabase { path } | Error::Database { path, .. } => {
            let path = path.display();
            rendered
                .hint(format!("build one: portcullis db build --osv DIR --db {path}"))
                .hint(format!("or fetch one: portcullis db sync --from URL --db {path}, portcullis db pull REF --db {path}"))
        }
        Error::Read(_) => rendered.hint("rebuild it: portcullis db sync --full"),
        Error::OtherDatabase { .. } | Error::Rules(_) => rendered,
    }
}

fn write_stdout(format: Format, report: &Report, verdict: &Decision) -> Result<(), Failure> {
    let terminal = io::stdout().is_terminal();
    let options = output::Options {
        width: std::env::var("COLUMNS")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(output::Options::DEFAULT_WIDTH),
        colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    output::write(format, report, verdict, options, &mut out)
        .and_then(|()| out.flush())
        .or_else(ignore_broken_pipe)
        .map_err(|error| Failure::io("cannot write the report", &error))
}
