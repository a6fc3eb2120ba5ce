//! A report with one of everything, and with text that tries to deceive.

use std::sync::Arc;

use db_sync::{Cve, Day, Epss, Exploitation, FeedInfo, FeedKind, Kev};
use portcullis::inventory::Distribution;
use portcullis::model::coverage::{Coverage, Files, Judged, Layers, SkipRule, Terraform};
use portcullis::model::finding::{
    EndOfLife, Finding, FindingKind, Misconfiguration, RuleInfo, Severity, Vulnerability,
    fingerprint,
};
use portcullis::model::gap::{Gap, GapKind, Stage};
use portcullis::model::location::{Layer, Location, Region};
use portcullis::model::package::{Package, PackageType, Scope, SourcePackage};
use portcullis::model::report::{
    Checks, Database, DatabaseSource, Feed, Report, StaleSource, Target, TargetGap, Undecided,
};
use portcullis::model::suppression::UnmatchedSuppression;
use portcullis::model::suppression::{Origin, Status, Suppression};
use portcullis::model::target::{ImageKind, TargetKind};

/// Escape sequences, direction marks, Markdown, HTML and a mention.
pub(crate) const NASTY: &str =
    "\u{1b}[31mred\u{202e} <img src=x> [a](https://evil.example) @team `x`";

pub(crate) fn report() -> Report {
    let (packages, mut findings) = vulnerabilities();
    findings.extend(misconfigurations());
    findings.push(end_of_life());
    findings
        .sort_by(|a, b| (a.target, &a.location, &a.rule).cmp(&(b.target, &b.location, &b.rule)));
    let gap = |target, gap| TargetGap {
        target,
        gap,
        accepted: target == Some(1),
    };
    Report {
        unmatched_suppressions: vec![UnmatchedSuppression {
            source: "vex.json".into(),
            statement: "CVE-2026-1\u{202e} of pkg:npm/left".to_owned(),
            reason: "no finding has this id".to_owned(),
        }],
        date: "2026-03-01".to_owned(),
        database: Some(Database {
            digest: "sha256:dddd".to_owned(),
            sources: vec![DatabaseSource {
                name: "osv/crates.io".to_owned(),
                digest: "sha256:eeee".to_owned(),
                records: 12,
                newest_modified: Some("2026-02-28T00:00:00Z".to_owned()),
            }],
            feeds: vec![feed(FeedKind::Epss), feed(FeedKind::Kev)],
            as_of: Some("2026-02-20T00:00:00Z".to_owned()),
            stale: vec![StaleSource {
                ecosystem: "Debian:12".to_owned(),
                newest_modified: Some("2026-02-01T00:00:00Z".to_owned()),
                newest_listed: Some("2026-02-28T00:00:00Z".to_owned()),
                days: Some(28),
            }],
        }),
        targets: targets(),
        packages,
        rules: rules(&findings),
        findings,
        undecided: vec![Undecided {
            target: 0,
            rule: "aws-s3-bucket-unversioned".into(),
            severity: Severity::Medium,
            resource: "aws_s3_bucket.logs".into(),
            location: Location::line("main.tf", 20),
            cause: "var.versioning has no value".to_owned(),
        }],
        gaps: vec![
            gap(
                None,
                Gap::warning(
                    Stage::Matching,
                    GapKind::NoAdvisories,
                    Location::file(""),
                    "no advisories for Hex",
                ),
            ),
            gap(
                Some(0),
                Gap::error(
                    Stage::Evaluation,
                    GapKind::Syntax,
                    Location::line("bad file.tf", 3),
                    format!("expected `}}` {NASTY}"),
                ),
            ),
            gap(
                Some(1),
                Gap::warning(
                    Stage::Source,
                    GapKind::EscapingPath,
                    Location {
                        layer: Some(layer(1)),
                        ..Location::file("../../etc/passwd")
                    },
                    "link leaves the root",
                ),
            ),
        ],
        checks: Checks {
            passed: 5,
            failed: 2,
            undecided: 1,
        },
        failed_targets: 0,
        repeated_targets: vec!["build".to_owned()],
        cache_notes: Vec::new(),
    }
}

fn tree_ledger() -> Coverage {
    let mut files = Files::default();
    files.read();
    files.read();
    files.unreadable();
    files.skip(SkipRule::NotRecognised, 40);
    files.skip(SkipRule::Vendored, 2);
    files.skip_directory("node_modules");
    let judged = Judged {
        judged: 2,
        not_judged: 1,
    };
    Coverage {
        files,
        packages: [("crates.io".into(), judged)].into(),
        terraform: Terraform {
            roots: 1,
            modules_resolved: 1,
            modules_unresolved: 1,
        },
        layers: Layers::default(),
    }
}

fn image_ledger() -> Coverage {
    let mut coverage = Coverage::default();
    coverage.files.read();
    coverage.layers.whole = 1;
    coverage.layers.cut = 1;
    coverage
}

fn targets() -> Vec<Target> {
    vec![
        Target {
            coverage: tree_ledger(),
            ..Target::new(TargetKind::Directory, ".")
        },
        Target {
            platform: Some("linux/amd64".to_owned()),
            digest: Some("sha256:abcd".to_owned()),
            distribution: Some(Distribution {
                id: "debian".into(),
                version: Some("12".into()),
                name: Some("Debian GNU/Linux 12 (bookworm)".into()),
                ..Distribution::default()
            }),
            other_platforms: vec!["linux/arm64".to_owned()],
            coverage: image_ledger(),
            ..Target::new(TargetKind::Image(ImageKind::DockerArchive), "build/app.tar")
        },
    ]
}

fn feed(kind: FeedKind) -> Feed {
    Feed {
        info: FeedInfo {
            kind,
            date: "2026-02-19".to_owned(),
            version: "v1\u{202e}".to_owned(),
            digest: "sha256:ffff".to_owned(),
            entries: 3,
        },
        used: true,
    }
}

fn exploitation() -> Exploitation {
    let cve = Cve::parse("CVE-2026-1000").unwrap();
    let day = |text| Day::parse(text).unwrap();
    Exploitation {
        epss: Some(Epss {
            score: "0.94999".parse().unwrap(),
            percentile: "0.999".parse().unwrap(),
            cve,
            date: day("2026-02-19"),
        }),
        kev: Some(Kev {
            cve,
            date_added: Some(day("2026-01-10")),
            due_date: None,
            ransomware: true,
        }),
    }
}

/// A suppression with this text in all of its parts.
pub(crate) fn suppression(text: &str) -> Suppression {
    let by = Suppression::new(Origin::Vex, text, Status::NotAffected);
    by.because(Some(text), Some(text))
}

fn layer(index: u32) -> Arc<Layer> {
    Arc::new(Layer {
        index,
        digest: format!("sha256:{index:064}").into(),
        diff_id: format!("sha256:{index:063}f").into(),
    })
}

pub(crate) fn vulnerability(
    target: usize,
    id: &str,
    package: &Arc<Package>,
    severity: Severity,
) -> Finding {
    let location = package
        .locations
        .first()
        .cloned()
        .unwrap_or_else(|| Location::file("none"));
    let kind = FindingKind::from(Vulnerability {
        merged: vec![id.to_owned()],
        ..Vulnerability::new(Arc::clone(package), id)
    });
    Finding {
        target,
        aliases: vec![format!("CVE-2026-{}", id.len())].into(),
        severity,
        severity_source: "own CVSS_V3".into(),
        title: format!("Vulnerability in {}", package.name).into(),
        message: format!("{} {} is affected by {id}", package.name, package.version),
        fingerprint: fingerprint(&[id, "any", &location.path, &package.name]),
        ..Finding::new(id, location, kind)
    }
}

fn vulnerabilities() -> (Vec<(usize, Arc<Package>)>, Vec<Finding>) {
    let old = Arc::new(
        Package::new(PackageType::CARGO, "tar", "0.3.0").at(Location::line("Cargo.lock", 7)),
    );
    let new = Arc::new(
        Package::new(PackageType::CARGO, "tar", "0.4.0").at(Location::line("Cargo.lock", 13)),
    );
    let scoped = Arc::new(Package {
        scope: Some(Scope::Dev),
        direct: Some(true),
        ..Package::new(PackageType::NPM, "@acme/left", "1.0.0")
            .at(Location::line("web/package-lock.json", 40))
    });
    let nasty = Arc::new(
        Package::new(PackageType::PYPI, NASTY, "1\u{7}").at(Location::line("odd dir/ü.txt", 1)),
    );
    let system = Arc::new(Package {
        arch: Some("amd64".into()),
        ecosystem: Some("Debian:12".into()),
        source: Some(SourcePackage {
            name: "openssl".into(),
            version: "3.0.9-1".into(),
        }),
        ..Package::new(PackageType::DEB, "libssl3", "3.0.9-1").at(Location {
            layer: Some(layer(0)),
            ..Location::file("var/lib/dpkg/status")
        })
    });
    let plain = Arc::new(Package {
        epoch: Some(1),
        owner: Some("python3".into()),
        ..Package::new(PackageType::RPM, "bash", "5.2-1")
            .at(Location::file("usr/lib/sysimage/rpm/rpmdb.sqlite"))
    });
    let mut first = vulnerability(0, "RUSTSEC-2026-0001", &old, Severity::Critical);
    first.score = Some(9.8);
    if let FindingKind::Vulnerability(found) = &mut first.kind {
        found.fixed = vec!["0.4.1".to_owned(), "0.5.0".to_owned()];
        found.exploitation = exploitation();
    }
    let mut rated = vulnerability(1, "DEBIAN-CVE-2026-1", &system, Severity::Low);
    let by = Suppression::new(Origin::Vex, "vex.json", Status::NotAffected);
    rated.suppressed = Some(by.because(None, Some("not reachable\u{7}")));
    let mut odd = vulnerability(0, "GHSA-odd", &nasty, Severity::High);
    odd.title = NASTY.into();
    let findings = vec![
        first,
        vulnerability(0, "RUSTSEC-2026-0001", &new, Severity::Critical),
        vulnerability(0, "GHSA-unrated", &scoped, Severity::Unknown),
        odd,
        rated,
        vulnerability(1, "DEBIAN-CVE-2026-2", &system, Severity::Medium),
    ];
    let packages = vec![
        (0, old),
        (0, new),
        (0, scoped),
        (0, nasty),
        (1, system),
        (1, plain),
    ];
    (packages, findings)
}

fn end_of_life() -> Finding {
    let location = Location::file("etc/os-release");
    let kind = FindingKind::EndOfLife(Box::new(EndOfLife {
        product: "ubuntu".into(),
        name: "Ubuntu".into(),
        cycle: "20.04".into(),
        version: "20.04".into(),
        ended: "2025-05-31".into(),
        extended: Some("2030-04-02".into()),
        page: Some("https://ubuntu.com/about/release-cycle".into()),
    }));
    Finding {
        target: 1,
        severity: Severity::Low,
        severity_source: "rule".into(),
        title: "Ubuntu 20.04 is out of support".into(),
        message: "Ubuntu 20.04 has had security updates only with Ubuntu Pro since 2025-05-31, until 2030-04-02".to_owned(),
        fingerprint: fingerprint(&["end-of-life", "etc/os-release", "ubuntu", "20.04"]),
        ..Finding::new("end-of-life", location, kind)
    }
}

fn misconfigurations() -> Vec<Finding> {
    let region = Region {
        start_line: 12,
        start_column: Some(3),
        end_line: 12,
        end_column: Some(24),
    };
    ["aws_s3_bucket.logs", "module.a[\"x\"].aws_s3_bucket.b"]
        .into_iter()
        .map(|address| {
            let location = Location {
                region: Some(region),
                ..Location::file("main.tf")
            };
            let kind = FindingKind::Misconfiguration(Misconfiguration {
                resource: address.into(),
                fix: Some("\"private\"".to_owned()),
                content: "".into(),
                calls: Vec::new(),
            });
            Finding {
                aliases: vec!["AVD-AWS-0001".to_owned()].into(),
                severity: Severity::High,
                severity_source: "rule".into(),
                title: "The bucket is public".into(),
                message: "acl is \"public-read\"".to_owned(),
                fingerprint: fingerprint(&["aws-s3-bucket-public", "dir", "main.tf", address]),
                ..Finding::new("aws-s3-bucket-public", location, kind)
            }
        })
        .collect()
}

/// One rule per finding's id, with hostile help.
pub(crate) fn rules(findings: &[Finding]) -> Vec<RuleInfo> {
    let mut rules: Vec<RuleInfo> = findings
        .iter()
        .map(|finding| RuleInfo {
            record: finding.rule.clone(),
            id: Arc::clone(&finding.rule),
            title: finding.title.to_string(),
            help: format!("# What\n\nAbout {}.\n\n{NASTY}\n", finding.rule),
            url: Some("https://example.org/a b".to_owned()),
            tags: vec!["security".to_owned(), "CWE-79".to_owned()],
        })
        .collect();
    rules.sort();
    rules.dedup_by(|a, b| a.id == b.id);
    rules
}
