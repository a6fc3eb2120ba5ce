//! Documents of each format against one report.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

use crate::model::finding::{Finding, Kind, Severity, Vulnerability};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};
use crate::model::report::{Report, Target};
use crate::model::suppression::{Origin, Suppression};
use crate::model::target::{ImageKind, TargetKind};

const DIGEST: &str = "sha256:aaaa";
const OPENVEX: &str = include_str!("../../../testdata/vex/openvex.json");
const CSAF: &str = include_str!("../../../testdata/vex/csaf.json");
const CYCLONEDX: &str = include_str!("../../../testdata/vex/cyclonedx.json");

fn image(path: &str) -> Target {
    Target {
        platform: Some("linux/amd64".to_owned()),
        digest: Some(DIGEST.to_owned()),
        ..Target::new(TargetKind::Image(ImageKind::OciLayout), path)
    }
}

fn finding(target: usize, rule: &str, aliases: &[&str], package: &Arc<Package>) -> Finding {
    let kind = Kind::from(Vulnerability {
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

#[test]
fn broken_documents_say_where() {
    for (text, message) in [
        ("", "f:1:0: EOF while parsing a value"),
        ("{\n\"a\": ]", "f:2:6: expected value"),
        (
            "{}",
            "f: neither OpenVEX, CSAF 2 nor CycloneDX: no \"@context\" below https://openvex.dev/ns, no \"bomFormat\", no \"csaf_version\"",
        ),
        (
            r#"{"document":{"csaf_version":"1.0"}}"#,
            "f: neither OpenVEX, CSAF 2 nor CycloneDX: its \"csaf_version\" is \"1.0\"",
        ),
        (
            &openvex(&[("CVE-1", LEFT, "odd", MAY)]),
            "f: /statements/0/status: \"odd\" is not a status",
        ),
        (
            &openvex(&[("CVE-1", LEFT, "fixed", "yesterday")]),
            "f: /statements/0/timestamp: \"yesterday\" is not a time",
        ),
        (
            &openvex(&[("", LEFT, "fixed", MAY)]),
            "f: /statements/0/vulnerability: the vulnerability has no name",
        ),
        (
            "{\"@context\":\"https://openvex.dev/ns\",\n\"statements\":[{\"vulnerability\":7}]}",
            "f:2:32: invalid type: integer `7`, expected an object or an id",
        ),
        (
            r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"A","analysis":{"state":"odd"}}]}"#,
            "f: /vulnerabilities/0/analysis/state: \"odd\" is not a state",
        ),
    ] {
        let error = parse(text.as_bytes(), "f").expect_err(text);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn nulls_unknown_fields_and_byte_order_marks_are_no_faults() {
    for text in [
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":null,"new":{"a":[1]}}"#,
        r#"{"document":{"csaf_version":"2.0","tracking":null},"product_tree":null,"vulnerabilities":null}"#,
        r#"{"bomFormat":"CycloneDX","metadata":null,"components":null,"vulnerabilities":[{"id":"A"}]}"#,
        "\u{feff}{\"bomFormat\":\"CycloneDX\"}",
    ] {
        assert!(
            parse(text.as_bytes(), "f").expect(text).is_empty(),
            "{text}"
        );
    }
}

#[test]
fn limits_are_reached() {
    let limited = |text: &[u8], what: &str| {
        let error = parse(text, "f").expect_err(what).to_string();
        assert!(
            error.starts_with("f: more than ") && error.ends_with(what),
            "{error}"
        );
    };
    limited(
        &vec![b' '; usize::try_from(limits::MAX_BYTES).expect("small") + 1],
        "bytes",
    );
    limited("{".repeat(limits::MAX_OBJECTS + 1).as_bytes(), "objects");
    limited("[".repeat(limits::MAX_VALUES + 1).as_bytes(), "values");
    let many = format!(
        r#"{{"@context":"https://openvex.dev/ns","statements":[{}]}}"#,
        vec![r#"{"vulnerability":"A","status":"fixed"}"#; limits::MAX_STATEMENTS + 1].join(",")
    );
    limited(many.as_bytes(), "statements");
    // Few bytes, but every product has every subcomponent.
    let names = vec![r#""a""#; 1100].join(",");
    let product = format!(
        r#"{{"@context":"https://openvex.dev/ns","statements":[{{"vulnerability":"A","status":"fixed","products":[{names}],"subcomponents":[{names}]}}]}}"#
    );
    limited(product.as_bytes(), "products");
    // Few bytes, but every flag names a large group.
    let flag = r#"{"label":"a","group_ids":["g"]}"#;
    let groups = format!(
        r#"{{"document":{{"csaf_version":"2.0"}},"product_tree":{{"product_groups":[{{"group_id":"g","product_ids":[{names}]}}]}},"vulnerabilities":[{{"flags":[{}]}}]}}"#,
        vec![flag; 1100].join(",")
    );
    limited(groups.as_bytes(), "products");
    let deep = format!(
        r#"{{"bomFormat":"CycloneDX"{}{}"#,
        r#","components":[{"name":"a""#.repeat(200),
        "}]".repeat(200) + "}"
    );
    let error = parse(deep.as_bytes(), "f")
        .expect_err("too deep")
        .to_string();
    assert!(error.contains("recursion limit exceeded"), "{error}");
    // A circle of relationships ends.
    let circle = r#"{"document":{"csaf_version":"2.0"},"product_tree":{"relationships":[
        {"full_product_name":{"product_id":"a"},"product_reference":"a","relates_to_product_reference":"a"}]},
        "vulnerabilities":[{"cve":"CVE-2024-0001","product_status":{"fixed":["a"]}}]}"#;
    assert_eq!(
        reasons(&applied(&[circle])),
        ["none of its products has a package URL"]
    );
}

#[test]
fn beyond_the_comparisons_nothing_is_suppressed() {
    let one = ("CVE-2024-0001", LEFT, "not_affected", MAY);
    let text = openvex(&[one, one, one]);
    let statements = parse(text.as_bytes(), "f").expect("a document");
    let mut report = report();
    apply::apply_within(&mut report, &statements, 3);
    assert_eq!(suppressed(&report), [0usize; 0]);
    assert_eq!(
        reasons(&report),
        ["not applied: more than 3 comparisons of products with findings"; 3]
    );
}

#[test]
fn suppressions_are_written_and_read_again() {
    let mut first = applied(&[OPENVEX, CSAF, CYCLONEDX]);
    first.findings[3].suppressed = Some(other("accepted until June"));
    let mut written = Vec::new();
    write_openvex(&first, "security@acme.example", &mut written).expect("memory");
    let text = String::from_utf8(written).expect("UTF-8");
    assert_eq!(text, include_str!("../../../testdata/vex/written.json"));
    let again = applied(&[&text]);
    assert_eq!(suppressed(&again), suppressed(&first));
    assert_eq!(reasons(&again), [""; 0]);
}

#[test]
fn what_still_counts_in_another_place_is_not_written() {
    let mut report = report();
    let mut twin = report.findings[0].clone();
    twin.location = Location::file("other/lock");
    report.findings[0].suppressed = Some(other("only here"));
    report.findings.push(twin.clone());
    let mut written = Vec::new();
    write_openvex(&report, "a", &mut written).expect("memory");
    let statements = parse(&written, "f").expect("own document");
    assert!(statements.is_empty());
    // The directory's statement would be about the package alone, and so of the image's too.
    twin.target = 1;
    *report.findings.last_mut().expect("pushed") = twin;
    written.clear();
    write_openvex(&report, "a", &mut written).expect("memory");
    let statements = parse(&written, "f").expect("own document");
    assert!(statements.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_documents_never_panic(which in 0usize..3, cut in any::<proptest::sample::Index>(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let text = [OPENVEX, CSAF, CYCLONEDX][which].as_bytes();
        let truncated = &text[..cut.index(text.trim_ascii_end().len())];
        prop_assert!(parse(truncated, "f").is_err());
        let mut damaged = text.to_vec();
        damaged[at.index(text.len())] = byte;
        if let Ok(statements) = parse(&damaged, "f") {
            apply(&mut report(), &statements);
        }
    }

    #[test]
    fn package_urls_come_back(text in "pkg:[a-z]{1,4}/([a-z%@./]{0,6}/)?[ -~é]{1,12}") {
        if let Ok(purl) = text.parse::<Purl>() {
            prop_assert_eq!(purl.to_string().parse::<Purl>().ok(), Some(purl), "{}", text);
        }
    }
}
