//! The walk, totals and the ledger.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::analyzer::tests::Counter;
use crate::inventory::dispatch::in_trees;
use crate::model::gap::GapClass;
use crate::source::root::{Astray, Blob, Directory, Item, Real};

const PACKAGES: Interest = Interest {
    packages: true,
    code: false,
    vendored: false,
    memory: 1 << 30,
};

fn scan(root: &Path, interest: Interest) -> Tree {
    read(&Directory::new(root).unwrap(), interest, &in_trees())
}

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
    let tree = scan(root.path(), PACKAGES);
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
fn programs_are_read_up_to_a_limit() {
    const HEAD: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x04\0\0\0Go\0\0";
    let root = tempfile::tempdir().unwrap();
    let info = [
        HEAD,
        b"\xff Go buildinf:\x08\x02",
        &[0; 16],
        b"\x08go1.22.1\0",
    ];
    std::fs::write(root.path().join("short"), info.concat()).unwrap();
    std::fs::write(root.path().join("long"), info.concat()).unwrap();
    let long = std::fs::File::options()
        .write(true)
        .open(root.path().join("long"));
    // Nothing is written beyond its beginning.
    long.unwrap().set_len(sniff::PROGRAM_BYTES + 1).unwrap();
    let tree = scan(root.path(), PACKAGES);
    let all = tree.files.iter();
    let packages = all.flat_map(|(path, facts)| facts.packages.iter().map(move |one| (path, one)));
    let told: Vec<_> = packages
        .map(|(path, one)| format!("{path} {}@{}", one.name, one.version))
        .collect();
    assert_eq!(told, ["short stdlib@1.22.1"]);
    let unread: Vec<_> = tree.gaps.iter().map(|gap| &*gap.location.path).collect();
    assert_eq!(unread, ["long"], "{:?}", tree.gaps);
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
    let tree = scan(root, PACKAGES);
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
    let tree = scan(root, all);
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
    let tree = scan(root, PACKAGES);
    let paths: Vec<&str> = tree.files.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["a/requirements.txt"]);
    assert_eq!(tree.coverage.skipped.get(&SkipRule::Link), Some(&2));
}

fn paths(tree: &Tree) -> Vec<&str> {
    tree.files.iter().map(|(path, _)| &**path).collect()
}

fn gap_paths(tree: &Tree) -> Vec<&str> {
    tree.gaps.iter().map(|gap| &*gap.location.path).collect()
}

/// A name alone hides nothing: what the tool does not put into its folder is the project's.
#[test]
fn a_project_in_the_folder_of_a_tool_is_read() {
    let root = tempfile::tempdir().unwrap();
    for path in [
        ".hg/store/a/requirements.txt",
        ".svn/requirements.txt",
        ".terraform/app/requirements.txt",
        ".terraform/modules/x/requirements.txt",
        ".terragrunt-cache/app/requirements.txt",
        ".terragrunt-cache/digest/digest/requirements.txt",
        "a/.git/HEAD",
        "a/.git/objects/requirements.txt",
        "b/.git/HEAD",
        "b/.git/app/requirements.txt",
    ] {
        write(root.path(), path, "x==1\n");
    }
    let tree = scan(root.path(), PACKAGES);
    let read: [&str; 4] = [
        ".svn/requirements.txt",
        ".terraform/app/requirements.txt",
        ".terragrunt-cache/app/requirements.txt",
        "b/.git/app/requirements.txt",
    ];
    assert_eq!(paths(&tree), read);
    assert_eq!(gap_paths(&tree), [""; 0]);
    let directories = tree.coverage.directories;
    let count = |name| directories.get(name).copied();
    assert_eq!(
        (count(".git"), count(".hg"), count(".terraform")),
        (Some(1), Some(1), Some(1))
    );
}

#[test]
fn lockfiles_of_vendored_trees_are_one_gap_each() {
    let root = tempfile::tempdir().unwrap();
    for path in [
        "composer.lock",
        "vendor/a/composer.lock",
        "vendor/b/composer.lock",
        "env/pyvenv.cfg",
        "env/share/x/requirements.txt",
        "env/share/x/README",
        "c/go.mod",
        "c/vendor/README",
    ] {
        write(root.path(), path, "");
    }
    let told = |vendored| {
        let interest = Interest {
            vendored,
            ..PACKAGES
        };
        let tree = scan(root.path(), interest);
        let gaps = tree.gaps.iter().filter(|gap| gap.kind == GapKind::NotRead);
        gaps.map(|gap| (gap.location.path.to_string(), gap.class))
            .collect::<Vec<_>>()
    };
    let partial = |path: &str| (path.to_owned(), GapClass::Partial);
    assert_eq!(told(false), [partial("env/share"), partial("vendor")]);
    assert_eq!(told(true), []);
}

#[test]
fn installations_that_no_lockfile_answers_for_are_told() {
    for (file, lockfile, told) in [
        (
            "a/.venv/lib/python3/site-packages/x-1.dist-info/METADATA",
            "a/poetry.lock",
            "a/.venv/lib/python3/site-packages",
        ),
        ("vendor/composer/installed.json", "composer.lock", "vendor"),
        ("vendor/x/.cargo-checksum.json", "Cargo.lock", "vendor"),
        (
            "vendor/bundle/ruby/3/specifications/x.gemspec",
            "Gemfile.lock",
            "vendor/bundle/ruby/3",
        ),
        (
            "a/node_modules/x/package.json",
            "yarn.lock",
            "a/node_modules",
        ),
        (".yarn/cache/x.zip", "yarn.lock", ".yarn/cache"),
        ("ios/Pods/Manifest.lock", "ios/Podfile.lock", "ios/Pods"),
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), file, "");
        let installed = |tree: Tree| {
            let gaps = tree.gaps.into_iter();
            let gaps = gaps.filter(|gap| gap.cause.starts_with("installed packages"));
            gaps.map(|gap| gap.location.path.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(installed(scan(root.path(), PACKAGES)), [told]);
        write(root.path(), lockfile, "");
        assert_eq!(
            installed(scan(root.path(), PACKAGES)),
            [""; 0],
            "{lockfile}"
        );
    }
}

#[test]
fn packages_beyond_the_memory_are_unjudged() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for name in ["a", "b", "c"] {
        write(root, &format!("{name}/requirements.txt"), "x==1\ny==2\n");
    }
    // Read in batches: what is over the limit after one of them is cut.
    let padding = "#".repeat(usize::try_from(BATCH).unwrap());
    write(root, "b/requirements.txt", &format!("x==1\n{padding}\n"));
    let little = Interest {
        memory: PACKAGE_BYTES * 2,
        ..PACKAGES
    };
    let tree = scan(root, little);
    let paths: Vec<&str> = tree.files.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["a/requirements.txt", "b/requirements.txt"]);
    assert_eq!(tree.coverage.skipped.get(&SkipRule::Limit), Some(&1));
    let gap = tree.gaps.first().unwrap();
    assert_eq!(
        (&*gap.location.path, gap.class),
        ("c/requirements.txt", GapClass::Unjudged)
    );
    assert!(tree.coverage.adds_up());
}

/// A root that counts the bytes that are read from it.
struct Metered {
    inner: Directory,
    bytes: AtomicU64,
}

struct Meter<'a>(Box<dyn Blob + 'a>, &'a AtomicU64);

impl io::Read for Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl io::Seek for Meter<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Root for Metered {
    fn list(&self, directory: &Path) -> io::Result<Vec<Item>> {
        self.inner.list(directory)
    }

    fn follow(&self, path: &Path) -> Result<Real, Astray> {
        self.inner.follow(path)
    }

    fn length(&self, real: &Path) -> io::Result<u64> {
        self.inner.length(real)
    }

    fn open(&self, real: &Path) -> io::Result<Box<dyn Blob + '_>> {
        Ok(Box::new(Meter(self.inner.open(real)?, &self.bytes)))
    }

    fn place(&self) -> Option<&Path> {
        self.inner.place()
    }
}

#[test]
fn a_watcher_sees_every_byte_once_beside_the_inventory() {
    let root = tempfile::tempdir().unwrap();
    let long = format!("locals {{}}\n{}", "# long\n".repeat(50_000));
    let executable = format!("\x7fELF{}", "rustc version 1.90.0".repeat(10_000));
    let files = [
        ("requirements.txt", "django==1.0\n-r more/base.in\n"),
        ("more/base.in", "flask==1.0\n"),
        ("package-lock.json", "not json"),
        ("main.tf", "variable \"a\" {}\n"),
        ("long.tf", long.as_str()),
        ("read.tfvars", "a = 1\n"),
        ("README", "hello\n"),
        ("empty", ""),
        ("deploy.yaml", "apiVersion: v1\nkind: Pod\n"),
        ("bun.lockb", "{}"),
        ("program", executable.as_str()),
    ];
    for (path, text) in files {
        write(root.path(), path, text);
    }
    std::os::unix::fs::symlink("README", root.path().join("link")).unwrap();
    let total: u64 = files.iter().map(|(_, text)| text.len() as u64).sum();
    let metered = Metered {
        inner: Directory::new(root.path()).unwrap(),
        bytes: AtomicU64::new(0),
    };
    let counter = Counter::default();
    let watchers: [&dyn crate::analyzer::Watcher; 1] = [&counter];
    let analyzers = in_trees().with(&watchers);
    let interest = Interest {
        code: true,
        ..PACKAGES
    };
    let mut tree = read(&metered, interest, &analyzers);
    let terraform = Watched::new(&metered, &analyzers);
    // The evaluator reads one of them, twice.
    for _ in 0..2 {
        rules::files::Files::read(&terraform, "main.tf").unwrap();
    }
    let code = tree.code.clone();
    watch_rest(&terraform, &code, &mut tree.files, &mut tree.gaps);
    assert_eq!(counter.bytes.load(Ordering::Relaxed), total);
    assert_eq!(counter.files.load(Ordering::Relaxed), files.len() as u64);
    // The evaluator asked twice for one file; nothing else was read again.
    let again = files[3].1.len() as u64;
    assert_eq!(metered.bytes.load(Ordering::Relaxed), total + again);
    let packages = tree.files.iter().flat_map(|(_, facts)| &facts.packages);
    let names: Vec<_> = packages.map(|package| &*package.name).collect();
    let of = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
    assert_eq!(
        (of("bytes"), of("django"), of("flask")),
        (files.len(), 1, 1)
    );
    // Without a watcher the same is found, and no more is read than is needed.
    let plain = read(&metered.inner, interest, &in_trees());
    assert_eq!(plain.coverage, tree.coverage);
    assert_eq!(plain.gaps, tree.gaps);
}
