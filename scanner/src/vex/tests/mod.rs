//! Documents of each format against one report.

mod documents;

use std::sync::Arc;

use super::*;

use crate::model::finding::{Finding, FindingKind, Severity, Vulnerability};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};
use crate::model::report::{Report, Target};
use crate::model::suppression::{Origin, Suppression};
use crate::model::target::{ImageKind, TargetKind};

const DIGEST: &str = "sha256:aaaa";
const OPENVEX: &str = include_str!("../../../../testdata/vex/openvex.json");
const CSAF: &str = include_str!("../../../../testdata/vex/csaf.json");
const CYCLONEDX: &str = include_str!("../../../../testdata/vex/cyclonedx.json");

fn image(path: &str) -> Target {
    Target {
        platform: Some("linux/amd64".to_owned()),
        digest: Some(DIGEST.to_owned()),
        ..Target::new(TargetKind::Image(ImageKind::OciLayout), path)
    }
}

fn finding(target: usize, rule: &str, aliases: &[&str], package: &Arc<Package>) -> Finding {
    let kind = FindingKind::from(Vulnerability {
        merged: vec![format!("M-{rule}")],
        ..Vulnerability::new(package.clone(), rule)
    });
    Finding {
        target,
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        severity: Severity::High,
        ..Finding::new(rule, Location::file("lock"), kind)
    }
}

/// Something else that suppressed a finding.
fn other(reason: &str) -> Suppression {
    let by = Suppression::new(Origin::Vex, "elsewhere", Status::NotAffected);
    by.because(None, Some(reason))
}

/// A directory with npm packages, and an image with Red Hat's.
fn report() -> Report {
    let left = Arc::new(Package::new(PackageType::NPM, "left-pad", "1.3.0"));
    let scoped = Arc::new(Package::new(PackageType::NPM, "@acme/parser", "2.0.1"));
    let mut libs = Package::new(PackageType::RPM, "openssl-libs", "1.1.1k-6.el8");
    libs.epoch = Some(1);
    libs.arch = Some("x86_64".into());
    libs.ecosystem = Some("Red Hat:enterprise_linux:8".into());
    libs.source = Some(crate::model::package::SourcePackage {
        name: "openssl".into(),
        version: "1.1.1k-6.el8".into(),
    });
    let libs = Arc::new(libs);
    Report {
        date: "2026-03-01".to_owned(),
        targets: vec![
            Target::new(TargetKind::Directory, "."),
            image("images/shop"),
        ],
        packages: vec![(0, scoped.clone()), (0, left.clone()), (1, libs.clone())],
        findings: vec![
            finding(0, "GHSA-aaaa-bbbb-cccc", &["CVE-2024-0001"], &left),
            finding(0, "GHSA-dddd-eeee-ffff", &["CVE-2024-0002"], &scoped),
            finding(1, "CVE-2024-0003", &[], &libs),
            finding(1, "CVE-2024-0004", &[], &libs),
        ],
        ..Report::default()
    }
}

fn applied(documents: &[&str]) -> Report {
    let mut report = report();
    let mut statements = Vec::new();
    for (number, text) in documents.iter().enumerate() {
        statements.extend(parse(text.as_bytes(), &format!("{number}.json")).expect("a document"));
    }
    apply(&mut report, &statements);
    report
}

/// Numbers of the suppressed findings.
fn suppressed(report: &Report) -> Vec<usize> {
    let findings = report.findings.iter().enumerate();
    findings
        .filter(|(_, finding)| finding.suppressed.is_some())
        .map(|(number, _)| number)
        .collect()
}

fn reasons(report: &Report) -> Vec<&str> {
    let unmatched = report.unmatched_suppressions.iter();
    unmatched
        .map(|unmatched| unmatched.reason.as_str())
        .collect()
}

/// An OpenVEX document of `(id, product JSON, status, timestamp)`.
fn openvex(statements: &[(&str, &str, &str, &str)]) -> String {
    let statements: Vec<String> = statements
        .iter()
        .map(|(id, products, status, time)| {
            format!(
                r#"{{"vulnerability":{{"name":"{id}"}},"products":[{products}],"status":"{status}","timestamp":"{time}"}}"#
            )
        })
        .collect();
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[{}]}}"#,
        statements.join(",")
    )
}

const LEFT: &str = r#"{"@id":"pkg:npm/left-pad@1.3.0"}"#;
const MAY: &str = "2024-05-01T00:00:00Z";

#[test]
fn each_format_suppresses_with_its_reason() {
    for (text, expected) in [
        (
            OPENVEX,
            [
                Some(
                    "VEX 0.json: not_affected, vulnerable_code_not_in_execute_path: only the build calls it",
                ),
                None,
                Some("VEX 0.json: fixed"),
                None,
            ],
        ),
        (
            CSAF,
            [
                Some(
                    "VEX 0.json: not_affected, vulnerable_code_not_present: the module is not built",
                ),
                None,
                Some("VEX 0.json: not_affected, component_not_present"),
                Some("VEX 0.json: fixed"),
            ],
        ),
        (
            CYCLONEDX,
            [
                Some("VEX 0.json: not_affected, code_not_reachable: called by nobody"),
                Some("VEX 0.json: not_affected"),
                None,
                None,
            ],
        ),
    ] {
        let report = applied(&[text]);
        let found: Vec<Option<String>> = report
            .findings
            .iter()
            .map(|finding| finding.suppressed.as_ref().map(ToString::to_string))
            .collect();
        let expected = expected.map(|text| text.map(str::to_owned));
        assert_eq!(found, expected, "{:#?}", report.unmatched_suppressions);
    }
}

#[test]
fn what_fits_nothing_is_told() {
    let told: Vec<(String, String)> = applied(&[OPENVEX])
        .unmatched_suppressions
        .into_iter()
        .map(|unmatched| (unmatched.statement, unmatched.reason))
        .collect();
    assert_eq!(
        told,
        [
            (
                "CVE-2024-0002 not_affected for pkg:npm/%40acme/parser@2.0.0 (/statements/1)"
                    .to_owned(),
                "version differs: 2.0.0, installed 2.0.1".to_owned()
            ),
            (
                "CVE-2024-9999 affected for pkg:npm/left-pad and 1 more (/statements/3)".to_owned(),
                "no finding of CVE-2024-9999; left-pad 1.3.0 is in the report".to_owned()
            ),
        ]
    );
    for (products, reason) in [
        ("", "it names no product"),
        (r#"{"@id":"pkg:npm/other"}"#, "package not in the report"),
        (
            r#"{"@id":"pkg:npm/%40acme/parser"}"#,
            "@acme/parser 2.0.1 has no finding of CVE-2024-0001",
        ),
        (
            r#"{"@id":"my left pad"}"#,
            "none of its products has a package URL",
        ),
        (
            r#"{"@id":"pkg:npm/left-pad?arch=arm64"}"#,
            "qualifier arch=arm64 cannot be checked for this package",
        ),
    ] {
        let report = applied(&[&openvex(&[(
            "CVE-2024-0001",
            products,
            "not_affected",
            MAY,
        )])]);
        assert_eq!(reasons(&report), [reason]);
        assert_eq!(suppressed(&report), [0usize; 0]);
    }
}

#[test]
fn vulnerabilities_without_an_id_fit_nothing() {
    for text in [
        r#"{"document":{"csaf_version":"2.1"},"vulnerabilities":[{"product_status":{"fixed":["a"]}}]}"#,
        r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"analysis":{"state":"resolved"},"affects":[{"ref":"a"}]}]}"#,
    ] {
        assert_eq!(reasons(&applied(&[text])), ["its vulnerability has no id"]);
    }
}

#[test]
fn ids_aliases_and_merged_ids_name_a_finding() {
    for id in [
        "GHSA-aaaa-bbbb-cccc",
        "CVE-2024-0001",
        "cve-2024-0001",
        "M-GHSA-aaaa-bbbb-cccc",
    ] {
        let report = applied(&[&openvex(&[(id, LEFT, "not_affected", MAY)])]);
        assert_eq!(suppressed(&report), [0], "{id}");
    }
    for vulnerability in [
        r#"{"name":"X","aliases":["CVE-2024-0001"]}"#,
        r#"{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2024-0001"}"#,
        r#""CVE-2024-0001""#,
    ] {
        let text = format!(
            r#"{{"@context":["https://openvex.dev/ns"],"statements":[{{"vulnerability":{vulnerability},"products":["pkg:npm/left-pad"],"status":"fixed"}}]}}"#
        );
        assert_eq!(suppressed(&applied(&[&text])), [0], "{vulnerability}");
        let attested =
            format!(r#"{{"predicateType":"https://openvex.dev/ns/v0.2.0","predicate":{text}}}"#);
        assert_eq!(
            suppressed(&applied(&[&attested])),
            [0],
            "attested {vulnerability}"
        );
    }
}

#[test]
fn the_newest_statement_counts_then_the_last() {
    const JUNE: &str = "2024-06-01T00:00:00+02:00";
    let cve = "CVE-2024-0001";
    for (statements, expected) in [
        (
            vec![
                (cve, LEFT, "affected", MAY),
                (cve, LEFT, "not_affected", JUNE),
            ],
            true,
        ),
        (
            vec![
                (cve, LEFT, "not_affected", JUNE),
                (cve, LEFT, "affected", MAY),
            ],
            true,
        ),
        (
            vec![
                (cve, LEFT, "not_affected", MAY),
                (cve, LEFT, "under_investigation", JUNE),
            ],
            false,
        ),
        (
            vec![(cve, LEFT, "fixed", MAY), (cve, LEFT, "affected", MAY)],
            false,
        ),
        (
            vec![(cve, LEFT, "affected", MAY), (cve, LEFT, "fixed", MAY)],
            true,
        ),
        (
            vec![
                (cve, LEFT, "affected", "2024-05-02"),
                (cve, LEFT, "fixed", MAY),
            ],
            false,
        ),
        (
            vec![
                (cve, LEFT, "affected", ""),
                (cve, LEFT, "fixed", "2023-12-31T00:00:00"),
            ],
            false,
        ),
    ] {
        let report = applied(&[&openvex(&statements)]);
        assert_eq!(!suppressed(&report).is_empty(), expected, "{statements:?}");
        assert_eq!(reasons(&report), [""; 0], "what was overridden did match");
        let apart: Vec<String> = statements
            .iter()
            .map(|one| openvex(std::slice::from_ref(one)))
            .collect();
        let apart: Vec<&str> = apart.iter().map(String::as_str).collect();
        assert_eq!(
            !suppressed(&applied(&apart)).is_empty(),
            expected,
            "over documents {statements:?}"
        );
    }
}

#[test]
fn another_suppression_keeps_its_reason() {
    let mut report = report();
    report.findings[0].suppressed = Some(other("accepted"));
    let text = openvex(&[("CVE-2024-0001", LEFT, "not_affected", MAY)]);
    apply(
        &mut report,
        &parse(text.as_bytes(), "a").expect("a document"),
    );
    assert_eq!(report.findings[0].suppressed, Some(other("accepted")));
    assert_eq!(reasons(&report), [""; 0]);
}

#[test]
fn images_are_known_by_their_digest() {
    let libs =
        r#""subcomponents":[{"@id":"pkg:rpm/redhat/openssl-libs@1.1.1k-6.el8?arch=x86_64"}]"#;
    let elsewhere = r#"{"@id":"pkg:oci/else","subcomponents":[{"@id":"pkg:npm/nothing"}]}"#;
    for (id, subcomponents, alone, reason) in [
        (
            "pkg:oci/shop@sha256:aaaa?repository_url=ghcr.io/acme/shop&arch=amd64",
            libs,
            false,
            "",
        ),
        ("pkg:oci/other-name@sha256%3Aaaaa", "", false, ""),
        ("pkg:oci/shop", libs, false, ""),
        (
            "pkg:oci/cart?repository_url=ghcr.io/acme/cart",
            libs,
            true,
            "",
        ),
        (
            "pkg:oci/cart",
            libs,
            false,
            "product pkg:oci/cart is not known to be this target",
        ),
        (
            "pkg:oci/shop@sha256:bbbb",
            libs,
            true,
            "image digest differs: sha256:bbbb, scanned sha256:aaaa",
        ),
        (
            "pkg:oci/shop@sha256:aaaa?arch=arm64",
            libs,
            true,
            "product pkg:oci/shop@sha256:aaaa?arch=arm64 is for arm64, scanned amd64",
        ),
        (
            "pkg:oci/shop@1.0",
            libs,
            true,
            "image version 1.0 cannot be checked for this target",
        ),
        (
            "pkg:oci/shop?tag=1.0",
            libs,
            true,
            "image tag 1.0 cannot be checked: give the digest",
        ),
        ("Unknown Product", libs, false, ""),
    ] {
        let comma = if subcomponents.is_empty() { "" } else { "," };
        let product = format!(r#"{{"@id":"{id}"{comma}{subcomponents}}}"#);
        let mut statements = vec![("CVE-2024-0003", product.as_str(), "not_affected", MAY)];
        if !alone {
            statements.push(("CVE-2024-0003", elsewhere, "affected", MAY));
        }
        let report = applied(&[&openvex(&statements)]);
        let expected: &[usize] = if reason.is_empty() { &[2] } else { &[] };
        assert_eq!(suppressed(&report), expected, "{id}");
        if !reason.is_empty() {
            assert!(reasons(&report).contains(&reason), "{:?}", reasons(&report));
        }
    }
    let image = r#"{"@id":"pkg:oci/shop@sha256:aaaa"}"#;
    let report = applied(&[&openvex(&[("CVE-2024-0001", image, "not_affected", MAY)])]);
    assert_eq!(
        reasons(&report),
        ["product pkg:oci/shop@sha256:aaaa is an image, and this target is none"]
    );
}

#[test]
fn a_product_is_found_among_the_packages_or_by_name() {
    let part = r#""subcomponents":[{"@id":"pkg:npm/left-pad"}]"#;
    let second = r#"{"@id":"elsewhere","subcomponents":[{"@id":"pkg:npm/left-pad@9"}]}"#;
    for (id, alone, expected) in [
        ("pkg:npm/%40acme/parser@2.0.1", false, true),
        ("pkg:npm/%40acme/parser@2.0.0", true, false),
        ("pkg:github/acme/shop", true, true),
        ("pkg:github/acme/shop@1.0", true, false),
        ("pkg:github/acme/shop", false, false),
        ("Unknown Product", true, true),
        ("Unknown Product", false, false),
    ] {
        let product = format!(r#"{{"@id":"{id}",{part}}}"#);
        let mut statements = vec![("CVE-2024-0001", product.as_str(), "not_affected", MAY)];
        if !alone {
            statements.push(("CVE-2024-0001", second, "affected", MAY));
        }
        let report = applied(&[&openvex(&statements)]);
        assert_eq!(!suppressed(&report).is_empty(), expected, "{id} {alone}");
    }
}
