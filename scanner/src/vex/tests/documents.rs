//! Documents that are broken, odd, too large, or written by us.

use proptest::prelude::*;

use super::*;

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
    assert_eq!(text, include_str!("../../../../testdata/vex/written.json"));
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
