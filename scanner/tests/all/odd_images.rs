//! Images that are not what they seem: documents with two meanings, manifests that may be images,
//! archives in which the image comes last or is compressed in another way, and what costs too much.

use std::fs;
use std::path::Path;

use portcullis::inventory::dispatch::in_images;
use portcullis::model::gap::{GapClass, GapKind};
use portcullis::source::limits::Budget;
use portcullis::source::{Contents, ImageKind, Unknown, open_image, recognise_or};
use serde_json::{Value, json};

use crate::support::image::{Layout, digest, docker_archive, dpkg_status, gzip, tar, xz};
use crate::support::read_image;

const STATUS: &str = "var/lib/dpkg/status";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fn layer(name: &str) -> Vec<u8> {
    tar(&[(STATUS, &dpkg_status(&[(name, "1-1")]))])
}

/// Names of all packages, sorted.
fn names(all: &[Contents]) -> Vec<String> {
    let files = all.iter().flat_map(|contents| &contents.files);
    let packages = files.flat_map(|(_, facts)| &facts.packages);
    let mut names: Vec<String> = packages.map(|package| package.name.to_string()).collect();
    names.sort();
    names
}

fn gaps(all: &[Contents]) -> Vec<(GapKind, GapClass)> {
    let gaps = all.iter().flat_map(|contents| &contents.gaps);
    gaps.map(|gap| (gap.kind, gap.class)).collect()
}

/// A layout of these manifests.
fn layout(build: impl FnOnce(&Layout<'_>) -> Vec<Value>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout(directory.path());
    layout.create();
    let manifests = build(&layout);
    layout.index(&manifests);
    directory
}

fn open(root: &Path) -> Result<Vec<Contents>, String> {
    read_image(ImageKind::OciLayout, root, None).map_err(|error| error.to_string())
}

#[test]
fn what_an_index_says_of_an_image_does_not_hide_it() {
    let odd: [fn(&mut Value); 5] = [
        |image| image["artifactType"] = json!("application/x-anything"),
        |image| image["platform"] = json!({"os": "unknown", "architecture": "amd64"}),
        |image| image["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"}),
        |image| image["mediaType"] = json!("application/x-anything"),
        |image| image["mediaType"] = Value::Null,
    ];
    for change in odd {
        let root = layout(|layout| {
            let mut hidden = layout.image("linux", "amd64", &[layer("hidden")]);
            change(&mut hidden);
            let mut plain = layout.image("linux", "amd64", &[layer("plain")]);
            plain["platform"] = json!({"os": "linux", "architecture": "amd64"});
            vec![hidden, plain]
        });
        let all = open(root.path()).unwrap();
        assert_eq!(names(&all), ["hidden", "plain"]);
        assert_eq!(gaps(&all), []);
    }
}

#[test]
fn manifests_that_may_be_images_are_scanned_or_leave_a_gap() {
    // Layers of a file system under a config of another type.
    let with_config = |kind: &str, config: &Value| {
        layout(|layout| {
            let bytes = layer("hidden");
            let config = layout.blob(kind, config.to_string().as_bytes());
            let manifest = json!({
                "schemaVersion": 2, "config": config, "layers": [layout.blob(LAYER, &bytes)],
            });
            let hidden = layout.blob(MANIFEST, manifest.to_string().as_bytes());
            vec![hidden, layout.image("linux", "amd64", &[layer("plain")])]
        })
    };
    let image = json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer("hidden"))]},
    });
    let all = open(with_config("application/x-odd", &image).path()).unwrap();
    assert_eq!(names(&all), ["hidden", "plain"]);
    assert_eq!(gaps(&all), [(GapKind::UnknownFormat, GapClass::Partial)]);
    let all = open(with_config("application/x-odd", &json!({})).path()).unwrap();
    assert_eq!(names(&all), ["plain"]);
    assert_eq!(gaps(&all), [(GapKind::UnknownFormat, GapClass::Unjudged)]);
    // A blob of another type that is none, or is not there.
    for missing in [false, true] {
        let root = layout(|layout| {
            let odd = layout.blob("application/x-odd", b"odd");
            if missing {
                fs::remove_dir_all(layout.0.join("blobs")).unwrap();
                layout.create();
            }
            vec![odd, layout.image("linux", "amd64", &[layer("plain")])]
        });
        let all = open(root.path()).unwrap();
        assert_eq!(names(&all), ["plain"]);
        assert_eq!(gaps(&all)[0].1, GapClass::Unjudged);
    }
}

#[test]
fn signatures_beside_an_image_are_listed() {
    let root = layout(|layout| {
        let statement = |kind: &str| {
            let layers = [layout.blob(kind, b"{}")];
            layout.manifest(&json!({"rootfs": {"diff_ids": [digest(b"{}")]}}), &layers)
        };
        vec![
            statement("application/vnd.dev.cosign.simplesigning.v1+json"),
            layout.image("linux", "amd64", &[layer("plain")]),
            statement("application/vnd.dsse.envelope.v1+json"),
        ]
    });
    let all = open(root.path()).unwrap();
    assert_eq!(names(&all), ["plain"]);
    assert_eq!(gaps(&all), [(GapKind::NotRead, GapClass::Partial)]);
    assert!(all[0].gaps[0].cause.starts_with("2 artifacts"));
}

#[test]
fn documents_with_two_meanings_are_refused() {
    let index = |text: &str| {
        let root = layout(|layout| vec![layout.image("linux", "amd64", &[layer("plain")])]);
        let path = root.path().join("index.json");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, old.replacen('{', text, 1)).unwrap();
        open(root.path())
    };
    assert!(index("{").is_ok());
    for text in [
        r#"{"Manifests":[],"#,
        r#"{"manifests":[],"#,
        r#"{"layers":[],"#,
        r#"{"fsLayers":[],"#,
        r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
        r#"{"schemaversion":2,"#,
    ] {
        assert!(index(text).is_err(), "{text}");
    }
    let config = layout(|layout| {
        let bytes = layer("plain");
        let layers = [layout.blob(LAYER, &bytes)];
        let config = json!({
            "os": "linux", "architecture": "amd64", "Architecture": "arm64",
            "rootfs": {"diff_ids": [digest(&bytes)]},
        });
        vec![layout.manifest(&config, &layers)]
    });
    assert!(open(config.path()).unwrap_err().contains("`Architecture`"));
}

/// The files of a tar.
fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ::tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.header().entry_type().is_file())
        .map(|mut entry| {
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            (path, content)
        })
        .collect()
}

fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_slice()))
        .collect();
    tar(&files)
}

fn open_bytes(bytes: &[u8], kind: ImageKind) -> Result<Vec<Contents>, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image");
    fs::write(&path, bytes).unwrap();
    read_image(kind, &path, None).map_err(|error| error.to_string())
}

#[test]
fn the_two_lists_of_an_archive_have_to_agree() {
    let of = |name: &str| {
        let root = layout(|layout| vec![layout.image("linux", "amd64", &[layer(name)])]);
        files(&Layout(root.path()).archive())
    };
    let both = |saved: &str, described: &str| {
        let mut all = files(&docker_archive(&[layer(saved)]));
        all.extend(of(described));
        pack(&all)
    };
    for kind in [ImageKind::DockerArchive, ImageKind::OciArchive] {
        let all = open_bytes(&both("one", "one"), kind).unwrap();
        assert_eq!(names(&all), ["one"]);
        for bytes in [both("one", "two"), gzip(&both("one", "two"))] {
            let refused = open_bytes(&bytes, kind).unwrap_err();
            assert!(refused.contains("other images"), "{refused}");
        }
    }
    // Go reads the first value of a file and leaves the rest.
    let mut all = of("one");
    all.push(("manifest.json".into(), b"[] trailing".to_vec()));
    assert!(open_bytes(&pack(&all), ImageKind::OciArchive).is_err());
}

#[test]
fn documents_that_come_twice_are_refused() {
    let mut all = files(&docker_archive(&[layer("one")]));
    let other = files(&docker_archive(&[layer("two")]));
    assert!(open_bytes(&pack(&all), ImageKind::DockerArchive).is_ok());
    let manifest = all.iter().find(|(path, _)| path == "manifest.json");
    let manifest = manifest.unwrap().clone();
    all.extend(
        other
            .into_iter()
            .filter(|(path, _)| path != "manifest.json"),
    );
    all.push(manifest);
    for bytes in [pack(&all), gzip(&pack(&all))] {
        let refused = open_bytes(&bytes, ImageKind::DockerArchive).unwrap_err();
        assert!(refused.contains("twice"), "{refused}");
    }
}

#[test]
fn members_behind_the_end_are_told() {
    let two = [layer("one"), layer("two")].concat();
    let root = layout(|layout| vec![layout.image("linux", "amd64", &[two])]);
    let all = open(root.path()).unwrap();
    assert_eq!(names(&all), ["one"]);
    assert_eq!(gaps(&all), [(GapKind::Ambiguous, GapClass::Partial)]);
    let archive = docker_archive(&[layer("one")]);
    let all = open_bytes(
        &[archive.clone(), archive].concat(),
        ImageKind::DockerArchive,
    )
    .unwrap();
    assert_eq!(names(&all), ["one"]);
    assert_eq!(gaps(&all), [(GapKind::Ambiguous, GapClass::Partial)]);
}

#[test]
fn archives_are_recognised_wherever_the_image_stands() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let kind = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        recognise_or(&path)
    };
    let mut all: Vec<(String, Vec<u8>)> = (0..200)
        .map(|number| (format!("stranger/{number}"), b"x".to_vec()))
        .collect();
    assert!(matches!(kind(&pack(&all)), Ok(None)));
    assert!(matches!(kind(&gzip(&pack(&all))[..60]), Ok(None)));
    let damaged = pack(&all);
    assert!(matches!(
        kind(&damaged[..damaged.len() / 2 + 512 + 100]),
        Ok(None)
    ));
    let few = pack(&all[..2]);
    assert!(matches!(kind(&few[..1500]), Err(Unknown::Broken(_))));
    all.extend(files(&docker_archive(&[layer("one")])));
    for bytes in [pack(&all), gzip(&pack(&all))] {
        assert!(matches!(kind(&bytes), Ok(Some(ImageKind::DockerArchive))));
    }
    // A skippable frame in front.
    let skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let zstd = zstd::stream::encode_all(&pack(&all)[..], 1).unwrap();
    let framed = [&skippable[..], &zstd].concat();
    assert!(portcullis::source::may_be_archive(&framed));
    assert!(matches!(kind(&framed), Ok(Some(ImageKind::DockerArchive))));
    for magic in [&b"\x04\x22\x4d\x18"[..], b"BZh91AY&SY"] {
        assert!(portcullis::source::may_be_archive(magic));
        assert!(matches!(kind(magic), Err(Unknown::NotRead(_))));
    }
    let xz = xz(&pack(&all));
    assert!(portcullis::source::may_be_archive(&xz[..12]));
    assert!(matches!(kind(&xz), Ok(Some(ImageKind::DockerArchive))));
    // One that ends in its header is something else, as for the other compressions.
    assert!(kind(&xz[..8]).is_ok_and(|kind| kind.is_none()));
    let old = pack(&[(format!("{}/layer.tar", "a".repeat(64)), layer("one"))]);
    assert!(matches!(kind(&old), Err(Unknown::NotRead(_))));
    assert!(!portcullis::source::may_be_archive(b"plain text"));
}

#[test]
fn a_directory_of_skopeo_is_an_image() {
    let root = tempfile::tempdir().unwrap();
    let write = |bytes: &[u8]| {
        fs::write(root.path().join(&digest(bytes)[7..]), bytes).unwrap();
        json!({"digest": digest(bytes), "size": bytes.len()})
    };
    let bytes = layer("one");
    let blob = gzip(&bytes);
    let config = json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [digest(&bytes)]},
    });
    let mut config = write(config.to_string().as_bytes());
    config["mediaType"] = json!(CONFIG);
    let mut layer = write(&blob);
    layer["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]}).to_string();
    fs::write(root.path().join("manifest.json"), &manifest).unwrap();
    assert!(matches!(recognise_or(root.path()), Ok(None)));
    fs::write(
        root.path().join("version"),
        "Directory Transport Version: 1.1\n",
    )
    .unwrap();
    let kind = recognise_or(root.path()).unwrap().unwrap();
    assert_eq!(kind, ImageKind::SkopeoDirectory);
    let all = read_image(kind, root.path(), None).unwrap();
    assert_eq!((names(&all), gaps(&all)), (vec!["one".into()], vec![]));
    // An index, and the manifests that it names.
    let inner = root.path().join(format!(
        "{}.manifest.json",
        &digest(manifest.as_bytes())[7..]
    ));
    fs::write(inner, &manifest).unwrap();
    let index = json!({"schemaVersion": 2, "manifests": [
        {"mediaType": MANIFEST, "digest": digest(manifest.as_bytes()), "size": manifest.len()},
    ]});
    fs::write(root.path().join("manifest.json"), index.to_string()).unwrap();
    assert_eq!(
        names(&read_image(kind, root.path(), None).unwrap()),
        ["one"]
    );
}

#[test]
fn what_does_not_fit_into_the_memory_is_refused() {
    let many: Vec<(String, String)> = (0..3000)
        .map(|number| (format!("package-{number}"), "1-1".to_owned()))
        .collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(name, version)| (name.as_str(), version.as_str()))
        .collect();
    let root = layout(|layout| {
        let bytes = tar(&[(STATUS, &dpkg_status(&many))]);
        vec![layout.image("linux", "amd64", &[bytes])]
    });
    let within = |memory: u64| {
        open_image(
            ImageKind::OciLayout,
            root.path(),
            &portcullis::source::Access::default(),
            None,
            Budget::of(memory),
            None,
            &in_images(),
        )
        .map_err(|error| error.to_string())
    };
    assert_eq!(names(&within(32 << 20).unwrap()).len(), 3000);
    let kept = within(4 << 20).unwrap_err();
    assert!(kept.contains("half of the memory"), "{kept}");
    let shown = within(10 << 20).unwrap_err();
    assert!(shown.contains("packages that fit"), "{shown}");
}

#[test]
fn coverage_adds_up_over_the_layers() {
    let root = layout(|layout| {
        let foreign = json!({
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "digest": digest(b"elsewhere"), "size": 9,
        });
        let first = tar(&[(STATUS, &dpkg_status(&[("a", "1-1")])), ("etc/motd", b"")]);
        let second = tar(&[("usr/share/x", b""), ("opt/x/a-1-py3-none-any.whl", b"PK")]);
        let layers = [
            foreign,
            layout.blob(LAYER, &first),
            layout.blob(LAYER, &second),
        ];
        let diff_ids = [digest(b"elsewhere"), digest(&first), digest(&second)];
        let config = json!({
            "os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": diff_ids},
        });
        vec![layout.manifest(&config, &layers)]
    });
    let all = open(root.path()).unwrap();
    let coverage = &all[0].coverage;
    assert!(coverage.files.adds_up());
    assert_eq!((coverage.files.seen, coverage.files.read), (4, 1));
    assert_eq!(coverage.files.recognised, 2);
    let layers = coverage.layers;
    assert_eq!((layers.whole, layers.cut, layers.unread), (2, 0, 1));
    let told = all[0].files.iter().flat_map(|(_, facts)| &facts.gaps);
    let told: Vec<_> = told.map(|gap| (gap.kind, &*gap.location.path)).collect();
    assert_eq!(told, [(GapKind::NotRead, "opt/x/a-1-py3-none-any.whl")]);
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "a pipe is made by a program")]
fn a_pipe_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no mkfifo");
        return;
    }
    for kind in [
        ImageKind::DockerArchive,
        ImageKind::OciArchive,
        ImageKind::OciLayout,
        ImageKind::SkopeoDirectory,
    ] {
        assert!(read_image(kind, &path, None).is_err());
    }
    assert!(matches!(recognise_or(&path), Ok(None)));
}

#[test]
fn an_artifact_is_named_and_is_not_an_image() {
    let here = tempfile::tempdir().unwrap();
    for (number, (kind, name)) in [
        ("application/vnd.cncf.helm.config.v1+json", "a Helm chart"),
        (
            "application/vnd.wasm.config.v0+json",
            "a WebAssembly module",
        ),
        ("application/vnd.oci.empty.v1+json", "an artifact"),
        ("application/vnd.in-toto+json", "an attestation"),
        (
            "application/vnd.dev.cosign.simplesigning.v1+json",
            "a signature",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let root = here.path().join(number.to_string());
        let layout = Layout(&root);
        layout.create();
        let is_statement = kind.contains("in-toto") || kind.contains("cosign");
        let usual = "application/vnd.oci.image.config.v1+json";
        let config = layout.blob(if is_statement { usual } else { kind }, b"{}");
        let layers = if is_statement {
            vec![layout.blob(kind, b"[]")]
        } else {
            Vec::new()
        };
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let mut descriptor = layout.blob(media_type, manifest.to_string().as_bytes());
        if kind.contains("in-toto") {
            descriptor["annotations"] =
                json!({"vnd.docker.reference.type": "attestation-manifest"});
        }
        layout.index(&[descriptor]);
        let target = format!("oci:{number}");
        let run = crate::cli::run(here.path(), &["scan", &target, "--only", "vuln"]);
        assert_eq!(run.code, 2, "{name}");
        let told = format!("not an image but {name} ({kind})");
        assert!(run.err.contains(&told), "{told}: {}", run.err);
    }
}
