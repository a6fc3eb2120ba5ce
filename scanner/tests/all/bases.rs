//! What an image is called, what made its layers, and whose they are: through the program, in every
//! report.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli;
use crate::support::image::{Layout, digest, dpkg_status, gzip, tar};

const STATUS: &str = "var/lib/dpkg/status";
pub(crate) const RELEASE: (&str, &[u8]) = ("etc/os-release", b"ID=debian\nVERSION_ID=\"12\"\n");

/// A database in which `one` and `two` of Debian 12 are vulnerable, and only `one` has a fix.
pub(crate) fn database(directory: &Path) {
    let records = directory.join("records/Debian:12");
    fs::create_dir_all(&records).unwrap();
    for (id, name, fixed) in [
        ("CVE-2026-1", "one", Some("9-1")),
        ("CVE-2026-2", "two", None),
    ] {
        let mut events = vec![json!({"introduced": "0"})];
        events.extend(fixed.map(|fixed| json!({"fixed": fixed})));
        let record = json!({
            "schema_version": "1.7.0", "id": format!("DEBIAN-{id}"), "modified": "2026-01-01T00:00:00Z",
            "published": "2026-01-01T00:00:00Z", "upstream": [id], "details": "made up",
            "affected": [{
                "package": {"ecosystem": "Debian:12", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }],
        });
        fs::write(
            records.join(format!("DEBIAN-{id}.json")),
            record.to_string(),
        )
        .unwrap();
    }
    let arguments = ["db", "build", "--osv", "records", "--db", "test.db"];
    let built = cli::run(directory, &arguments);
    assert_eq!(built.code, 0, "{}", built.err);
}

/// An image with instructions; the descriptor of its manifest.
fn image(layout: &Layout<'_>, architecture: &str, tars: &[Vec<u8>], more: &Value) -> Value {
    let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
    let layers: Vec<Value> = tars
        .iter()
        .map(|tar| layout.blob(kind, &gzip(tar)))
        .collect();
    let diff_ids: Vec<String> = tars.iter().map(|tar| digest(tar)).collect();
    let mut history: Vec<Value> = (0..tars.len())
        .map(|number| json!({"created_by": format!("COPY {number} /")}))
        .collect();
    history.insert(1, json!({"created_by": "ENV A=b", "empty_layer": true}));
    let mut config = json!({
        "os": "linux", "architecture": architecture, "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    layout.manifest(&config, &layers)
}

fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    descriptor
}

/// The layers of a base, and of an image on top of it.
fn layers() -> [Vec<u8>; 2] {
    let base = dpkg_status(&[("one", "1-1")]);
    let own = dpkg_status(&[("one", "1-1"), ("two", "2-1")]);
    [tar(&[RELEASE, (STATUS, &base)]), tar(&[(STATUS, &own)])]
}

pub(crate) fn scan(directory: &Path, arguments: &[&str]) -> cli::Run {
    let usual = [
        "scan",
        "--only",
        "vuln",
        "--date",
        "2026-02-01",
        "--db",
        "test.db",
    ];
    cli::run(directory, &[&usual, arguments].concat())
}

#[test]
fn findings_are_those_of_the_base_or_of_the_image() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let make = |name: &str, tars: &[Vec<u8>]| {
        let root = here.path().join(name);
        let layout = Layout(&root);
        layout.create();
        layout.index(&[image(&layout, "amd64", tars, &json!({}))]);
    };
    make("base", &layers()[..1]);
    make("app", &layers());
    make("other", &[tar(&[("x", b"x")])]);
    for arguments in [
        &["oci:app", "--base", "oci:base"][..],
        &["oci:app", "--base", "base"],
        &["oci:app", "oci:base"],
        &["oci:base", "oci:app"],
    ] {
        let run = scan(here.path(), &[arguments, &["--format", "json"]].concat());
        let report = run.json();
        let targets = report["targets"].as_array().unwrap();
        let app = targets.iter().find(|target| target["id"] == "app").unwrap();
        assert_eq!(app["base"]["name"], "base", "{arguments:?}");
        assert_eq!(app["base"]["layers"], 1);
        let base_digest = app["base"]["digest"].as_str().unwrap();
        assert!(base_digest.starts_with("sha256:"));
        let layers = app["layers"].as_array().unwrap();
        let shown: Vec<(&Value, &Value)> = layers
            .iter()
            .map(|layer| (&layer["created_by"], &layer["origin"]))
            .collect();
        assert_eq!(
            shown,
            [
                (&json!("COPY 0 /"), &json!("base")),
                (&json!("COPY 1 /"), &json!("own"))
            ]
        );
        for list in ["packages", "findings"] {
            let all = report[list].as_array().unwrap().iter();
            let mine: Vec<&Value> = all
                .filter(|one| one["target"] == "app")
                .map(|one| &one["origin"])
                .collect();
            assert_eq!(mine, ["base", "own"], "{list}");
        }
        // The base itself has none.
        if let Some(base) = targets.iter().find(|target| target["id"] == "base") {
            assert!(base.get("base").is_none(), "{base}");
        }
    }
    let table = scan(here.path(), &["oci:app", "--base", "oci:base"]).out;
    let line = "  base base (layer 0): 1 finding, 1 of which updated packages fix; 1 finding in the image's own layers";
    assert!(table.contains(line), "{table}");
    assert!(table.contains("), base  var/lib"), "{table}");
    assert!(table.contains("), own  var/lib"), "{table}");
    let sarif = scan(
        here.path(),
        &["oci:app", "--base", "base", "--format", "sarif"],
    )
    .json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let mut origins: Vec<&Value> = results
        .iter()
        .map(|result| &result["properties"]["origin"])
        .collect();
    origins.sort_by_key(|origin| origin.as_str());
    assert_eq!(origins, ["base", "own"]);
    let bill = scan(
        here.path(),
        &["oci:app", "--base", "base", "--format", "cyclonedx"],
    )
    .out;
    assert!(bill.contains("portcullis:package:origin"), "{bill}");
    // One that it was not built on is said, and marks nothing.
    let run = scan(here.path(), &["oci:app", "--base", "oci:other"]);
    assert!(
        run.out.contains("does not begin with its layers"),
        "{}",
        run.out
    );
    let run = scan(
        here.path(),
        &["oci:app", "--base", "oci:other", "--format", "json"],
    );
    assert!(!run.out.contains("\"origin\""), "{}", run.out);
}

#[test]
fn a_base_that_cannot_be_read_is_a_failure() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    layout.index(&[image(&layout, "amd64", &layers(), &json!({}))]);
    fs::create_dir(here.path().join("folder")).unwrap();
    fs::write(here.path().join("file"), "x").unwrap();
    for (base, cause) in [
        ("nothing", "write image:nothing"),
        ("./nothing", "No such file"),
        ("folder", "not an image layout"),
        ("file", "not an image"),
        ("oci:folder", "index.json"),
    ] {
        let run = scan(here.path(), &["oci:app", "--base", base]);
        assert_eq!(run.code, 2, "{base}");
        assert!(run.err.contains(cause), "{base}: {}", run.err);
        assert!(
            run.out.contains("app (oci"),
            "the image is scanned all the same"
        );
    }
}

#[test]
fn the_header_shows_the_names() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    let base = "org.opencontainers.image.base";
    let labels = json!({"Labels": {
        format!("{base}.name"): "debian:12",
        format!("{base}.digest"): digest(b"x"),
    }});
    let one = image(&layout, "amd64", &layers(), &json!({"config": labels}));
    let mut second = named(one.clone(), "app:2");
    second["annotations"]["io.containerd.image.name"] = json!("docker.io/library/app:2");
    layout.index(&[
        named(one.clone(), "app:1"),
        second,
        named(one.clone(), "/home/me/secret"),
        named(one, "app:3\u{1b}[31m"),
    ]);
    let run = scan(here.path(), &["oci:app"]);
    assert!(
        run.out
            .contains("app (oci, app:1, app:2, docker.io/library/app:2, linux/amd64"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("base debian:12, as the image says"),
        "{}",
        run.out
    );
    let run = scan(here.path(), &["oci:app", "--format", "json"]);
    let target = &run.json()["targets"][0];
    let names = ["app:1", "app:2", "docker.io/library/app:2"];
    assert_eq!(target["names"], json!(names));
    assert_eq!(target["base"]["found_by"], "annotation");
    assert!(!run.out.contains("secret"), "{}", run.out);
}

#[test]
fn every_platform_is_a_target_of_its_own() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    let platform = |architecture: &str, name: &str| {
        let status = dpkg_status(&[(name, "1-1")]);
        let tars = [tar(&[RELEASE, (STATUS, &status)])];
        let mut descriptor = layout.image("linux", architecture, &tars);
        descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
        descriptor
    };
    let index = layout.nested(&[platform("amd64", "one"), platform("arm64", "two")]);
    layout.index(&[named(index, "app:1")]);
    let report = scan(
        here.path(),
        &["oci:app", "--platform", "all", "--format", "json"],
    )
    .json();
    let targets = report["targets"].as_array().unwrap();
    let ids: Vec<&Value> = targets.iter().map(|target| &target["id"]).collect();
    assert_eq!(ids, ["app#app:1#linux/amd64", "app#app:1#linux/arm64"]);
    assert!(
        targets
            .iter()
            .all(|target| target.get("other_platforms").is_none())
    );
    let findings = report["findings"].as_array().unwrap();
    let found: Vec<(&Value, &Value)> = findings
        .iter()
        .map(|finding| (&finding["target"], &finding["package"]))
        .collect();
    assert_eq!(
        found,
        [
            (&json!("app#app:1#linux/amd64"), &json!("one")),
            (&json!("app#app:1#linux/arm64"), &json!("two"))
        ]
    );
    let one = scan(here.path(), &["oci:app", "--format", "json"]).json();
    assert_eq!(one["targets"][0]["id"], "app");
    assert_eq!(one["targets"][0]["other_platforms"], json!(["linux/arm64"]));
    let run = scan(here.path(), &["oci:app", "--platform", "every"]);
    assert!(run.code == 2 && run.err.contains("or all"), "{}", run.err);
}

#[test]
fn what_was_changed_after_its_package_was_installed_is_marked() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    let status = dpkg_status(&[("python3-flask", "1.0-1"), ("python3-jinja", "1.0-1")]);
    let metadata = |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n");
    let place = |name: &str| format!("usr/lib/python3/dist-packages/{name}-1.0.dist-info/METADATA");
    let (flask, jinja) = (place("flask"), place("jinja"));
    let (flask_text, jinja_text) = (metadata("flask"), metadata("jinja"));
    let (flask_list, jinja_list) = (format!("/{flask}\n"), format!("/{jinja}\n"));
    let base = tar(&[
        RELEASE,
        (STATUS, &status),
        (
            "var/lib/dpkg/info/python3-flask.list",
            flask_list.as_bytes(),
        ),
        (
            "var/lib/dpkg/info/python3-jinja.list",
            jinja_list.as_bytes(),
        ),
        (&flask, flask_text.as_bytes()),
        (&jinja, jinja_text.as_bytes()),
    ]);
    let own = tar(&[(&flask, flask_text.as_bytes())]);
    layout.index(&[image(&layout, "amd64", &[base, own], &json!({}))]);
    let report = scan(here.path(), &["oci:app", "--format", "json"]).json();
    let packages = report["packages"].as_array().unwrap().iter();
    let python: Vec<(&Value, &Value, &Value)> = packages
        .filter(|package| package["type"] == "pypi")
        .map(|package| {
            (
                &package["name"],
                &package["owned_by"],
                &package["changed_from"],
            )
        })
        .collect();
    let nothing = &Value::Null;
    assert_eq!(
        python,
        [
            (&json!("flask"), nothing, &json!("python3-flask")),
            (&json!("jinja"), &json!("python3-jinja"), nothing)
        ]
    );
}

#[cfg(feature = "registry")]
#[test]
fn a_base_that_the_image_names_is_asked_for_only_if_the_user_wants_it() {
    let here = tempfile::tempdir().unwrap();
    database(here.path());
    let base = here.path().join("base");
    let layout = Layout(&base);
    layout.create();
    let descriptor = image(&layout, "amd64", &layers()[..1], &json!({}));
    layout.index(std::slice::from_ref(&descriptor));
    let address = crate::elsewhere::serve(&base);
    let root = here.path().join("app");
    let layout = Layout(&root);
    layout.create();
    let named = |name: &str| {
        let key = "org.opencontainers.image.base";
        let labels = json!({"Labels": {
            format!("{key}.name"): name,
            format!("{key}.digest"): descriptor["digest"],
        }});
        layout.index(&[image(
            &layout,
            "amd64",
            &layers(),
            &json!({"config": labels}),
        )]);
    };
    named(&address);
    let origins = |arguments: &[&str]| {
        let arguments = [&["oci:app", "--format", "json"], arguments].concat();
        let report = scan(here.path(), &arguments).json();
        let packages = report["packages"].as_array().unwrap().iter();
        let origins: Vec<Value> = packages.map(|package| package["origin"].clone()).collect();
        (origins, report)
    };
    assert_eq!(origins(&[]).0, [Value::Null, Value::Null]);
    let (marked, report) = origins(&["--base", "annotated"]);
    assert_eq!(marked, ["base", "own"], "{report}");
    assert_eq!(report["targets"][0]["base"]["found_by"], "annotation");
    let nobody = "127.0.0.1:1/base:1";
    named(nobody);
    let (marked, report) = origins(&["--base", "annotated"]);
    assert_eq!(marked, [Value::Null, Value::Null]);
    let gaps = report["gaps"].to_string();
    assert!(
        gaps.contains("the base that the image names cannot be read"),
        "{gaps}"
    );
}
