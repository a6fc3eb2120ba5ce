//! Repositories that the program `git` makes are read as it reads them; those that nobody should
//! make are refused. Without the program the first half says that it was skipped.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::git::object::{EntryKind, Format};

fn git(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is read is compared with git itself"
    )]
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "a b")
            .env(format!("GIT_{who}_EMAIL"), "a@example.org");
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: the program git is not there");
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {error}");
    Some(output.stdout)
}

fn text(directory: &Path, arguments: &[&str]) -> String {
    let bytes = git(directory, arguments).expect("git is there");
    String::from_utf8(bytes).expect("text").trim().to_owned()
}

/// A repository with branches, merges, tags, links, and objects that are deltas; `None` without git.
fn made() -> Option<TempDir> {
    let top = TempDir::new().expect("directory");
    let here = top.path();
    git(here, &["init", "-q", "-b", "main"])?;
    let lines: Vec<String> = (0..2000).map(|line| format!("line {line}")).collect();
    let mut long = lines.join("\n");
    for step in 0..12 {
        let _ = writeln!(long, "\nstep {step}");
        std::fs::create_dir_all(here.join("a/b")).expect("folder");
        std::fs::write(here.join("a/b/long.txt"), &long).expect("file");
        std::fs::write(here.join(format!("f{step}")), "x").expect("file");
        git(here, &["add", "-A"])?;
        let message = format!("step {step}");
        git(here, &["commit", "-q", "-m", &message])?;
        if step == 5 {
            git(here, &["branch", "side"])?;
            git(here, &["tag", "-a", "-m", "x", "v1"])?;
        }
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("a/b/long.txt", here.join("link")).expect("link");
    git(here, &["checkout", "-q", "side"])?;
    std::fs::write(here.join("side"), "s").expect("file");
    git(here, &["add", "-A"])?;
    git(here, &["commit", "-q", "-m", "side"])?;
    git(here, &["checkout", "-q", "main"])?;
    Some(top)
}

fn same_as_git(here: &Path) {
    let repository = Repository::open(here, Options::default()).expect("opens");
    let all = text(here, &["cat-file", "--batch-check", "--batch-all-objects"]);
    assert!(all.lines().count() > 30);
    for line in all.lines() {
        let [id, kind, size] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let own = Format::Sha1.parse(id).expect("id");
        let (found, data) = repository.object(&own).expect(line);
        assert_eq!(
            (found.name(), data.len().to_string().as_str()),
            (kind, size)
        );
        assert_eq!(repository.size(&own).expect(line).to_string(), size);
        let expected = git(here, &["cat-file", kind, id]).expect("git");
        assert_eq!(&*data, expected.as_slice(), "{line}");
    }
}

#[test]
fn every_object_is_as_git_has_it() {
    let Some(top) = made() else { return };
    let here = top.path();
    same_as_git(here);
    git(here, &["gc", "-q", "--aggressive"]);
    same_as_git(here);
    let mut index = String::new();
    for entry in std::fs::read_dir(here.join(".git/objects/pack")).expect("packs") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|end| end == "pack") {
            index = path.display().to_string();
        }
    }
    git(here, &["index-pack", "--index-version=1", &index]);
    same_as_git(here);
}

#[test]
fn names_stand_for_what_git_says() {
    let Some(top) = made() else { return };
    let here = top.path();
    let names = [
        "HEAD",
        "@",
        "main",
        "side",
        "refs/heads/side",
        "heads/side",
        "v1",
        "tags/v1",
        "HEAD~3",
        "HEAD^",
        "main~2^",
        "v1~1",
        "HEAD~0",
        "side^1",
    ];
    for packed in [false, true] {
        if packed {
            git(here, &["pack-refs", "--all"]);
        }
        let repository = Repository::open(here, Options::default()).expect("opens");
        for name in names {
            let expected = text(here, &["rev-parse", &format!("{name}^{{commit}}")]);
            let found = repository.resolve(name).expect(name);
            assert_eq!(hex::encode(found), expected, "{name}");
        }
        let whole = text(here, &["rev-parse", "side"]);
        for length in [7, 12, 39, 40] {
            let found = repository.resolve(&whole[..length]).expect("short");
            assert_eq!(hex::encode(found), whole);
        }
        for unknown in [
            "",
            "nothing",
            "HEAD~99",
            "HEAD^2",
            "../HEAD",
            "refs/../HEAD",
            "abc",
            "0000000",
            "config",
            "HEAD~x",
            "a:b",
        ] {
            assert!(repository.resolve(unknown).is_err(), "{unknown}");
        }
        let base = repository.merge_base(
            &repository.resolve("main").expect("main"),
            &repository.resolve("side").expect("side"),
        );
        let expected = text(here, &["merge-base", "main", "side"]);
        assert_eq!(base.expect("base").map(hex::encode), Some(expected));
    }
}

#[test]
fn trees_have_files_folders_and_links() {
    let Some(top) = made() else { return };
    let repository = Repository::open(top.path(), Options::default()).expect("opens");
    let commit = repository.resolve("side").expect("side");
    let commit = repository.commit(&commit).expect("commit");
    let tree = repository.tree(&commit.tree).expect("tree");
    let kinds = |name: &[u8]| {
        tree.iter()
            .find(|entry| entry.name == name)
            .map(|entry| entry.kind)
    };
    assert_eq!(kinds(b"a"), Some(EntryKind::Folder));
    assert_eq!(kinds(b"side"), Some(EntryKind::File));
    #[cfg(unix)]
    {
        let link = tree
            .iter()
            .find(|entry| entry.kind == EntryKind::Link)
            .expect("link");
        assert_eq!(
            &*repository.blob(&link.id).expect("target"),
            b"a/b/long.txt"
        );
    }
    assert!(repository.blob(&commit.tree).is_err(), "a tree is no file");
}

#[test]
fn clones_of_every_kind_are_read() {
    let Some(top) = made() else { return };
    let here = top.path();
    let beside = TempDir::new().expect("directory");
    let clone = |arguments: &[&str]| {
        let path = beside.path().join(format!("clone{}", arguments.join("")));
        let target = path.display().to_string();
        let from = format!("file://{}", here.display());
        let mut all = vec!["clone", "-q"];
        all.extend(arguments);
        all.extend([from.as_str(), target.as_str()]);
        git(beside.path(), &all);
        path
    };
    let head = text(here, &["rev-parse", "HEAD"]);
    let opened = |path: &Path| Repository::open(path, Options::default()).expect("opens");
    let is_head = |repository: &Repository, name: &str| {
        assert_eq!(hex::encode(repository.resolve(name).expect(name)), head);
    };
    is_head(&opened(&clone(&["--bare"])), "main");
    is_head(&opened(&clone(&[])), "origin");
    is_head(&opened(&clone(&["--no-tags"])), "origin/main");
    let shallow = opened(&clone(&["--depth=1"]));
    let tip = shallow.resolve("HEAD").expect("tip");
    assert_eq!(shallow.commit(&tip).expect("commit").parents, [] as [Id; 0]);
    assert!(shallow.resolve("HEAD~1").is_err());
    let shared = beside.path().join("shared");
    let target = shared.display().to_string();
    git(here, &["clone", "-q", "--shared", ".", &target]);
    is_head(&opened(&shared), "HEAD");
    let linked = beside.path().join("linked");
    git(
        here,
        &[
            "worktree",
            "add",
            "-q",
            &linked.display().to_string(),
            "side",
        ],
    );
    let side = text(here, &["rev-parse", "side"]);
    assert_eq!(
        hex::encode(opened(&linked).resolve("HEAD").expect("HEAD")),
        side
    );
    is_head(&opened(&linked), "main");
    let missing = opened(here).object(&[7; 20]).expect_err("missing");
    assert!(matches!(missing, StoreError::Missing { .. }));
}

/// A bare repository by hand.
fn bare(config: &str) -> TempDir {
    let top = TempDir::new().expect("directory");
    for folder in ["objects/pack", "refs/heads"] {
        std::fs::create_dir_all(top.path().join(folder)).expect("folder");
    }
    std::fs::write(top.path().join("HEAD"), "ref: refs/heads/main\n").expect("HEAD");
    std::fs::write(top.path().join("config"), config).expect("config");
    top
}

fn loose(top: &Path, id: &[u8], content: &[u8]) {
    let name = hex::encode(id);
    let folder = top.join("objects").join(&name[..2]);
    std::fs::create_dir_all(&folder).expect("folder");
    let file = std::fs::File::create(folder.join(&name[2..])).expect("file");
    let mut out = flate2::write::ZlibEncoder::new(file, flate2::Compression::fast());
    out.write_all(content).expect("write");
    out.finish().expect("finish");
}

#[test]
fn what_nobody_should_make_is_refused() {
    let top = bare("[core]\n\tbare = true\n");
    let here = top.path();
    let blob = object::id(Format::Sha1, Kind::Blob, b"hello");
    loose(here, &blob, b"blob 5\0hello");
    loose(here, &[1; 20], b"blob 5\0hello");
    loose(here, &[2; 20], b"blob 4\0hello");
    loose(here, &[3; 20], b"blob 99999999999999\0hello");
    loose(here, &[4; 20], b"rope 5\0hello");
    loose(here, &[5; 20], &[b'x'; 100]);
    let small = Options {
        object: 5,
        ..Options::default()
    };
    let repository = Repository::open(here, small).expect("opens");
    assert_eq!(&*repository.blob(&blob).expect("good"), b"hello");
    for wrong in 1..=5 {
        assert!(repository.object(&[wrong; 20]).is_err(), "{wrong}");
    }
    let less = Options {
        object: 4,
        ..Options::default()
    };
    let limited = Repository::open(here, less).expect("opens").blob(&blob);
    assert!(matches!(limited, Err(StoreError::Limit { .. })));
    std::fs::write(here.join("refs/heads/main"), "ref: refs/heads/main\n").expect("circle");
    assert!(repository.resolve("main").is_err());
    std::fs::write(here.join("refs/heads/main"), "ref: ../../../etc/passwd\n").expect("outside");
    assert!(matches!(
        repository.resolve("main"),
        Err(StoreError::Unknown { .. })
    ));
}

#[test]
fn damaged_packs_are_errors() {
    let Some(made) = made() else { return };
    git(made.path(), &["gc", "-q"]);
    let packs = made.path().join(".git/objects/pack");
    let all: Vec<Id> = text(
        made.path(),
        &["cat-file", "--batch-check", "--batch-all-objects"],
    )
    .lines()
    .filter_map(|line| Format::Sha1.parse(&line[..40]))
    .collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&packs)
        .expect("packs")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "pack" || end == "idx")
        })
        .collect();
    files.sort();
    for path in files {
        let good = std::fs::read(&path).expect("file");
        let mut permissions = std::fs::metadata(&path).expect("data").permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file of the test")]
        permissions.set_readonly(false);
        std::fs::set_permissions(&path, permissions).expect("permissions");
        for step in 0..60_usize {
            let mut bad = good.clone();
            let at = step.wrapping_mul(7919) % good.len();
            if step % 3 == 0 {
                bad.truncate(at);
            } else {
                bad[at] ^= 1 << (step % 8);
            }
            std::fs::write(&path, &bad).expect("write");
            let Ok(repository) = Repository::open(made.path(), Options::default()) else {
                continue;
            };
            // Whatever is found has the content that its name says.
            for id in &all {
                if let Ok((kind, data)) = repository.object(id) {
                    assert_eq!(object::id(Format::Sha1, kind, &data), *id);
                }
                let _ = repository.size(id);
            }
        }
        std::fs::write(&path, &good).expect("write");
    }
}

#[test]
fn other_forms_of_repositories_are_named() {
    for (config, what) in [
        ("[extensions]\n\trefstorage = reftable\n", "reftable"),
        ("[extensions]\nobjectFormat = sha7\n", "sha7"),
    ] {
        let error = Repository::open(bare(config).path(), Options::default()).expect_err(what);
        assert!(error.to_string().contains(what), "{error}");
    }
    let empty = TempDir::new().expect("directory");
    let error = Repository::open(empty.path(), Options::default()).expect_err("nothing");
    assert!(matches!(error, StoreError::NotThere { .. }));
    let Some(_) = git(empty.path(), &["init", "-q", "--object-format=sha256"]) else {
        return;
    };
    std::fs::write(empty.path().join("f"), "x").expect("file");
    git(empty.path(), &["add", "f"]);
    git(empty.path(), &["commit", "-q", "-m", "x"]);
    let repository = Repository::open(empty.path(), Options::default()).expect("opens");
    let head = repository.resolve("HEAD").expect("HEAD");
    assert_eq!(
        hex::encode(&head),
        text(empty.path(), &["rev-parse", "HEAD"])
    );
}
