//! Root file systems that lie unpacked in a directory: the same inventory as the image that they came
//! out of, nothing outside them, and nothing that goes missing without a gap.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{self, Run};
use crate::support::image::{docker_archive, dpkg_status, tar};

const STATUS: &str = "var/lib/dpkg/status";
const RELEASE: &[u8] = b"ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n";
const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: flask\nVersion: 1.0\n\n";
const DIST_INFO: &str = "usr/lib/python3/dist-packages/flask-1.0.dist-info/METADATA";

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A distribution with two packages and a library.
fn system(root: &Path) {
    write(root, "usr/lib/os-release", RELEASE);
    fs::create_dir_all(root.join("etc")).unwrap();
    symlink("../usr/lib/os-release", root.join("etc/os-release")).unwrap();
    write(
        root,
        STATUS,
        &dpkg_status(&[("one", "1-1"), ("two", "2-1")]),
    );
    write(root, DIST_INFO, METADATA);
}

fn scan(directory: &Path, target: &str) -> Run {
    let arguments = ["scan", target, "--only", "vuln", "--format", "json"];
    cli::run(directory, &arguments)
}

/// The packages of a report, without the target and the layers.
fn packages(report: &Value) -> Vec<Value> {
    let all = report["packages"].as_array().unwrap().iter().cloned();
    all.map(|mut package| {
        package["target"] = json!("");
        for place in package["locations"].as_array_mut().unwrap() {
            place.as_object_mut().unwrap().remove("layer");
        }
        package
    })
    .collect()
}

fn names(report: &Value) -> Vec<String> {
    let all = report["packages"].as_array().unwrap().iter();
    all.map(|package| package["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Gaps of a kind: their paths, classes and causes.
fn gaps(report: &Value, kind: &str) -> Vec<String> {
    let all = report["gaps"].as_array().unwrap().iter();
    let of_kind = all.filter(|gap| gap["kind"] == kind);
    of_kind
        .map(|gap| {
            let text = |key: &str| gap[key].as_str().unwrap().to_owned();
            format!("{} {} {}", text("path"), text("class"), text("cause"))
        })
        .collect()
}

#[test]
fn it_has_the_inventory_of_its_image() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path().join("root");
    system(&root);
    // Hard links, of which one is met under a name that nobody wants.
    write(&root, "opt/a/METADATA", METADATA);
    let second = root.join("opt/b-1.dist-info");
    fs::create_dir_all(&second).unwrap();
    fs::hard_link(root.join("opt/a/METADATA"), second.join("METADATA")).unwrap();
    symlink("/usr/lib/python3", root.join("usr/lib/python")).unwrap();
    let mut builder = tar::Builder::new(Vec::new());
    builder.follow_symlinks(false);
    builder.append_dir_all("", &root).unwrap();
    let image = docker_archive(&[builder.into_inner().unwrap()]);
    fs::write(here.path().join("image.tar"), image).unwrap();
    let image = scan(here.path(), "image.tar").json();
    assert_eq!(names(&image), ["one", "two", "flask"], "{image}");
    for target in ["rootfs:root", "root"] {
        let run = scan(here.path(), target);
        let report = run.json();
        assert_eq!(packages(&report), packages(&image), "{target}");
        let shown = &report["targets"][0];
        assert_eq!(shown["kind"], "rootfs", "{target}");
        assert_eq!(shown["path"], "root");
        assert_eq!(shown["distribution"], "Debian 12");
        assert_eq!(shown["coverage"]["layers"]["whole"], 0);
        assert!(shown.get("layers").is_none());
        assert!(!run.out.contains("\"layer\""), "{target}");
        assert_eq!(run.out, scan(here.path(), target).out);
    }
}

#[test]
fn a_source_tree_is_never_taken_for_one() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path().join("root");
    system(&root);
    write(&root, "app/requirements.txt", b"django==1.0\n");
    for around in [".git/HEAD", "root/.git/HEAD"] {
        write(here.path(), around, b"ref: refs/heads/main\n");
        let report = scan(here.path(), "root").json();
        assert_eq!(report["targets"][0]["kind"], "dir", "{around}");
        assert_eq!(names(&report), ["django"], "{around}");
        let told = gaps(&report, "not-read").join("\n");
        assert!(told.contains("rootfs:"), "{told}");
        let forced = scan(here.path(), "rootfs:root").json();
        assert_eq!(names(&forced), ["one", "two", "flask"]);
        let git = here.path().join(around);
        fs::remove_dir_all(git.parent().unwrap()).unwrap();
    }
    let kind = |what: &str| {
        let report = scan(here.path(), "root").json();
        assert_eq!(report["targets"][0]["kind"], what, "{report}");
    };
    kind("rootfs");
    for file in ["Cargo.lock", "main.tf"] {
        write(&root, file, b"");
        kind("dir");
        fs::remove_file(root.join(file)).unwrap();
    }
    // Neither is a directory without a database, or without a release.
    fs::remove_file(root.join(STATUS)).unwrap();
    assert_eq!(
        scan(here.path(), "root").json()["targets"][0]["kind"],
        "dir"
    );
}

#[test]
fn links_stay_inside_and_lead_nowhere_else() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path().join("root");
    system(&root);
    write(here.path(), "outside", &dpkg_status(&[("outside", "1")]));
    fs::rename(root.join(STATUS), root.join("status")).unwrap();
    // As a container sees it: the root is where an absolute target begins, and `..` ends.
    symlink("/status", root.join(STATUS)).unwrap();
    let report = scan(here.path(), "rootfs:root").json();
    assert_eq!(names(&report), ["one", "two", "flask"]);
    let away = here.path().join("outside");
    for target in [Path::new("../../../../../outside"), away.as_path()] {
        fs::remove_file(root.join(STATUS)).unwrap();
        symlink(target, root.join(STATUS)).unwrap();
        let run = scan(here.path(), "rootfs:root");
        let report = run.json();
        assert_eq!(names(&report), ["flask"], "{}", target.display());
        let told = gaps(&report, "link").join("\n");
        assert!(told.contains(STATUS), "{told}");
        assert_eq!(run.code, 2);
    }
    fs::remove_file(root.join(STATUS)).unwrap();
    symlink("status", root.join(STATUS)).unwrap();
    let told = gaps(&scan(here.path(), "rootfs:root").json(), "link");
    assert!(told.join("\n").contains("circle"), "{told:?}");
    // A directory on the way that leads out is not entered, either.
    fs::remove_dir_all(root.join("var")).unwrap();
    write(
        here.path(),
        "var/lib/dpkg/status",
        &dpkg_status(&[("out", "1")]),
    );
    symlink(here.path().join("var"), root.join("var")).unwrap();
    let run = scan(here.path(), "rootfs:root");
    assert_eq!(
        (names(&run.json()).join(" ").as_str(), run.code),
        ("flask", 2)
    );
}

#[test]
fn names_are_names_and_special_files_are_not_opened() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path().join("root");
    system(&root);
    // These would delete the database in a layer.
    write(&root, "var/lib/dpkg/.wh.status", b"");
    write(&root, "var/lib/.wh..wh..opq", b"");
    let report = scan(here.path(), "rootfs:root").json();
    assert_eq!(names(&report), ["one", "two", "flask"]);
    fs::remove_file(root.join(STATUS)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join(STATUS)).unwrap();
    let run = scan(here.path(), "rootfs:root");
    let told = gaps(&run.json(), "unreadable").join("\n");
    assert!(told.contains("neither a file nor a link"), "{told}");
    assert_eq!(run.code, 2, "a distribution without packages");
}

#[test]
fn what_is_no_directory_is_an_error() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("file.tar"), tar(&[(STATUS, b"")])).unwrap();
    for (target, cause) in [
        ("rootfs:file.tar", "not a directory"),
        ("rootfs:nothing", "No such file"),
    ] {
        let run = scan(here.path(), target);
        assert_eq!(run.code, 2, "{target}");
        assert!(run.err.contains(cause), "{target}: {}", run.err);
    }
    fs::create_dir(here.path().join("empty")).unwrap();
    let run = scan(here.path(), "rootfs:empty");
    assert_eq!(gaps(&run.json(), "nothing-judged").len(), 1);
    assert_eq!(run.code, 2);
}
