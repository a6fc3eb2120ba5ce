//! Images as a whole: every kind of target, the choice of platform, what is refused and what is
//! a gap. Made images with ground truth are compared where `PORTCULLIS_IMAGES` names them.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::model::gap::GapKind;
use portcullis::source::{Contents, ImageKind, Platform, SourceError, limits, recognise};
use serde_json::{Value, json};

use crate::cli;
use crate::support::image::{Layout, digest, docker_archive, dpkg_status, gzip, tar, xz};
use crate::support::read_image;

const STATUS: &str = "var/lib/dpkg/status";

fn layer(packages: &[(&str, &str)]) -> Vec<u8> {
    tar(&[(STATUS, &dpkg_status(packages))])
}

/// Name, version and layer of every package.
fn packages(contents: &Contents) -> Vec<(String, String, u32)> {
    let all = contents.files.iter().flat_map(|(_, facts)| &facts.packages);
    let mut shown: Vec<_> = all
        .map(|package| {
            let layer = package.locations[0].layer.as_ref().unwrap();
            (
                package.name.to_string(),
                package.version.to_string(),
                layer.index,
            )
        })
        .collect();
    shown.sort();
    shown
}

fn one(path: &Path) -> Result<Contents, SourceError> {
    let kind = recognise(path).expect("an image");
    read_image(kind, path, None).map(|mut all| {
        assert_eq!(all.len(), 1);
        all.remove(0)
    })
}

fn kinds(contents: &Contents) -> Vec<GapKind> {
    contents.gaps.iter().map(|gap| gap.kind).collect()
}

fn two_layers() -> [Vec<u8>; 2] {
    [
        layer(&[("one", "1-1"), ("two", "1-1")]),
        layer(&[("one", "1-1"), ("two", "2-1")]),
    ]
}

fn expected() -> Vec<(String, String, u32)> {
    vec![
        ("one".into(), "1-1".into(), 0),
        ("two".into(), "2-1".into(), 1),
    ]
}

#[test]
fn every_kind_of_target_tells_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let root = path("layout");
    let layout = Layout(&root);
    layout.create();
    layout.index(&[layout.image("linux", "amd64", &two_layers())]);
    let archive = layout.archive();
    let saved = docker_archive(&two_layers());
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
    let targets: [(&str, Vec<u8>, ImageKind); 8] = [
        ("oci", archive.clone(), ImageKind::OciArchive),
        ("oci.gz", gzip(&archive), ImageKind::OciArchive),
        ("oci.zst", zstd(&archive), ImageKind::OciArchive),
        ("docker", saved.clone(), ImageKind::DockerArchive),
        ("docker.gz", gzip(&saved), ImageKind::DockerArchive),
        ("docker.zst", zstd(&saved), ImageKind::DockerArchive),
        ("oci.xz", xz(&archive), ImageKind::OciArchive),
        ("docker.xz", xz(&saved), ImageKind::DockerArchive),
    ];
    assert_eq!(recognise(&root), Some(ImageKind::OciLayout));
    let contents = one(&root).unwrap();
    assert_eq!(packages(&contents), expected());
    assert!(contents.gaps.is_empty() && contents.platform.as_deref() == Some("linux/amd64"));
    for (name, bytes, kind) in targets {
        fs::write(path(name), bytes).unwrap();
        assert_eq!(recognise(&path(name)), Some(kind), "{name}");
        let contents = one(&path(name)).unwrap();
        assert_eq!(packages(&contents), expected(), "{name}");
        assert!(contents.gaps.is_empty(), "{name}");
    }
}

#[test]
fn a_directory_that_is_an_image_is_read_as_one_with_and_without_its_kind() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("layout");
    let layout = Layout(&root);
    layout.create();
    layout.index(&[layout.image("linux", "amd64", &two_layers())]);
    for target in ["layout", "oci:layout", "."] {
        let run = cli::run(directory.path(), &["scan", target, "--format", "json"]);
        let packages = &run.json()["packages"];
        let mut names: Vec<&Value> = packages.as_array().unwrap().iter().collect();
        names.sort_by_key(|package| package["name"].as_str());
        let names: Vec<&Value> = names.iter().map(|package| &package["name"]).collect();
        assert_eq!(names, ["one", "two"], "{target}: {}", run.err);
    }
}

#[test]
fn other_files_are_no_images() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    assert_eq!(recognise(directory.path()), None);
    for bytes in [
        b"plain text".to_vec(),
        Vec::new(),
        gzip(b"text"),
        tar(&[("manifest.json", br#"{"name": "a web application"}"#)]),
        gzip(&tar(&[("src/main.rs", b"fn main() {}")])),
    ] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(recognise(&path), None);
    }
}

#[test]
fn platforms_are_chosen_or_refused() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout(directory.path());
    layout.create();
    let with = |mut descriptor: Value, os: &str, architecture: &str| {
        descriptor["platform"] = json!({"os": os, "architecture": architecture});
        descriptor
    };
    let amd = layout.image("linux", "amd64", &[layer(&[("amd", "1-1")])]);
    let arm = layout.image("linux", "arm64", &[layer(&[("arm", "1-1")])]);
    let in_toto = layout.blob("application/vnd.in-toto+json", b"{}");
    let nobodys = json!({"os": "unknown", "architecture": "unknown", "rootfs": {"diff_ids": []}});
    let mut statement = with(layout.manifest(&nobodys, &[in_toto]), "unknown", "unknown");
    statement["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let nested = layout.nested(&[
        with(arm, "linux", "arm64"),
        statement,
        with(amd, "linux", "amd64"),
    ]);
    layout.index(&[nested]);
    let open = |platform: &str| {
        let platform: Platform = platform.parse().unwrap();
        read_image(ImageKind::OciLayout, directory.path(), Some(&platform))
    };
    let usual = one(directory.path()).unwrap();
    assert_eq!(packages(&usual)[0].0, "amd");
    assert_eq!(usual.platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(kinds(&usual), []);
    assert_eq!(packages(&open("linux/arm64").unwrap()[0])[0].0, "arm");
    let refused = open("linux/s390x").unwrap_err().to_string();
    assert!(refused.contains("linux/amd64, linux/arm64"), "{refused}");
}

#[test]
fn several_images_are_all_scanned_and_a_foreign_one_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout(directory.path());
    layout.create();
    let mut first = layout.image("linux", "amd64", &[layer(&[("a", "1-1")])]);
    let mut second = layout.image("windows", "amd64", &[layer(&[("b", "1-1")])]);
    first["annotations"] = json!({"org.opencontainers.image.ref.name": "first"});
    second["annotations"] = json!({"org.opencontainers.image.ref.name": "second"});
    layout.index(&[first.clone(), second, first]);
    let all = read_image(ImageKind::OciLayout, directory.path(), None).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].reference.as_deref(), Some("first"));
    assert_eq!(
        (kinds(&all[0]), kinds(&all[1])),
        (vec![], vec![GapKind::Platform])
    );
}

fn refusal(build: impl FnOnce(&Layout<'_>)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout(directory.path());
    build(layout.create());
    read_image(ImageKind::OciLayout, directory.path(), None)
        .unwrap_err()
        .to_string()
}

#[test]
fn what_cannot_be_trusted_is_refused() {
    let tampered = refusal(|layout| {
        let tar = layer(&[("a", "1-1")]);
        layout.index(&[layout.image("linux", "amd64", std::slice::from_ref(&tar))]);
        let blob = gzip(&tar);
        let mut other = blob.clone();
        other[9] ^= 1;
        fs::write(
            layout.0.join("blobs").join(digest(&blob).replace(':', "/")),
            other,
        )
        .unwrap();
    });
    assert!(tampered.contains("digest mismatch"), "{tampered}");
    let chain = refusal(|layout| {
        let mut top = layout.image("linux", "amd64", &[]);
        for _ in 0..=limits::INDEX_DEPTH {
            top = layout.nested(&[top]);
        }
        layout.index(&[top]);
    });
    assert!(chain.contains("inside each other"), "{chain}");
    let many = refusal(|layout| {
        let one = layout.blob("application/vnd.oci.image.layer.v1.tar", &tar(&[]));
        let layers = vec![one; limits::LAYERS + 1];
        layout.index(&[layout.manifest(&json!({}), &layers)]);
    });
    assert!(many.contains("layers"), "{many}");
    let long = refusal(|layout| {
        let size = usize::try_from(limits::DOCUMENT_BYTES).unwrap() + 1;
        fs::write(layout.0.join("index.json"), vec![b' '; size]).unwrap();
    });
    assert!(long.contains("bytes"), "{long}");
    let wide = refusal(|layout| {
        let one = layout.image("linux", "amd64", &[]);
        layout.index(&vec![one; limits::MANIFESTS + 1]);
    });
    assert!(wide.contains("manifests"), "{wide}");
}

#[test]
fn what_can_be_left_out_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout(directory.path());
    layout.create();
    let bytes = layer(&[("a", "1-1")]);
    let mut plain = layout.blob("application/x-unknown", &bytes);
    let foreign = json!({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": digest(b"elsewhere"), "size": 9,
    });
    plain["size"] = json!(bytes.len());
    layout.index(&[layout.manifest(&json!("no config"), &[foreign, plain])]);
    fs::remove_file(directory.path().join("oci-layout")).unwrap();
    let contents = one(directory.path()).unwrap();
    assert_eq!(packages(&contents), [("a".to_owned(), "1-1".to_owned(), 1)]);
    let found = kinds(&contents);
    for kind in [
        GapKind::FileNotFound,
        GapKind::ForeignLayer,
        GapKind::Malformed,
        GapKind::UnknownFormat,
    ] {
        assert!(found.contains(&kind), "{kind:?} in {found:?}");
    }
}

#[test]
fn hostile_images_end_as_expected() {
    let Some(images) = std::env::var_os("PORTCULLIS_IMAGES").map(PathBuf::from) else {
        println!("skipped: no made images");
        return;
    };
    let hostile = images.join("hostile");
    let expected = fs::read(hostile.join("expected.json")).unwrap();
    let cases: std::collections::BTreeMap<String, Value> =
        serde_json::from_slice(&expected).unwrap();
    // What is in a jar is for its parser to say.
    for (case, about) in cases.iter().filter(|(case, _)| *case != "jar-bombs") {
        let path = hostile.join(case);
        let kind = if path.is_dir() {
            ImageKind::OciLayout
        } else {
            ImageKind::DockerArchive
        };
        let got = match read_image(kind, &path, None) {
            Err(_) => "error",
            Ok(all) => {
                let has_gap = all.iter().any(|contents| {
                    let mut files = contents.files.iter();
                    !contents.gaps.is_empty() || files.any(|(_, facts)| !facts.gaps.is_empty())
                });
                if has_gap { "warn" } else { "ok" }
            }
        };
        assert_eq!(Some(got), about["expect"].as_str(), "{case}");
    }
}
