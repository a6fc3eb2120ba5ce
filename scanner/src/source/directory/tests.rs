//! The walk, totals and the ledger.

use std::path::Path;

use super::*;
use crate::gap::GapClass;

const PACKAGES: Interest = Interest {
    packages: true,
    terraform: false,
    vendored: false,
};

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn much_and_little_give_the_same_in_the_same_order() {
    let items: Vec<usize> = (0..100).collect();
    let twice = |item: usize| item * 2;
    assert_eq!(each(items.clone(), true, twice), each(items, false, twice));
}

#[test]
fn a_tree_of_more_than_little_is_read_whole() {
    let root = tempfile::tempdir().unwrap();
    let padding = "#".repeat(usize::try_from(LITTLE).unwrap());
    for name in ["a", "b"] {
        let text = format!("django==1.0\n{padding}\n");
        write(root.path(), &format!("{name}/requirements.txt"), &text);
    }
    let tree = read(root.path(), PACKAGES).unwrap();
    let paths: Vec<&str> = tree.files.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["a/requirements.txt", "b/requirements.txt"]);
    assert!(
        tree.files
            .iter()
            .all(|(_, facts)| facts.packages.len() == 1)
    );
    assert!(tree.gaps.is_empty(), "{:?}", tree.gaps);
}

#[test]
fn every_file_has_one_fate() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for path in [
        "requirements.txt",
        "README",
        "main.tf",
        ".git/config",
        "node_modules/a/package.json",
        "composer.json",
        "vendor/a/composer.lock",
        "layout/oci-layout",
        "layout/index.json",
        "layout/blobs/sha256/00112233445566778899aabbccddeeff",
        "layout/blobs/sha256/requirements.txt",
    ] {
        write(root, path, "x==1\n");
    }
    std::os::unix::fs::symlink("../requirements.txt", root.join("layout/requirements.txt"))
        .unwrap();
    std::os::unix::fs::symlink("gone", root.join("poetry.lock")).unwrap();
    std::os::unix::fs::symlink("layout", root.join("alias")).unwrap();
    let tree = read(root, PACKAGES).unwrap();
    let files = &tree.coverage;
    assert!(files.adds_up(), "{files:?}");
    assert_eq!((files.read, files.unreadable), (2, 1), "{files:?}");
    let skipped = |rule| files.skipped.get(&rule).copied().unwrap_or_default();
    assert_eq!(skipped(SkipRule::Image), 3);
    assert_eq!(skipped(SkipRule::Link), 2);
    assert_eq!(skipped(SkipRule::NotAsked), 1);
    assert_eq!(skipped(SkipRule::Vendored), 1);
    assert_eq!(files.directories.get("node_modules"), Some(&1));
    assert_eq!(tree.images, [("layout".to_owned(), ImageKind::OciLayout)]);
    // The dangling link is a lockfile that nobody read.
    let classes: Vec<_> = tree.gaps.iter().map(|gap| gap.class).collect();
    assert!(classes.contains(&GapClass::Unjudged), "{:?}", tree.gaps);

    let all = Interest {
        vendored: true,
        ..PACKAGES
    };
    let tree = read(root, all).unwrap();
    assert!(
        tree.files
            .iter()
            .any(|(path, _)| &**path == "vendor/a/composer.lock")
    );
}

#[test]
fn a_file_is_read_once_however_many_links_lead_to_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "base.in", "django==1.0\n");
    for name in ["a", "b", "c"] {
        std::fs::create_dir(root.join(name)).unwrap();
        let link = root.join(name).join("requirements.txt");
        std::os::unix::fs::symlink("../base.in", link).unwrap();
    }
    let tree = read(root, PACKAGES).unwrap();
    let paths: Vec<&str> = tree.files.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["a/requirements.txt"]);
    assert_eq!(tree.coverage.skipped.get(&SkipRule::Link), Some(&2));
}
