//! The raw arguments, as clap reads them; help text comes from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use db_sync::{Moment, Share};

use super::examples;
use super::failure::Failure;
use super::values;
pub(super) use super::values::{Disputed, Only, ReportFile, TextOrJson};
use portcullis::accept::Allowance;
use portcullis::gate::FailOn;
use portcullis::model::finding::Severity;
use portcullis::output::Format;
use portcullis::prefer::{Preference, Prefix};
use portcullis::staleness::{Bound, OnStale};

/// The gate at the end of a CI pipeline.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, about, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan directories and images for vulnerable packages and misconfigured infrastructure.
    #[command(after_help = examples::SCAN)]
    Scan(ScanArguments),
    /// Make, share and question the local advisory database.
    #[command(subcommand)]
    Db(DbCommand),
    /// List, explain and test rules.
    #[command(subcommand)]
    Rules(RulesCommand),
}

#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    /// Directory, image (OCI layout or archive) or Terraform plan (JSON); `dir:`, `oci:`, `oci-archive:`,
    /// `docker-archive:` or `plan:` in front forces the kind.
    #[arg(value_name = "TARGET", default_value = ".")]
    pub(super) targets: Vec<String>,
    /// What goes to stdout.
    #[arg(long, value_name = "table|json|sarif", default_value = "table")]
    pub(super) format: Format,
    /// Write a further report to a file; may be given several times.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) reports: Vec<ReportFile>,
    /// Findings of this severity and above fail the run.
    #[arg(
        long,
        value_name = "critical|high|medium|low|unknown|none",
        default_value = "high"
    )]
    pub(super) fail_on: FailOn,
    /// Flaws listed in KEV fail the run, whatever their severity; the database must have the feed.
    #[arg(long)]
    pub(super) fail_on_kev: bool,
    /// Flaws with this EPSS score and above fail the run, whatever their severity; the database
    /// must have the feed.
    #[arg(long, value_name = "SCORE")]
    pub(super) fail_on_epss: Option<Share>,
    /// Vulnerabilities without a fixed version do not fail the run.
    #[arg(long)]
    pub(super) ignore_unfixed: bool,
    /// What findings do that are only possible (the version is above all that is known to be
    /// affected) or disputed (the ecosystem's own database says otherwise): stand in the report, or
    /// fail the run like any other.
    #[arg(long, value_name = "report|fail", default_value = "report")]
    pub(super) disputed: Disputed,
    /// Look only for these: `vuln`, `misconfig`.
    #[arg(long, value_name = "vuln,misconfig", value_delimiter = ',')]
    pub(super) only: Vec<Only>,
    /// Terraform: a file of values for the variables of root modules, as for `terraform -var-file`;
    /// may be given several times, the last one wins.
    #[arg(long, value_name = "FILE")]
    pub(super) var_file: Vec<PathBuf>,
    /// Platform to take from images with several, such as `linux/arm64`.
    #[arg(long, value_name = "OS/ARCH")]
    pub(super) platform: Option<String>,
    /// Exit with 2 if anything at all could not be scanned; by default only what leaves a target,
    /// lockfile, distribution, ecosystem or document unjudged does so.
    #[arg(long, conflicts_with = "lenient")]
    pub(super) strict: bool,
    /// Report what could not be scanned, and do not exit with 2 for it; a target or layer that
    /// cannot be read whole still does.
    #[arg(long)]
    pub(super) lenient: bool,
    /// Accept gaps of one kind, everywhere or where a glob says (`not-read=docs/**`): they stay in
    /// the report and do not change the exit code; may be given several times.
    #[arg(long, value_name = "KIND[=GLOB]", value_delimiter = ',')]
    pub(super) allow: Vec<Allowance>,
    /// Checks of this severity and above that stay undecided fail the run.
    #[arg(long, value_name = "critical|high|medium|low", value_parser = values::severity)]
    pub(super) fail_on_undecided: Option<Severity>,
    /// Memory that the run may take, such as `512M` or `4G`; what does not fit is reported as a gap,
    /// and an image that does not fit is refused.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = values::memory)]
    pub(super) memory: u64,
    /// Read lockfiles in vendored trees (`vendor/`, virtual environments), too.
    #[arg(long)]
    pub(super) include_vendored: bool,
    /// Exit with 0 where the policy is violated; never instead of 2.
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// The date of the run; today by default.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = values::date)]
    pub(super) date: Option<jiff::civil::Date>,
    /// Further rules, one Markdown file each; may be given several times.
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabasePath,
    /// Refuse every other database than the one with this digest.
    #[arg(long, value_name = "sha256:…")]
    pub(super) db_digest: Option<String>,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
    /// Advisories that did not change for so many days are called old, and so are feeds that the
    /// gate uses: 7 by default. `Hex=400` is for one ecosystem or feed; may be given several times.
    #[arg(long, value_name = "[ECOSYSTEM=]DAYS", value_delimiter = ',')]
    pub(super) max_age: Vec<Bound>,
    /// What to do about old advisories: tell them in every report, end with 2 as well, or say
    /// nothing.
    #[arg(long, value_name = "warn|fail|ignore", default_value = "warn")]
    pub(super) on_stale: OnStale,
    /// VEX statements (OpenVEX, CSAF or CycloneDX); may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(super) vex: Vec<PathBuf>,
    /// Write the suppressions of this run as OpenVEX.
    #[arg(long, value_name = "PATH")]
    pub(super) write_vex: Option<PathBuf>,
    /// Author of the OpenVEX document.
    #[arg(long, value_name = "NAME", default_value = "portcullis")]
    pub(super) vex_author: String,
}

#[derive(Clone, Debug, Args)]
pub(super) struct DatabasePath {
    /// The advisory database; by default `PORTCULLIS_DB`, else the user's cache directory.
    #[arg(long, value_name = "PATH")]
    pub(super) db: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Compile advisories into one local database.
    #[command(after_help = examples::BUILD)]
    Build {
        /// An OSV bucket export: its directory or address, one `all.zip`, or a directory of records;
        /// may be given several times (several addresses are mirrors).
        #[arg(long, value_name = "DIR|URL|ZIP", required_unless_present = "rustsec")]
        osv: Vec<PathBuf>,
        /// A RustSec advisory-db tree.
        #[arg(long, value_name = "DIR")]
        rustsec: Option<PathBuf>,
        /// FIRST's EPSS scores (CSV, plain or gzip).
        #[arg(long, value_name = "FILE")]
        epss: Option<PathBuf>,
        /// CISA's KEV catalogue (JSON).
        #[arg(long, value_name = "FILE")]
        kev: Option<PathBuf>,
        /// A crates.io index, for yanked versions: a git checkout, or a folder of cargo's registry
        /// index with its `.cache`.
        #[arg(long, value_name = "DIR")]
        crates_index: Option<PathBuf>,
        #[command(flatten)]
        database: DatabasePath,
    },
    /// Bring the database up to date from an OSV bucket and other sources.
    #[command(after_help = examples::SYNC)]
    Sync(SyncArguments),
    /// Show digest, sources and counts.
    Status {
        /// table or json
        #[arg(long, value_name = "table|json", default_value = "table")]
        format: TextOrJson,
        #[command(flatten)]
        database: DatabasePath,
    },
    /// Show the advisories for one package.
    #[command(after_help = examples::QUERY)]
    Query(QueryArguments),
    /// Explain why a package is affected by a flaw, or why it is not.
    #[command(after_help = examples::WHY)]
    Why(WhyArguments),
    #[command(flatten)]
    Transfer(TransferCommand),
}

#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    /// OSV ecosystem, such as `crates.io` or `Debian:12`.
    pub(super) ecosystem: String,
    /// Package name (for Debian and Alpine the source package).
    pub(super) name: String,
    /// Version; without it, every advisory for the package.
    pub(super) version: Option<String>,
    /// Module stream of a modular rpm: leaves out errata about the module's other streams.
    #[arg(long, value_name = "NAME:STREAM", requires = "version")]
    pub(super) module: Option<String>,
    /// table or json
    #[arg(long, value_name = "table|json", default_value = "table")]
    pub(super) format: TextOrJson,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
    #[command(flatten)]
    pub(super) database: DatabasePath,
}

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// Id of a flaw; with `--report` also a fingerprint or the beginning of one.
    pub(super) finding: String,
    /// The package: its package URL, or ecosystem, name and version.
    #[arg(value_name = "PURL | ECOSYSTEM NAME VERSION", num_args = 0..=3)]
    pub(super) package: Vec<String>,
    /// A JSON report of ours to take the finding or the package from; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Module stream of a modular rpm: leaves out errata about the module's other streams.
    #[arg(long, value_name = "NAME:STREAM")]
    pub(super) module: Option<String>,
    /// table or json
    #[arg(long, value_name = "table|json", default_value = "table")]
    pub(super) format: TextOrJson,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
    #[command(flatten)]
    pub(super) database: DatabasePath,
}

/// How the database is asked, and under which names it answers.
#[derive(Clone, Debug, Args)]
pub(super) struct AnswerArguments {
    /// Answer as if the database were of this day: later records and withdrawals are left out.
    /// What a record said before its last change is not known.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = values::date)]
    pub(super) as_of: Option<jiff::civil::Date>,
    /// Show the first id of a flaw that begins so, such as `CVE,GHSA`; by default that of the
    /// ecosystem's own database, then GHSA, then CVE. Fingerprints stay the same.
    #[arg(long, value_name = "PREFIX,…", value_delimiter = ',')]
    pub(super) prefer_id: Vec<Prefix>,
}

impl AnswerArguments {
    /// The end of the day that answers are of.
    pub(super) fn moment(&self) -> Result<Option<Moment>, Failure> {
        let Some(day) = self.as_of else {
            return Ok(None);
        };
        Moment::parse(&format!("{day}T23:59:59.999999999Z"))
            .map(Some)
            .ok_or_else(|| Failure::new(format!("{day} is no day of the years 1 to 9999")))
    }

    /// Which ids to show.
    pub(super) fn preference(&self) -> Preference {
        Preference::new(&self.prefer_id)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum TransferCommand {
    /// Write the database as one checksummed file; the same database gives the same bytes.
    Export {
        /// The file, such as `advisories.pcdb`.
        file: PathBuf,
        #[command(flatten)]
        database: DatabasePath,
    },
    /// Take the database from an exported file, or from a database file as it is.
    Import {
        /// The file.
        file: PathBuf,
        /// Refuse the file unless this minisign public key signed it.
        #[arg(long, value_name = "FILE")]
        verify_key: Option<PathBuf>,
        /// The minisign signature; by default the file's name with `.minisig`.
        #[arg(long, value_name = "FILE", requires = "verify_key")]
        signature: Option<PathBuf>,
        #[command(flatten)]
        database: DatabasePath,
    },
    /// Publish the database as an OCI artifact in a registry.
    #[cfg(feature = "registry")]
    #[command(after_help = examples::PUSH)]
    Push(PushArguments),
    /// Take the database from a registry or a static server.
    #[cfg(feature = "registry")]
    #[command(after_help = examples::PULL)]
    Pull(PullArguments),
}

#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(super) struct PushArguments {
    /// The reference, such as `registry.example.org/team/advisories:latest`.
    #[arg(value_name = "REF")]
    pub(super) reference: String,
    /// A minisign signature of the exported file, to publish with it.
    #[arg(long, value_name = "FILE")]
    pub(super) signature: Option<PathBuf>,
    /// Publish only what this minisign public key signed.
    #[arg(long, value_name = "FILE")]
    pub(super) verify_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) login: LoginArguments,
    #[command(flatten)]
    pub(super) database: DatabasePath,
}

#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(super) struct PullArguments {
    /// A reference, or the http(s) address of an exported file; further ones are mirrors, tried
    /// in order.
    #[arg(value_name = "REF|URL", required = true)]
    pub(super) sources: Vec<String>,
    /// Refuse the database unless this minisign public key signed it.
    #[arg(long, value_name = "FILE")]
    pub(super) verify_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) login: LoginArguments,
    #[command(flatten)]
    pub(super) database: DatabasePath,
}

#[cfg(feature = "registry")]
#[derive(Debug, Args)]
pub(super) struct LoginArguments {
    /// Log in to the first source under this name; by default docker's credentials are used.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub(super) username: Option<String>,
    /// Read the password from stdin.
    #[arg(long, requires = "username")]
    pub(super) password_stdin: bool,
    /// Speak plain http with other machines too.
    #[arg(long)]
    pub(super) insecure: bool,
}

#[derive(Debug, Args)]
pub(super) struct SyncArguments {
    /// A bucket: http(s) or file address, or folder; further ones are mirrors, tried in order.
    #[arg(long, value_name = "URL|DIR", required_unless_present = "offline")]
    pub(super) from: Vec<String>,
    /// Sync this ecosystem, in any case, and keep what else the database has; may be given several
    /// times. By default those of the database, else all.
    #[arg(long, value_name = "NAME")]
    pub(super) ecosystem: Vec<String>,
    /// Take an ecosystem out of the database; may be given several times. Nothing else does.
    #[arg(long, value_name = "NAME")]
    pub(super) remove: Vec<String>,
    /// Sync what these JSON reports of ours found, besides what the database has; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "ecosystem")]
    pub(super) report: Vec<PathBuf>,
    /// Load whole archives and compile anew.
    #[arg(long)]
    pub(super) full: bool,
    /// Take nothing over from the database that is there: what `db build` means.
    #[arg(skip)]
    pub(super) afresh: bool,
    /// Take an ecosystem that lost more than a quarter of its advisories since the last sync.
    #[arg(long)]
    pub(super) accept_removals: bool,
    /// Use only what was fetched before.
    #[arg(long, conflicts_with = "full")]
    pub(super) offline: bool,
    /// RustSec's advisory-db: a folder, an archive, or a git repository
    /// (`git+https://…`, `https://….git`); further ones are mirrors, tried in order. Without it,
    /// the database keeps what it has.
    #[arg(long, value_name = "DIR|TARBALL|URL")]
    pub(super) rustsec: Vec<String>,
    /// FIRST's EPSS scores (CSV, plain or gzip); further ones are mirrors. Without it, the
    /// database keeps those that it has.
    #[arg(long, value_name = "URL|FILE")]
    pub(super) epss: Vec<String>,
    /// CISA's KEV catalogue (JSON), in the same way.
    #[arg(long, value_name = "URL|FILE")]
    pub(super) kev: Vec<String>,
    /// A crates.io index, for yanked versions: a git checkout, or a folder of cargo's registry
    /// index with its `.cache`. Without it, the database keeps what it has.
    #[arg(long, value_name = "DIR")]
    pub(super) crates_index: Option<PathBuf>,
    /// Trust only the certificate authorities in this PEM file.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabasePath,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List all rules.
    List {
        /// table or json
        #[arg(long, value_name = "table|json", default_value = "table")]
        format: TextOrJson,
        /// Further rules.
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Show what a rule checks, why, and how to fix it.
    Explain {
        /// Rule id or alias.
        id: String,
        /// Further rules.
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Run the examples in rule files.
    Test {
        /// Directory of rules.
        directory: PathBuf,
    },
}
