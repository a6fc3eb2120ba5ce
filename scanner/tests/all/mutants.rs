//! Damaged images: one that still opens tells the same packages, or a gap. What the layers hold is
//! covered by digests; this is about what lies around them: tar headers, indexes, manifests.
//!
//! `PORTCULLIS_MUTANTS` is how many of each kind are tried (by default few, always the same ones).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portcullis::source::ImageKind;

use crate::support::read_image;

use crate::support::image::{Layout, docker_archive, dpkg_status, tar};

const FEW: usize = 60;

/// Packages by name and version, and whether anything is told; `None`: it is refused.
fn read(kind: ImageKind, path: &Path) -> Option<(BTreeSet<(String, String)>, bool)> {
    let images = read_image(kind, path, None).ok()?;
    let facts = || {
        let files = images.iter().flat_map(|image| &image.files);
        files.map(|(_, facts)| facts)
    };
    let packages = facts().flat_map(|facts| &facts.packages);
    let packages = packages.map(|package| (package.name.to_string(), package.version.to_string()));
    let told = images.iter().any(|image| !image.gaps.is_empty())
        || facts().any(|facts| !facts.gaps.is_empty());
    Some((packages.collect(), told))
}

fn layers() -> [Vec<u8>; 2] {
    let status = "var/lib/dpkg/status";
    let layer = |packages: &[(&str, &str)]| tar(&[(status, &dpkg_status(packages))]);
    [
        layer(&[("one", "1-1"), ("two", "1-1")]),
        layer(&[("one", "1-1"), ("two", "2-1"), ("three", "3-1")]),
    ]
}

/// Every mutant of some bytes, evenly spread: a byte flipped, deleted or put in, a block of a tar
/// zeroed, deleted or twice, the end cut.
fn mutants(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    const BLOCK: usize = 512;
    let asked = std::env::var("PORTCULLIS_MUTANTS").ok();
    let few = asked.map_or(FEW, |text| text.parse().expect("a number"));
    let spread = move |space: usize| {
        let few = few.min(space);
        (0..few).map(move |index| index * space / few.max(1))
    };
    let with = move |range: std::ops::Range<usize>, new: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.splice(range, new.iter().copied());
        bytes
    };
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for at in spread(bytes.len()) {
        for (name, value) in [("^1", bytes[at] ^ 1), ("^32", bytes[at] ^ 32), ("NUL", 0)] {
            if value != bytes[at] {
                all.push((format!("{name} at {at}"), with(at..at + 1, &[value])));
            }
        }
        all.push((format!("deleted at {at}"), with(at..at + 1, b"")));
        all.push((format!("put in at {at}"), with(at..at, b"x")));
        all.push((format!("cut at {at}"), bytes[..at].to_vec()));
    }
    for block in spread(bytes.len() / BLOCK) {
        let range = block * BLOCK..(block + 1) * BLOCK;
        let old = bytes[range.clone()].to_vec();
        all.push((
            format!("block {block} zeroed"),
            with(range.clone(), &[0; BLOCK]),
        ));
        all.push((format!("block {block} deleted"), with(range.clone(), b"")));
        all.push((
            format!("block {block} twice"),
            with(range.start..range.start, &old),
        ));
    }
    all.into_iter()
}

/// The mutants of a file that lose something in silence.
fn survivors(kind: ImageKind, image: &Path, file: &Path) -> Vec<String> {
    let good = fs::read(file).unwrap();
    let (expected, told) = read(kind, image).unwrap();
    assert!(expected.len() == 3 && !told);
    let mut survivors = Vec::new();
    for (name, bytes) in mutants(&good) {
        fs::write(file, bytes).unwrap();
        match read(kind, image) {
            Some((packages, false)) if packages != expected => {
                survivors.push(format!("{name}: {packages:?}"));
            }
            _ => {}
        }
    }
    fs::write(file, good).unwrap();
    survivors
}

#[test]
fn no_damage_of_an_image_loses_packages_in_silence() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let root = path("layout");
    let layout = Layout(&root);
    layout.create();
    let image = layout.image("linux", "amd64", &layers());
    layout.index(std::slice::from_ref(&image));
    fs::write(path("oci.tar"), layout.archive()).unwrap();
    fs::write(path("docker.tar"), docker_archive(&layers())).unwrap();
    let mut lost = survivors(ImageKind::OciLayout, &root, &root.join("index.json"));
    lost.extend(survivors(
        ImageKind::OciArchive,
        &path("oci.tar"),
        &path("oci.tar"),
    ));
    let docker = path("docker.tar");
    lost.extend(survivors(ImageKind::DockerArchive, &docker, &docker));
    assert!(
        lost.is_empty(),
        "{} survive:\n{}",
        lost.len(),
        lost.join("\n")
    );
}

/// The headers and the end of a layer, of which digests say no more than that it is as its maker wrote
/// it. A damaged member is its parser's business, and an empty layer is a good one.
#[test]
fn no_damage_of_a_layer_before_it_is_signed_loses_packages_in_silence() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("layout");
    let layout = Layout(&root);
    let [base, top] = layers();
    let (expected, mut lost) = (3, Vec::new());
    for (name, bytes) in mutants(&top) {
        let same_header = bytes.starts_with(&top[..512]) && !name.starts_with("cut");
        if same_header || bytes.is_empty() {
            continue;
        }
        let _ = fs::remove_dir_all(&root);
        layout.create();
        layout.index(&[layout.image("linux", "amd64", &[base.clone(), bytes.clone()])]);
        if let Some((packages, false)) = read(ImageKind::OciLayout, &root)
            && packages.len() < expected
        {
            lost.push(format!("{name}: {packages:?}"));
        }
    }
    assert!(
        lost.is_empty(),
        "{} survive:\n{}",
        lost.len(),
        lost.join("\n")
    );
}
