use super::*;

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
