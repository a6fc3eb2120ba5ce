//! The raw arguments, as clap reads them; help text comes from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use db_sync::{Moment, Share};

use super::examples;
use super::failure::Failure;
use super::values;
pub(super) use super::values::{Disputed, Only, ReportFile, TextOrJson};
use portcullis::accept::Allowance;
use portcullis::eol::OnEol;
use portcullis::gate::FailOn;
use portcullis::model::finding::Severity;
use portcullis::output::Format;
use portcullis::prefer::{Preference, Prefix};
use portcullis::source::limits;
use portcullis::staleness::{Bound, OnStale};

/// A security gate for CI pipelines: vulnerable packages and misconfigured infrastructure.
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
    Scan(Box<ScanArguments>),
    /// Build, share and query the local advisory database.
    #[command(subcommand)]
    Db(DbCommand),
    /// List, explain and test rules.
    #[command(subcommand)]
    Rules(RulesCommand),
}

#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    /// Directory; single lockfile or Terraform file; image (OCI layout or archive, unpacked root file
    /// system; `-` for an archive on standard input); bill of materials; Terraform plan or state (JSON);
    /// or image reference such as `nginx:1.27`, which is looked up in a running Docker or Podman, then in
    /// its registry. `dir:`, `oci:`, `oci-archive:`, `docker-archive:`, `skopeo-dir:`, `rootfs:`, `sbom:`,
    /// `plan:` or `state:` in front of a path forces the kind; `image:` in front of a reference forces the
    /// registry, `docker:` or `podman:` the engine. `git:DIR@COMMIT` is the tree of a commit.
    #[arg(value_name = "TARGET", default_value = ".")]
    pub(super) targets: Vec<String>,
    /// Report format on stdout.
    #[arg(
        long,
        value_name = "table|json|sarif|cyclonedx|cyclonedx-1.6|cyclonedx-1.7|spdx|spdx-2.3|spdx-3.0",
        default_value = "table"
    )]
    pub(super) format: Format,
    /// Also write a report to a file; may be given several times.
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) reports: Vec<ReportFile>,
    /// Exit with 1 if there are findings of this severity or above. UNKNOWN ranks below LOW.
    #[arg(
        long,
        value_name = "critical|high|medium|low|unknown|none",
        default_value = "high"
    )]
    pub(super) fail_on: FailOn,
    /// Exit with 1 if a vulnerability is listed in CISA KEV, regardless of its severity. The database must
    /// contain the feed.
    #[arg(long)]
    pub(super) fail_on_kev: bool,
    /// Exit with 1 if a vulnerability has this EPSS score (0 to 1) or above, regardless of its severity. The
    /// database must contain the feed.
    #[arg(long, value_name = "SCORE")]
    pub(super) fail_on_epss: Option<Share>,
    /// Do not fail on vulnerabilities without a fixed version.
    #[arg(long)]
    pub(super) ignore_unfixed: bool,
    /// How to treat findings that are only possible (the version is above the last one known to be
    /// affected) or disputed (the ecosystem's own database says that it is not affected): only report
    /// them, or let them fail the run like any other finding.
    #[arg(long, value_name = "report|fail", default_value = "report")]
    pub(super) disputed: Disputed,
    /// Scan only packages, for vulnerabilities and the end of support (`vuln`), or only for
    /// misconfigurations (`misconfig`).
    #[arg(long, value_name = "vuln,misconfig", value_delimiter = ',')]
    pub(super) only: Vec<Only>,
    /// Terraform variable file for root modules, as in `terraform -var-file`; may be given several
    /// times, the last one takes precedence.
    #[arg(long, value_name = "FILE")]
    pub(super) var_file: Vec<PathBuf>,
    /// Platform to scan if an image has several, such as `linux/arm64`; `all` scans every one as a
    /// target of its own.
    #[arg(long, value_name = "OS/ARCH|all")]
    pub(super) platform: Option<String>,
    /// Image that the scanned images were built on, named like a target: the report says which findings
    /// come from its layers and which from the image's own. Without it, another image of the same run
    /// that is the beginning of an image is its base. `annotated` asks registries for the bases that the
    /// images name in their annotations.
    #[arg(long, value_name = "IMAGE|annotated")]
    pub(super) base: Option<String>,
    /// Use the bills of materials and VEX documents that are attached to images (OCI referrers, attestations).
    /// Signatures are not verified: anyone who can push to the repository can suppress findings of its images.
    #[arg(long)]
    pub(super) use_attached: bool,
    /// Directory in which the contents of image layers are kept between runs; defaults to
    /// `PORTCULLIS_CACHE`, then to the user's cache directory.
    #[arg(long, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Store in which machines share the contents of image layers: `s3://BUCKET/PREFIX`,
    /// `gs://BUCKET/PREFIX`, `az://ACCOUNT/CONTAINER/PREFIX` or `https://HOST/PATH`; defaults to
    /// `PORTCULLIS_SHARED_CACHE`. Sign its entries: `PORTCULLIS_CACHE_KEY`.
    #[arg(long, value_name = "URL")]
    pub(super) shared_cache: Option<String>,
    /// Hash image layers on this disk again, even if nothing about the file changed since they were
    /// read.
    #[arg(long)]
    pub(super) verify: bool,
    /// Read every image layer again, and keep nothing.
    #[arg(long)]
    pub(super) no_cache: bool,
    /// Host (`host` or `host:port`) of a registry that is asked over plain http; may be given several
    /// times. This machine always is.
    #[arg(long, value_name = "HOST")]
    pub(super) insecure_registry: Vec<String>,
    /// PEM file with the only certificate authorities that a registry may use.
    #[arg(long, value_name = "FILE")]
    pub(super) registry_ca: Option<PathBuf>,
    /// Fetch only the files that are wanted of layers that have a table of contents (zstd:chunked,
    /// eStargz) in a registry. Programs in them are not looked at, which is a gap; docs/images.md says
    /// what is trusted.
    #[arg(long)]
    pub(super) partial: bool,
    /// Exit with 2 if anything could not be scanned. By default only a target, lockfile, distribution,
    /// ecosystem or document that could not be judged at all does so.
    #[arg(long, conflicts_with = "lenient")]
    pub(super) strict: bool,
    /// Report what could not be scanned, but do not exit with 2 for it. A target or layer that cannot
    /// be read completely still does.
    #[arg(long)]
    pub(super) lenient: bool,
    /// Accept gaps of one kind, everywhere or in paths that match a glob (`not-read=docs/**`): they
    /// are reported, but do not affect the exit code; may be given several times.
    #[arg(long, value_name = "KIND[=GLOB]", value_delimiter = ',')]
    pub(super) allow: Vec<Allowance>,
    /// Exit with 1 if checks of this severity or above are undecided.
    #[arg(long, value_name = "critical|high|medium|low", value_parser = values::severity)]
    pub(super) fail_on_undecided: Option<Severity>,
    /// Memory limit, such as `512M` or `4G`. What does not fit is reported as a gap; an image that does
    /// not fit is refused.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = values::memory)]
    pub(super) memory: u64,
    /// Change a limit of image reading, such as `layer-bytes=8G`; may be given several times. The limits
    /// are listed in docs/options.md. What a limit cuts off is a gap.
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limits::parse)]
    pub(super) limits: Vec<(limits::Name, u64)>,
    /// Also read lockfiles in vendored directories (`vendor/`, virtual environments).
    #[arg(long)]
    pub(super) include_vendored: bool,
    /// Exit with 0 instead of 1 if the policy is violated; never instead of 2.
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Date of the run; defaults to today.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = values::date)]
    pub(super) date: Option<jiff::civil::Date>,
    /// Directory of additional rules, one Markdown file each; may be given several times.
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabasePath,
    /// Refuse any database that does not have this digest.
    #[arg(long, value_name = "sha256:…")]
    pub(super) db_digest: Option<String>,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
    /// Report advisories as outdated if the newest change is more than this many days old; feeds that
    /// the policy uses, too. Defaults to 7. `Hex=400` applies to one ecosystem or feed; may be given
    /// several times.
    #[arg(long, value_name = "[ECOSYSTEM=]DAYS", value_delimiter = ',')]
    pub(super) max_age: Vec<Bound>,
    /// How to treat outdated advisories: warn in every report, exit with 2 as well, or ignore them.
    #[arg(long, value_name = "warn|fail|ignore", default_value = "warn")]
    pub(super) on_stale: OnStale,
    /// How to treat distributions and runtimes that are no longer supported: report them with their
    /// severity, let them fail the run whatever their severity, or ignore them.
    #[arg(long, value_name = "warn|fail|ignore", default_value = "warn")]
    pub(super) on_eol: OnEol,
    /// Table of supported releases (TOML) to use instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) eol: Option<PathBuf>,
    /// VEX document (OpenVEX, CSAF or CycloneDX) with suppressions; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(super) vex: Vec<PathBuf>,
    /// Write the suppressions of this run as an OpenVEX document.
    #[arg(long, value_name = "PATH")]
    pub(super) write_vex: Option<PathBuf>,
    /// Author of the OpenVEX document.
    #[arg(long, value_name = "NAME", default_value = "portcullis")]
    pub(super) vex_author: String,
}

#[derive(Clone, Debug, Args)]
pub(super) struct DatabasePath {
    /// Path of the advisory database; defaults to `PORTCULLIS_DB`, then to the user's cache directory.
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
    /// Update the database from an OSV bucket and other sources.
    #[command(after_help = examples::SYNC)]
    Sync(SyncArguments),
    /// Show digest, sources and counts.
    Status {
        /// Output format.
        #[arg(long, value_name = "table|json", default_value = "table")]
        format: TextOrJson,
        #[command(flatten)]
        database: DatabasePath,
    },
    /// Show the advisories for one package.
    #[command(after_help = examples::QUERY)]
    Query(QueryArguments),
    /// Explain why a package is affected by a vulnerability, or why it is not.
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
    /// Output format.
    #[arg(long, value_name = "table|json", default_value = "table")]
    pub(super) format: TextOrJson,
    #[command(flatten)]
    pub(super) answer: AnswerArguments,
    #[command(flatten)]
    pub(super) database: DatabasePath,
}

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// Id of a vulnerability; with `--report` also a fingerprint or the beginning of one.
    pub(super) finding: String,
    /// The package: its package URL, or ecosystem, name and version.
    #[arg(value_name = "PURL | ECOSYSTEM NAME VERSION", num_args = 0..=3)]
    pub(super) package: Vec<String>,
    /// JSON report of Portcullis that has the finding or package; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Module stream of a modular rpm: leaves out errata about the module's other streams.
    #[arg(long, value_name = "NAME:STREAM")]
    pub(super) module: Option<String>,
    /// Output format.
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
    /// Answer as the database would have on this day, without later records and withdrawals. What a
    /// record said before its last change is not known.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = values::date)]
    pub(super) as_of: Option<jiff::civil::Date>,
    /// Prefer ids with these prefixes, in this order, such as `CVE,GHSA`. By default the id of the
    /// ecosystem's own database is shown, then GHSA, then CVE. Fingerprints stay the same.
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
            .ok_or_else(|| Failure::new(format!("{day} is not a day of the years 1 to 9999")))
    }

    /// Which ids to show.
    pub(super) fn preference(&self) -> Preference {
        Preference::new(&self.prefer_id)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum TransferCommand {
    /// Export the database as one checksummed file; the same database gives the same bytes.
    Export {
        /// The file, such as `advisories.pcdb`.
        file: PathBuf,
        #[command(flatten)]
        database: DatabasePath,
    },
    /// Install a database from an exported file or from a database file.
    Import {
        /// The file.
        file: PathBuf,
        /// Refuse the file unless it is signed with this minisign public key.
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
    /// Install a database from a registry or a static server.
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
    /// Publish only what is signed with this minisign public key.
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
    /// Reference, or HTTP(S) address of an exported file; further ones are mirrors, tried in order.
    #[arg(value_name = "REF|URL", required = true)]
    pub(super) sources: Vec<String>,
    /// Refuse the database unless it is signed with this minisign public key.
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
    /// User name for the first source; defaults to the credentials of docker.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub(super) username: Option<String>,
    /// Read the password from stdin.
    #[arg(long, requires = "username")]
    pub(super) password_stdin: bool,
    /// Allow plain HTTP to other machines.
    #[arg(long)]
    pub(super) insecure: bool,
}

#[derive(Debug, Args)]
pub(super) struct SyncArguments {
    /// A bucket: http(s) or file address, or folder; further ones are mirrors, tried in order.
    #[arg(long, value_name = "URL|DIR", required_unless_present = "offline")]
    pub(super) from: Vec<String>,
    /// Sync this ecosystem (in any letter case) and keep the others; may be given several times.
    /// Defaults to the ecosystems in the database, or to all if there is none.
    #[arg(long, value_name = "NAME")]
    pub(super) ecosystem: Vec<String>,
    /// Remove an ecosystem from the database; may be given several times. Nothing else removes one.
    #[arg(long, value_name = "NAME")]
    pub(super) remove: Vec<String>,
    /// Also sync the ecosystems found in these JSON reports of Portcullis; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "ecosystem")]
    pub(super) report: Vec<PathBuf>,
    /// Download complete archives and rebuild the database.
    #[arg(long)]
    pub(super) full: bool,
    /// Take nothing over from the database that is there: what `db build` means.
    #[arg(skip)]
    pub(super) afresh: bool,
    /// Accept an ecosystem that lost more than a quarter of its advisories since the last sync.
    #[arg(long)]
    pub(super) accept_removals: bool,
    /// Do not access the network: use what was downloaded before.
    #[arg(long, conflicts_with = "full")]
    pub(super) offline: bool,
    /// RustSec's advisory-db: a folder, an archive, or a git repository
    /// (`git+https://…`, `https://….git`); further ones are mirrors, tried in order. If omitted,
    /// the database keeps its records.
    #[arg(long, value_name = "DIR|TARBALL|URL")]
    pub(super) rustsec: Vec<String>,
    /// FIRST's EPSS scores (CSV, plain or gzip); further ones are mirrors. If omitted, the
    /// database keeps its scores.
    #[arg(long, value_name = "URL|FILE")]
    pub(super) epss: Vec<String>,
    /// CISA's KEV catalogue (JSON); mirrors and default as for `--epss`.
    #[arg(long, value_name = "URL|FILE")]
    pub(super) kev: Vec<String>,
    /// A crates.io index, for yanked versions: a git checkout, or a folder of cargo's registry
    /// index with its `.cache`. If omitted, the database keeps its yanked versions.
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
        /// Output format.
        #[arg(long, value_name = "table|json", default_value = "table")]
        format: TextOrJson,
        /// Directory of additional rules; may be given several times.
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Show what a rule checks, why, and how to fix it.
    Explain {
        /// Rule id or alias.
        id: String,
        /// Directory of additional rules; may be given several times.
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Test a directory of rules: run their examples and check names, types and attributes.
    Test {
        /// Directory of rules.
        directory: PathBuf,
    },
}
