//! What is wrong in what is scanned: damaged, left out, hidden.

use super::*;

#[test]
fn a_target_that_is_not_there_is_2_and_the_others_are_still_reported() {
    let directory = demo();
    let found = scan(&directory, &["nowhere", "--format", "json", "--exit-zero"]);
    assert_eq!(found.code, 2);
    let report = found.json();
    assert!(!rules(&report, "vulnerability").is_empty());
    assert_eq!(report["verdict"]["passed"], false);
    assert!(found.err.contains("nowhere"), "{}", found.err);
}

/// Writes over the largest blob of an image layout.
fn damage(image: &Path) {
    let blobs = fs::read_dir(image.join("blobs/sha256")).unwrap();
    let largest = blobs
        .map(Result::unwrap)
        .max_by_key(|entry| entry.metadata().unwrap().len())
        .unwrap();
    let mut bytes = fs::read(largest.path()).unwrap();
    bytes[20] ^= 1;
    fs::write(largest.path(), bytes).unwrap();
}

#[test]
fn a_damaged_image_is_2_when_named_and_a_gap_when_it_lies_in_a_tree() {
    let directory = demo();
    damage(&directory.path().join("demo/image"));
    let named = run(
        directory.path(),
        &["scan", "oci:demo/image", "--db", "demo.db", "--exit-zero"],
    );
    assert_eq!(named.code, 2, "{}", named.err);
    let tree = scan(&directory, &["--format", "json"]);
    assert_eq!(tree.code, 2, "{}", tree.err);
    let report = tree.json();
    assert_eq!(report["verdict"]["complete"], false);
    assert_eq!(report["gaps"][0]["path"], "demo/image");
    assert_eq!(report["gaps"][0]["class"], "unjudged");
    // What lies in a tree can be accepted, what was named cannot.
    for (arguments, code) in [
        (&["--strict", "--exit-zero"][..], 2),
        (&["--lenient"], 1),
        (&["--allow", "malformed=demo/*"], 1),
        (&["--allow", "malformed=other/*"], 2),
    ] {
        assert_eq!(scan(&directory, arguments).code, code, "{arguments:?}");
    }
    let named = run(
        directory.path(),
        &[
            "scan",
            "oci:demo/image",
            "--db",
            "demo.db",
            "--lenient",
            "--allow",
            "malformed",
        ],
    );
    assert_eq!(named.code, 2, "{}", named.err);
    assert!(
        named
            .out
            .contains("ERROR: 1 target could not be scanned; no verdict")
    );
}

#[test]
fn a_bad_lockfile_is_a_gap_and_loses_nothing_else() {
    let directory = demo();
    fs::write(
        directory.path().join("demo/service/Cargo.lock"),
        "[[package]\nname",
    )
    .unwrap();
    let found = scan(&directory, &["--format", "json"]);
    assert_eq!(found.code, 2, "{}", found.err);
    let report = found.json();
    assert_eq!(report["gaps"][0]["path"], "demo/service/Cargo.lock");
    assert!(rules(&report, "vulnerability").contains(&"demo PYSEC-2018-28".to_owned()));
}

#[test]
fn packages_of_an_ecosystem_without_advisories_are_a_gap() {
    let directory = demo();
    fs::create_dir(directory.path().join("demo/php")).unwrap();
    fs::write(
        directory.path().join("demo/php/composer.lock"),
        r#"{"packages": [{"name": "a/b", "version": "1.0.0"}], "packages-dev": []}"#,
    )
    .unwrap();
    let report = scan(&directory, &["--format", "json"]).json();
    assert_eq!(report["gaps"][0]["kind"], "no-advisories");
    assert_eq!(report["verdict"]["complete"], false);
}

#[test]
fn a_link_out_of_the_tree_is_not_followed() {
    let directory = demo();
    let secret = directory.path().join("requirements.txt");
    fs::write(&secret, "requests==2.19.1\n").unwrap();
    fs::remove_file(directory.path().join("demo/tools/requirements.txt")).unwrap();
    std::os::unix::fs::symlink(
        &secret,
        directory.path().join("demo/tools/requirements.txt"),
    )
    .unwrap();
    let report = scan(&directory, &["--format", "json"]).json();
    assert!(!rules(&report, "vulnerability").contains(&"demo PYSEC-2018-28".to_owned()));
    assert_eq!(report["gaps"][0]["path"], "demo/tools/requirements.txt");
}

/// What lies in a tree and was not looked at, as `kind path`.
fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| {
        let kind = gap["kind"].as_str().unwrap();
        format!("{kind} {}", gap["path"].as_str().unwrap())
    })
    .collect()
}

#[test]
fn what_a_tree_hides_is_told() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::UnixListener;

    let directory = demo();
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("node_modules/x")).unwrap();
    fs::create_dir(directory.path().join("outside")).unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, tree.join(name)).unwrap();
    link("../outside", "a-link-out");
    link("node_modules/x", "b-link-in");
    let _socket = UnixListener::bind(tree.join("go.mod")).unwrap();
    fs::write(tree.join(OsStr::from_bytes(b"x\xff.tf")), "").unwrap();
    fs::write(tree.join("Gemfile.lock"), "<html>\n").unwrap();
    fs::write(tree.join("Cargo.lock"), "\n").unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(4000);
    header.set_cksum();
    archive
        .append_data(&mut header, "layer.tar", &[b'x'; 4000][..])
        .unwrap();
    let mut bytes = archive.into_inner().unwrap();
    bytes.truncate(3000);
    fs::write(tree.join("image.tar"), bytes).unwrap();
    let found = run(
        directory.path(),
        &["scan", "tree", "--db", "demo.db", "--format", "json"],
    );
    assert_eq!(found.code, 2, "{}", found.err);
    let told = gaps(&found.json());
    for expected in [
        "link tree/a-link-out",
        "link tree/b-link-in",
        "malformed tree/Cargo.lock",
        "malformed tree/Gemfile.lock",
        "malformed tree/image.tar",
        "unreadable tree/go.mod",
        "unreadable tree/x\u{fffd}.tf",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected}: {told:?}");
    }
}

#[test]
fn files_beside_a_layout_are_read() {
    let directory = demo();
    let image = directory.path().join("demo/image");
    fs::copy(
        directory.path().join("demo/tools/requirements.txt"),
        image.join("requirements.txt"),
    )
    .unwrap();
    let report = scan(&directory, &["--format", "json"]).json();
    let found = report["findings"].as_array().unwrap().iter();
    let mut paths = found.map(|finding| finding["location"]["path"].as_str().unwrap());
    assert!(paths.any(|path| path == "demo/image/requirements.txt"));
}

#[test]
fn an_image_that_is_none_is_2_whatever_is_looked_for() {
    let directory = demo();
    fs::write(directory.path().join("junk.tar"), "junk").unwrap();
    for target in ["docker-archive:nowhere.tar", "docker-archive:junk.tar"] {
        let found = run(directory.path(), &["scan", target, "--only", "misconfig"]);
        assert_eq!(found.code, 2, "{target}");
    }
}

#[test]
fn a_single_file_is_read_as_in_its_tree() {
    let root = repository();
    let scan = |target: &str| {
        let run = run(
            &root,
            &["scan", target, "--format", "json", "--date", "2026-11-21"],
        );
        (run.code, run.json())
    };
    let (_, lockfile) = scan("testdata/demo/web/package-lock.json");
    assert_eq!(lockfile["targets"][0]["kind"], "file");
    assert_eq!(lockfile["packages"].as_array().unwrap().len(), 1);
    let place = &lockfile["packages"][0]["locations"][0]["path"];
    assert_eq!(place, "testdata/demo/web/package-lock.json");
    // What it calls is judged with it, what lies beside it is not.
    let (code, terraform) = scan("testdata/demo/infra/main.tf");
    assert_eq!(code, 1, "{}", terraform["verdict"]);
    let coverage = &terraform["targets"][0]["coverage"];
    assert_eq!(coverage["terraform"]["modules_resolved"], 1);
    assert_eq!(coverage["files"]["seen"], 1);
    // The same finding has the same fingerprint as in the scan of the tree.
    let (_, tree) = scan("testdata/demo/infra");
    let prints = |report: &serde_json::Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        let mut prints: Vec<String> = findings
            .map(|finding| finding["fingerprint"].as_str().unwrap().to_owned())
            .collect();
        prints.sort();
        prints
    };
    assert_eq!(prints(&terraform), prints(&tree));
    // A file that nothing reads is not clean.
    let (code, other) = scan("README.md");
    assert_eq!(
        (code, &other["gaps"][0]["kind"]),
        (2, &"nothing-judged".into())
    );
}
