//! Documents that are attached to images: used when they are asked for, for their own image alone, and
//! a gap where they cannot be read.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bases::{RELEASE, database, scan};
use crate::support::image::{Layout, dpkg_status, tar};

const STATUS: &str = "var/lib/dpkg/status";
const IN_TOTO: &str = "application/vnd.in-toto+json";

fn spdx() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x",
        "packages": [
            {"SPDXID": "SPDXRef-1", "name": "one", "versionInfo": "1-1", "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                "referenceLocator": "pkg:deb/debian/one@1-1?arch=amd64&distro=debian-12",
            }]},
            {"SPDXID": "SPDXRef-2", "name": "left-pad", "versionInfo": "1.3.0", "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                "referenceLocator": "pkg:npm/left-pad@1.3.0",
            }]},
        ],
    })
}

fn vex() -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "a",
        "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{
            "vulnerability": {"name": "CVE-2026-1"},
            "products": [{"@id": "pkg:deb/debian/one"}],
            "status": "not_affected", "justification": "vulnerable_code_not_present",
        }],
    })
}

/// An in-toto statement about a manifest.
fn statement(about: &Value, kind: &str, predicate: &Value) -> Value {
    let digest = about["digest"].as_str().unwrap();
    json!({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
        "subject": [{"name": "x", "digest": {"sha256": digest.replace("sha256:", "")}}],
        "predicate": predicate,
    })
}

fn envelope(inner: &Value) -> Value {
    json!({
        "payloadType": IN_TOTO, "payload": STANDARD.encode(inner.to_string()), "signatures": [],
    })
}

/// An image of Debian with the package `one`, which is vulnerable.
fn image(layout: &Layout<'_>, more: &str) -> Value {
    let status = dpkg_status(&[("one", "1-1")]);
    let tars = [tar(&[RELEASE, (STATUS, &status), ("x", more.as_bytes())])];
    layout.image("linux", "amd64", &tars)
}

/// A manifest of documents about another one, as the image-spec has it; its descriptor.
fn artifact(layout: &Layout<'_>, about: &Value, kind: &str, documents: &[Value]) -> Value {
    let empty = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let layers: Vec<Value> = documents
        .iter()
        .map(|document| layout.blob(kind, document.to_string().as_bytes()))
        .collect();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type, "artifactType": kind,
        "config": empty, "layers": layers, "subject": about,
    });
    let mut descriptor = layout.blob(media_type, manifest.to_string().as_bytes());
    descriptor["artifactType"] = json!(kind);
    descriptor
}

/// Attestations as `BuildKit` writes them; their descriptor.
fn attestations(layout: &Layout<'_>, about: &Value, statements: &[(&str, Value)]) -> Value {
    let layers: Vec<Value> = statements
        .iter()
        .map(|(kind, predicate)| {
            let statement = statement(about, kind, predicate);
            let mut layer = layout.blob(IN_TOTO, statement.to_string().as_bytes());
            layer["annotations"] = json!({"in-toto.io/predicate-type": kind});
            layer
        })
        .collect();
    let config = json!({"os": "unknown", "architecture": "unknown", "rootfs": {"diff_ids": []}});
    let mut descriptor = layout.manifest(&config, &layers);
    descriptor["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    descriptor["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": about["digest"],
    });
    descriptor
}

/// The packages of the first target, the one suppressed finding if there is one, and the gaps that are
/// not of the database.
fn told(report: &Value) -> (Vec<String>, Vec<String>, Vec<String>) {
    let list = |key: &str| report[key].as_array().unwrap().iter();
    let packages = list("packages").map(|one| {
        let place = one["locations"][0]["path"].as_str().unwrap();
        let place = place.split('/').next().unwrap();
        format!("{} {place}", one["name"].as_str().unwrap())
    });
    let suppressed = list("findings")
        .filter(|one| one.get("suppressed").is_some())
        .map(|one| one["suppressed"]["source"].as_str().unwrap().to_owned());
    let gaps = list("gaps")
        .filter(|gap| gap["kind"] != "no-advisories")
        .map(|gap| format!("{} {}", gap["class"], gap["cause"]));
    (packages.collect(), suppressed.collect(), gaps.collect())
}

fn report(here: &Path, arguments: &[&str]) -> Value {
    scan(here, &[arguments, &["--format", "json"]].concat()).json()
}

#[test]
fn they_are_used_when_asked_for_and_not_before() {
    type Make = fn(&Layout<'_>, &Value) -> Value;
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let forms: [(&str, Make); 5] = [
        ("buildkit", |layout, image| {
            let provenance = ("https://slsa.dev/provenance/v1", json!({"a": "b"}));
            let bill = ("https://spdx.dev/Document", spdx());
            let vex = ("https://openvex.dev/ns/v0.2.0", vex());
            attestations(layout, image, &[provenance, bill, vex])
        }),
        ("bare", |layout, image| {
            artifact(layout, image, "application/spdx+json", &[spdx(), vex()])
        }),
        ("statements", |layout, image| {
            let bill = statement(image, "https://spdx.dev/Document", &spdx());
            let vex = statement(image, "https://openvex.dev/ns", &vex());
            artifact(layout, image, IN_TOTO, &[bill, vex])
        }),
        ("envelopes", |layout, image| {
            let kind = "application/vnd.dsse.envelope.v1+json";
            let bill = statement(image, "https://spdx.dev/Document", &spdx());
            let vex = statement(image, "https://openvex.dev/ns", &vex());
            artifact(layout, image, kind, &[envelope(&bill), envelope(&vex)])
        }),
        ("bundles", |layout, image| {
            let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
            let bill = statement(image, "https://spdx.dev/Document", &spdx());
            let vex = statement(image, "https://openvex.dev/ns", &vex());
            let bundle = |inner: &Value| json!({"dsseEnvelope": envelope(inner)});
            artifact(layout, image, kind, &[bundle(&bill), bundle(&vex)])
        }),
    ];
    for (name, make) in forms {
        let root = here.path().join(name);
        let layout = Layout(&root);
        layout.create();
        let image = image(&layout, name);
        let documents = make(&layout, &image);
        layout.index(&[image, documents]);
        let target = format!("oci:{name}");
        let (packages, suppressed, gaps) = told(&report(here.path(), &[&target]));
        assert_eq!(packages, ["one var"], "{name}");
        assert!(suppressed.is_empty(), "{name}: {gaps:?}");
        let (packages, suppressed, gaps) = told(&report(here.path(), &[&target, "--use-attached"]));
        assert_eq!(
            packages,
            ["one var", "left-pad attached"],
            "{name}: {gaps:?}"
        );
        assert_eq!(suppressed.len(), 1, "{name}");
        assert!(suppressed[0].starts_with("attached/sha256-"), "{name}");
        assert!(gaps.iter().all(|gap| !gap.contains("unjudged")), "{gaps:?}");
    }
}

#[test]
fn they_speak_of_their_own_image_alone() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    let named = |mut image: Value, name: &str| {
        image["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        image
    };
    let (first, second) = (image(&layout, "1"), image(&layout, "2"));
    let about_first = artifact(&layout, &first, "application/openvex+json", &[vex()]);
    // Attached to the second, and about the first.
    let stray = statement(&first, "https://openvex.dev/ns", &vex());
    let stray = artifact(&layout, &second, IN_TOTO, &[stray]);
    layout.index(&[
        named(first, "a:1"),
        named(second, "b:1"),
        about_first,
        stray,
    ]);
    let report = report(here.path(), &["oci:app", "--use-attached"]);
    let findings = report["findings"].as_array().unwrap().iter();
    let suppressed: Vec<(&Value, bool)> = findings
        .map(|one| (&one["target"], one.get("suppressed").is_some()))
        .collect();
    assert_eq!(
        suppressed,
        [(&json!("app#a:1"), true), (&json!("app#b:1"), false)]
    );
    let (_, _, gaps) = told(&report);
    assert!(
        gaps.iter().any(|gap| gap.contains("speaks of another one")),
        "{gaps:?}"
    );
    // What the user says counts before what is attached, however old it is.
    let mut older = vex();
    older["timestamp"] = json!("2020-01-01T00:00:00Z");
    older["statements"][0]["status"] = json!("affected");
    fs::write(here.path().join("vex.json"), older.to_string()).unwrap();
    let arguments = ["oci:app", "--use-attached", "--vex", "vex.json"];
    let (_, suppressed, _) = told(&self::report(here.path(), &arguments));
    assert!(suppressed.is_empty(), "{suppressed:?}");
}

#[test]
fn what_cannot_be_read_of_them_is_a_gap() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let text = json!("no document");
    for (name, kind, document) in [
        ("malformed", "application/vnd.cyclonedx+json", text.clone()),
        (
            "vex",
            "application/openvex+json",
            json!({"@context": "https://openvex.dev/ns", "statements": 5}),
        ),
        ("xml", "application/vnd.cyclonedx+xml", text.clone()),
        ("syft", "application/vnd.syft+json", text.clone()),
        (
            "envelope",
            "application/vnd.dsse.envelope.v1+json",
            json!({"payloadType": "x", "payload": "%"}),
        ),
        ("changed", "application/spdx+json", spdx()),
    ] {
        let root = here.path().join(name);
        let layout = Layout(&root);
        layout.create();
        let image = image(&layout, name);
        let documents = artifact(&layout, &image, kind, std::slice::from_ref(&document));
        if name == "changed" {
            let blob = layout.blob("x", document.to_string().as_bytes());
            let path = root
                .join("blobs")
                .join(blob["digest"].as_str().unwrap().replace(':', "/"));
            let other = document.to_string().replace("left-pad", "left-bad");
            fs::write(path, other).unwrap();
        }
        layout.index(&[image, documents]);
        let run = scan(
            here.path(),
            &[&format!("oci:{name}"), "--use-attached", "--format", "json"],
        );
        assert_eq!(run.code, 2, "{name}: {}", run.out);
        let (packages, _, gaps) = told(&run.json());
        assert_eq!(packages, ["one var"], "{name}");
        assert!(
            gaps.iter().any(|gap| gap.contains("unjudged")),
            "{name}: {gaps:?}"
        );
        // Who does not ask for them has no use for them.
        let (_, _, gaps) = told(&report(here.path(), &[&format!("oci:{name}")]));
        assert!(
            gaps.iter().all(|gap| !gap.contains("unjudged")),
            "{name}: {gaps:?}"
        );
    }
    // Signatures are no documents.
    let root = here.path().join("signed");
    let layout = Layout(&root);
    layout.create();
    let image = image(&layout, "signed");
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let signature = artifact(&layout, &image, kind, &[text]);
    layout.index(&[image, signature]);
    let (packages, _, gaps) = told(&report(here.path(), &["oci:signed", "--use-attached"]));
    assert_eq!(packages, ["one var"]);
    assert!(gaps.iter().all(|gap| !gap.contains("unjudged")), "{gaps:?}");
}

#[cfg(feature = "registry")]
#[test]
fn a_registry_lists_them() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    let image = image(&layout, "x");
    let documents = artifact(&layout, &image, "application/spdx+json", &[spdx(), vex()]);
    layout.index(std::slice::from_ref(&image));
    let address = crate::elsewhere::serve(&root);
    let target = format!("image:{address}");
    let (packages, _, _) = told(&report(here.path(), &[&target, "--use-attached"]));
    assert_eq!(packages, ["one var"], "nothing refers to it yet");
    let list = root.join("referrers/sha256");
    fs::create_dir_all(&list).unwrap();
    let digest = image["digest"].as_str().unwrap().replace("sha256:", "");
    let referrers = json!({"schemaVersion": 2, "manifests": [documents]});
    fs::write(list.join(&digest), referrers.to_string()).unwrap();
    let (packages, suppressed, gaps) = told(&report(here.path(), &[&target, "--use-attached"]));
    assert_eq!(packages, ["one var", "left-pad attached"], "{gaps:?}");
    assert_eq!(suppressed.len(), 1);
    let (packages, suppressed, _) = told(&report(here.path(), &[&target]));
    assert_eq!((packages.len(), suppressed.len()), (1, 0));
    fs::write(list.join(&digest), "{\"manifests\": 1}").unwrap();
    let run = scan(
        here.path(),
        &[&target, "--use-attached", "--format", "json"],
    );
    let (_, _, gaps) = told(&run.json());
    assert!(
        run.code == 2 && gaps.iter().any(|gap| gap.contains("unjudged")),
        "{gaps:?}"
    );
}
