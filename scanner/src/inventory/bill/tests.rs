use super::*;
use crate::model::package::Scope;

fn names(facts: &Facts) -> Vec<String> {
    let packages = facts.packages.iter();
    packages
        .map(|one| format!("{} {}@{}", one.kind.as_str(), one.name, one.version))
        .collect()
}

#[test]
fn components_of_cyclonedx_are_packages() {
    let text = br#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
      {"type": "operating-system", "name": "debian", "version": "12"},
      {"type": "library", "name": "libssl3", "bom-ref": "a", "purl": "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12",
       "properties": [{"name": "aquasecurity:trivy:SrcName", "value": "openssl"}, {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.11"}, {"name": "aquasecurity:trivy:SrcRelease", "value": "1"}],
       "components": [{"type": "library", "name": "b", "bom-ref": "b", "purl": "pkg:npm/%40s/b@1.0.0"}]},
      {"type": "library", "name": "nameless", "version": "1"},
      {"type": "library", "name": "odd", "purl": "npm/b@1"},
      {"type": "library", "name": "rpm", "purl": "pkg:rpm/redhat/bash@5.1.8-6.el9?arch=x86_64&epoch=1&upstream=bash-5.1.8-6.el9.src.rpm"}
    ], "dependencies": [{"ref": "a", "dependsOn": ["b", "nowhere"]}]}"#;
    let facts = read("bom.json", text).unwrap();
    assert_eq!(
        names(&facts),
        [
            "deb libssl3@3.0.11-1",
            "npm @s/b@1.0.0",
            "rpm bash@5.1.8-6.el9"
        ]
    );
    let deb = &facts.packages[0];
    assert_eq!(deb.source.as_ref().unwrap().name.as_ref(), "openssl");
    assert_eq!(deb.source.as_ref().unwrap().version.as_ref(), "3.0.11-1");
    assert_eq!(deb.dependencies, [Arc::from("@s/b@1.0.0")]);
    assert_eq!(deb.locations[0].start_line(), Some(3));
    let rpm = &facts.packages[2];
    assert_eq!(
        (rpm.epoch, &*rpm.source.as_ref().unwrap().name),
        (Some(1), "bash")
    );
    let gaps: Vec<&str> = facts.gaps.iter().map(|gap| &*gap.cause).collect();
    assert!(
        gaps.iter()
            .any(|gap| gap.contains("nameless has no package URL")),
        "{gaps:?}"
    );
    assert!(
        gaps.iter().any(|gap| gap.contains("is not a package URL")),
        "{gaps:?}"
    );
}

#[test]
fn packages_of_spdx_are_packages() {
    let text = br#"{"spdxVersion": "SPDX-2.3", "packages": [
      {"SPDXID": "SPDXRef-Root", "name": "app"},
      {"SPDXID": "SPDXRef-1", "name": "a", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/a@1.0"}]},
      {"SPDXID": "SPDXRef-3", "name": "c", "primaryPackagePurpose": "SOURCE"},
      {"SPDXID": "SPDXRef-2", "name": "b", "externalRefs": [{"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:b:b:1"}]}
    ], "relationships": [
      {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Root"},
      {"spdxElementId": "SPDXRef-1", "relationshipType": "DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-Root"}
    ]}"#;
    let facts = read("s.json", text).unwrap();
    assert_eq!(names(&facts), ["pypi a@1.0"]);
    let gaps: Vec<&str> = facts.gaps.iter().map(|gap| &*gap.cause).collect();
    assert_eq!(
        gaps,
        [
            "component c has no package URL",
            "component b has no package URL"
        ]
    );
}

#[test]
fn elements_of_spdx_3_are_packages() {
    let text = r#"{"@context": "https://spdx.org/rdf/3.0.0/spdx-context.jsonld", "@graph": [
      {"type": "SpdxDocument", "spdxId": "x:d", "rootElement": ["x:root"]},
      {"type": "Organization", "spdxId": "x:o", "name": "Makers"},
      {"type": "software_Package", "spdxId": "x:root", "name": "app"},
      {"type": "software_Package", "spdxId": "x:a", "name": "a", "software_packageUrl": "pkg:deb/debian/a@1.0?distro=debian-12", "suppliedBy": "x:o"},
      {"type": "software_Package", "spdxId": "x:b", "name": "b", "software_packageVersion": "2.0",
       "externalIdentifier": [{"externalIdentifierType": "packageUrl", "identifier": "pkg:npm/b"}],
       "verifiedUsing": [{"type": "Hash", "algorithm": "md5", "hashValue": "00000000000000000000000000000000"}]},
      {"type": "software_Package", "spdxId": "x:c", "name": "c"},
      {"type": "software_File", "spdxId": "x:f", "name": "f"},
      {"type": "LifecycleScopedRelationship", "from": "x:a", "to": ["x:b", "x:f"], "relationshipType": "dependsOn", "scope": "test"}
    ]}"#;
    let facts = read("s.json", text.as_bytes()).unwrap();
    assert_eq!(names(&facts), ["deb a@1.0", "npm b@2.0"]);
    let [a, b] = facts.packages.as_slice() else {
        panic!("two packages");
    };
    assert_eq!(a.dependencies, [Arc::from("b@2.0")]);
    assert_eq!(a.vendor.as_deref(), Some("Makers"));
    assert_eq!((b.scope, b.checksums.len()), (Some(Scope::Dev), 1));
    let gaps: Vec<&str> = facts.gaps.iter().map(|gap| &*gap.cause).collect();
    assert_eq!(gaps, ["component c has no package URL"]);
    // Types that are whole addresses would be passed over.
    let expanded = text.replace(
        "\"software_Package\"",
        "\"https://spdx.org/rdf/3.0.0/terms/Software/Package\"",
    );
    let error = read("s.json", expanded.as_bytes()).unwrap_err();
    assert!(error.cause.contains("whole addresses"), "{}", error.cause);
}

#[test]
fn one_package_of_spdx_may_have_several_urls_and_kinds_of_edges() {
    let text = br#"{"sbom": {"spdxVersion": "SPDX-2.2", "packages": [
      {"SPDXID": "SPDXRef-1", "name": "a", "versionInfo": "1.5", "externalRefs": [
        {"referenceType": "purl", "referenceLocator": "pkg:npm/a@1.0"},
        {"referenceType": "http://spdx.org/rdf/references/purl", "referenceLocator": "pkg:maven/g/a"},
        {"referenceType": "purl", "referenceLocator": "pkg:npm/a@1.0"}]},
      {"SPDXID": "SPDXRef-2", "name": "b", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:npm/b@1"}]}
    ], "relationships": [
      {"spdxElementId": "SPDXRef-2", "relationshipType": "BUILD_DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-1"}
    ]}}"#;
    let facts = read("s.json", text).unwrap();
    assert_eq!(names(&facts), ["npm a@1.0", "maven g:a@1.5", "npm b@1"]);
    assert_eq!(facts.packages[1].dependencies, [Arc::from("b@1")]);
    assert_eq!(facts.packages[2].scope, Some(Scope::Build));
}

#[test]
fn what_a_bill_says_that_it_lacks_is_a_gap() {
    let read = |rest: &str| {
        let text = format!("{{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.7\", {rest}}}");
        let facts = read("bom.json", text.as_bytes()).unwrap();
        let gaps = facts.gaps.into_iter();
        let gaps: Vec<_> = gaps.map(|gap| (gap.class, gap.kind, gap.cause)).collect();
        (facts.packages.len(), gaps)
    };
    let aggregate = |text: &str, of: &str| {
        read(&format!(
            "\"compositions\": [{{\"aggregate\": \"{text}\", \"{of}\": [\"x\"]}}]"
        ))
        .1
    };
    let (class, kind, cause) = aggregate("incomplete_first_party_only", "assemblies").remove(0);
    assert_eq!((class, kind), (GapClass::Unjudged, GapKind::NotRead));
    assert!(cause.ends_with("incomplete first party only"), "{cause}");
    assert!(aggregate("incomplete", "dependencies").is_empty());
    assert!(aggregate("unknown", "assemblies").is_empty());
    // Our own says what; what that run could not compare is compared now.
    let own = |text: &str| {
        read(&format!("\"metadata\": {{\"properties\": [{{\"name\": \"portcullis:gap\", \"value\": \"{text}\"}}]}}")).1
    };
    let told = own("failure source unreadable app x/y: it is cut").remove(0);
    assert_eq!((told.0, told.1), (GapClass::Failure, GapKind::Unreadable));
    assert_eq!(&*told.2, "when the bill was made: app x/y: it is cut");
    assert!(own("unjudged matching no-database : no database").is_empty());
    assert_eq!(own("what is this").remove(0).0, GapClass::Unjudged);
}

#[test]
fn the_component_that_a_bill_is_about_counts() {
    let read = |component: &str| {
        let text = format!(
            "{{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.2\", \"metadata\": {{\"component\": {component}}}}}"
        );
        let facts = read("bom.json", text.as_bytes()).unwrap();
        (names(&facts), facts.gaps.len())
    };
    let one = |purl: &str, kind: &str| {
        format!("{{\"type\": \"{kind}\", \"name\": \"x\", \"purl\": \"{purl}\"}}")
    };
    let found = read(&one("pkg:maven/g/a@1", "application"));
    assert_eq!(found, (vec!["maven g:a@1".to_owned()], 0));
    for (purl, kind) in [
        ("pkg:maven/g/a", "application"),
        ("pkg:oci/a@sha256:0", "application"),
        ("pkg:npm/a@1", "container"),
    ] {
        assert_eq!(read(&one(purl, kind)), (Vec::new(), 0), "{purl}");
    }
}

#[test]
fn forms_that_are_wrapped_or_not_read() {
    let bill = "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"components\": [{\"purl\": \"pkg:npm/a@1\"}]}";
    let statement = |kind: &str| {
        format!("{{\"_type\": \"s\", \"predicateType\": \"{kind}\", \"predicate\": {bill}}}")
    };
    for text in [
        format!("\u{feff}{bill}"),
        statement("https://cyclonedx.org/bom"),
    ] {
        assert_eq!(names(&read("x", text.as_bytes()).unwrap()), ["npm a@1"]);
    }
    for (text, cause) in [
        (
            statement("https://slsa.dev/provenance/v1"),
            "a statement about https://slsa.dev",
        ),
        (
            "{\"payloadType\": \"x\", \"payload\": \"e30=\"}".to_owned(),
            "a signed envelope",
        ),
        (
            "SPDXVersion: SPDX-2.3\n".to_owned(),
            "SPDX as tag-value is not read",
        ),
        (
            "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\">".to_owned(),
            "CycloneDX as XML is not read",
        ),
        (
            "{\"@context\": \"https://spdx.org/rdf/3.1.0/x\", \"@graph\": []}".to_owned(),
            "SPDX 3.1.0 is not read",
        ),
        (
            "{\"@context\": [\"https://spdx.org/rdf/3.0.1/x\"]}".to_owned(),
            "without a @graph",
        ),
    ] {
        let error = read("x", text.as_bytes()).unwrap_err();
        assert!(error.cause.contains(cause), "{}", error.cause);
    }
}

#[test]
fn a_component_that_only_holds_others_is_no_gap() {
    let gaps = |version: &str, edges: &str| {
        let text = format!("{{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"components\": [
          {{\"type\": \"application\", \"bom-ref\": \"lock\", \"name\": \"package-lock.json\"{version}}},
          {{\"type\": \"library\", \"bom-ref\": \"a\", \"name\": \"a\", \"purl\": \"pkg:npm/a@1\"}}],
          \"dependencies\": [{{\"ref\": \"lock\", \"dependsOn\": [{edges}]}}]}}");
        read("bom.json", text.as_bytes()).unwrap().gaps.len()
    };
    assert_eq!(gaps("", "\"a\""), 0);
    assert_eq!(gaps("", ""), 1);
    assert_eq!(gaps(", \"version\": \"1\"", "\"a\""), 1);
}

#[test]
fn more_than_one_distribution_is_not_judged_in_silence() {
    let read = |components: &str| {
        let text = format!(
            "{{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"components\": [{components}]}}"
        );
        let facts = read("bom.json", text.as_bytes()).unwrap();
        let found = facts.distribution.map(|found| (found.id, found.version));
        (found, facts.gaps.len())
    };
    let os = |name: &str, version: &str| {
        format!(
            "{{\"type\": \"operating-system\", \"name\": \"{name}\", \"version\": \"{version}\"}}"
        )
    };
    let purl =
        |purl: &str| format!("{{\"type\": \"library\", \"name\": \"x\", \"purl\": \"{purl}\"}}");
    // Trivy writes the version alone, others nothing.
    let alpine = Some(("alpine".into(), Some("3.18.4".into())));
    let with = |qualifier: &str| purl(&format!("pkg:apk/alpine/x@1-r0{qualifier}"));
    for components in [
        [os("alpine", "3.18.4"), with("?distro=3.18.4")],
        [with("?distro=alpine-3.18.4"), os("alpine", "3.18.4")],
        [with(""), os("alpine", "3.18.4")],
    ] {
        assert_eq!(read(&components.join(",")), (alpine.clone(), 0));
    }
    for components in [
        [os("alpine", "3.18.4"), os("debian", "12")],
        [with("?distro=3.18.4"), with("?distro=3.19.0")],
    ] {
        assert_eq!(read(&components.join(",")).1, 1, "{components:?}");
    }
}

#[test]
fn what_is_no_bill_is_refused() {
    for (text, cause) in [
        ("{\"spdxVersion\": \"SPDX-3.0\"}", "only SPDX 2 and 3.0"),
        ("{}", "neither CycloneDX nor SPDX"),
        ("{", ""),
        ("{\"bomFormat\": \"CycloneDX\"}", "without specVersion"),
        (
            "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"2.0\"}",
            "only 1",
        ),
        (
            "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"components\": 1}",
            "not a list",
        ),
    ] {
        let error = read("x", text.as_bytes()).unwrap_err();
        assert!(error.cause.contains(cause), "{}", error.cause);
    }
}
