//! The tree of a commit as a [`Root`]: read from the objects of a repository on this disk, without a
//! work tree. Links are followed inside the tree, as a checkout would have them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Cursor};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use remote::git::store::{Options, Repository, StoreError};
use remote::git::{EntryKind as GitKind, Id, TreeEntry};

use super::{Astray, Blob, EntryKind, Item, Real, Root};

/// Links that are followed on the way to one file, as Linux does.
const LINKS: usize = 40;
/// The longest target of a link.
const LINK_BYTES: u64 = 4096;

/// See the module.
pub(crate) struct CommitTree {
    repository: Repository,
    top: Id,
    /// The folders that were read, by path; a walk asks for each once, and for each file in it.
    folders: Mutex<BTreeMap<PathBuf, Folder>>,
}

/// The entries of a folder, sorted by name.
type Folder = Arc<[(OsString, TreeEntry)]>;

impl CommitTree {
    /// The tree of the commit that `reference` names, of the repository at or around `path`; below
    /// the repository's top, that part of the tree.
    pub(crate) fn open(path: &Path, reference: &str) -> Result<Self, StoreError> {
        let real = path.canonicalize().map_err(|source| StoreError::Io {
            path: path.to_owned(),
            source,
        })?;
        let mut around = real.ancestors();
        let top = around.find(|directory| directory.join(".git").exists());
        let place = top.unwrap_or(&real);
        let repository = Repository::open(place, Options::default())?;
        let commit = repository.commit(&repository.resolve(reference)?)?;
        let mut tree = Self {
            repository,
            top: commit.tree,
            folders: Mutex::default(),
        };
        let below = real.strip_prefix(place).unwrap_or(Path::new(""));
        if below != Path::new("") {
            let found = tree.entry(below).ok().flatten();
            let folder = found.filter(|entry| entry.kind == GitKind::Folder);
            tree.top = folder
                .ok_or_else(|| StoreError::Unknown {
                    name: format!("{reference}:{}", below.display()),
                })?
                .id;
            tree.folders = Mutex::default();
        }
        Ok(tree)
    }

    /// What lies in the folder at a real path.
    fn folder(&self, path: &Path) -> io::Result<Folder> {
        let known = || self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known().get(path) {
            return Ok(Arc::clone(folder));
        }
        let id = if path == Path::new("") {
            self.top.clone()
        } else {
            match self.entry(path)? {
                Some(entry) if entry.kind == GitKind::Folder => entry.id,
                _ => return Err(io::ErrorKind::NotFound.into()),
            }
        };
        let entries = self.repository.tree(&id).map_err(io::Error::other)?;
        let named = entries.into_iter().map(|entry| (name(&entry), entry));
        let mut named: Vec<_> = named.collect();
        named.sort_by(|one, other| one.0.cmp(&other.0));
        let folder: Folder = named.into();
        known().insert(path.to_path_buf(), Arc::clone(&folder));
        Ok(folder)
    }

    /// What lies at a real path, which is not the top.
    fn entry(&self, path: &Path) -> io::Result<Option<TreeEntry>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        let folder = self.folder(parent)?;
        let found = folder.binary_search_by(|(own, _)| own.as_os_str().cmp(name));
        Ok(found
            .ok()
            .and_then(|at| folder.get(at))
            .map(|(_, entry)| entry.clone()))
    }

    /// Where the link at a real path leads, as it is written.
    fn target(&self, entry: &TreeEntry) -> io::Result<PathBuf> {
        let long = || io::Error::other("a link whose target is too long");
        let size = self.repository.size(&entry.id).map_err(io::Error::other)?;
        if size > LINK_BYTES {
            return Err(long());
        }
        let bytes = self.repository.blob(&entry.id).map_err(io::Error::other)?;
        Ok(PathBuf::from(os_string(&bytes)))
    }
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn name(entry: &TreeEntry) -> OsString {
    os_string(&entry.name)
}

const fn kind(kind: GitKind) -> EntryKind {
    match kind {
        GitKind::File => EntryKind::File,
        GitKind::Folder => EntryKind::Directory,
        GitKind::Link => EntryKind::Link,
        GitKind::Submodule => EntryKind::Submodule,
    }
}

impl Root for CommitTree {
    fn list(&self, directory: &Path) -> io::Result<Vec<Item>> {
        let folder = self.folder(directory)?;
        let items = folder.iter().map(|(name, entry)| Item {
            name: name.clone(),
            kind: kind(entry.kind),
        });
        Ok(items.collect())
    }

    fn follow(&self, path: &Path) -> Result<Real, Astray> {
        // What is still to be walked, the next part last.
        let parts = |path: &Path| -> Vec<PathBuf> {
            let parts = path
                .components()
                .map(|part| PathBuf::from(part.as_os_str()));
            parts.rev().collect()
        };
        let mut open = parts(path);
        let mut real = PathBuf::new();
        let mut links = 0_usize;
        while let Some(part) = open.pop() {
            match part.components().next() {
                None | Some(Component::CurDir) => continue,
                Some(Component::ParentDir) => {
                    if !real.pop() {
                        return Err(Astray::Outside(EntryKind::File));
                    }
                    continue;
                }
                Some(Component::Normal(name)) => real.push(name),
                Some(Component::RootDir | Component::Prefix(_)) => {
                    return Err(Astray::Outside(EntryKind::File));
                }
            }
            let found = self.entry(&real)?;
            let entry = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            if entry.kind == GitKind::Link {
                links = links.saturating_add(1);
                if links > LINKS {
                    return Err(io::Error::other("too many links").into());
                }
                real.pop();
                open.extend(parts(&self.target(&entry)?));
            }
        }
        if real == Path::new("") {
            return Ok(Real {
                path: real,
                kind: EntryKind::Directory,
                length: 0,
            });
        }
        let found = self.entry(&real)?;
        let entry = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let length = match entry.kind {
            GitKind::File => self.repository.size(&entry.id).map_err(io::Error::other)?,
            _ => 0,
        };
        Ok(Real {
            path: real,
            kind: kind(entry.kind),
            length,
        })
    }

    fn length(&self, real: &Path) -> io::Result<u64> {
        let found = self.entry(real)?;
        let entry = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        self.repository.size(&entry.id).map_err(io::Error::other)
    }

    fn open(&self, real: &Path) -> io::Result<Box<dyn Blob + '_>> {
        let found = self.entry(real)?;
        let entry = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let content = self.repository.blob(&entry.id).map_err(io::Error::other)?;
        Ok(Box::new(Cursor::new(content)))
    }

    fn place(&self) -> Option<&Path> {
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::process::Command;

    use super::*;
    use crate::analyzer::Watcher;
    use crate::analyzer::tests::Counter;
    use crate::inventory::dispatch::in_trees;
    use crate::model::gap::GapKind;
    use crate::source::root::Directory;
    use crate::source::tree::{Interest, Tree, read};

    const ALL: Interest = Interest {
        packages: true,
        code: true,
        vendored: false,
        memory: 1 << 30,
    };

    fn git(directory: &Path, arguments: &[&str]) -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "repositories to read are made by git"
        )]
        let mut command = Command::new("git");
        let mail = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "a@example.org"));
        let names = ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "a"));
        let done = command
            .current_dir(directory)
            .args(arguments)
            .envs(mail)
            .envs(names)
            .env("HOME", directory)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output();
        let Ok(done) = done else {
            eprintln!("skipped: the program git is not there");
            return false;
        };
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {arguments:?}: {error}");
        true
    }

    /// A repository whose work tree has become another than its commit; `None` without git.
    fn made() -> Option<(tempfile::TempDir, u64)> {
        let top = tempfile::tempdir().unwrap();
        let here = top.path();
        if !git(here, &["init", "-q", "-b", "main"]) {
            return None;
        }
        let long = format!("locals {{}}\n{}", "# long\n".repeat(50_000));
        let files = [
            ("requirements.txt", "django==1.0\n-r more/base.in\n"),
            ("more/base.in", "flask==1.0\n"),
            ("main.tf", long.as_str()),
            ("README", "hello\n"),
            ("app/Cargo.lock", "version = 3\n"),
        ];
        for (path, text) in files {
            let path = here.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, here.join(at)).unwrap();
        link("more", "inside");
        link("../../etc/passwd", "app/outside");
        link("round", "round");
        git(here, &["add", "-A"]);
        let commit = "0123456789012345678901234567890123456789";
        let submodule = format!("160000,{commit},modules/other");
        git(here, &["update-index", "--add", "--cacheinfo", &submodule]);
        git(here, &["commit", "-q", "-m", "x"]);
        std::fs::write(here.join("requirements.txt"), "other==1\n").unwrap();
        Some((top, files.iter().map(|(_, text)| text.len() as u64).sum()))
    }

    fn names(tree: &Tree) -> Vec<&str> {
        let packages = tree.files.iter().flat_map(|(_, facts)| &facts.packages);
        packages.map(|package| &*package.name).collect()
    }

    #[test]
    fn a_watcher_sees_every_byte_of_a_commit_once_beside_the_inventory() {
        let Some((top, total)) = made() else { return };
        let root = CommitTree::open(top.path(), "main").unwrap();
        let counter = Counter::default();
        let watchers: [&dyn Watcher; 1] = [&counter];
        let analyzers = in_trees().with(&watchers);
        let mut tree = read(&root, ALL, &analyzers);
        let code = tree.code.clone();
        let terraform = crate::source::root::Watched::new(&root, &analyzers);
        crate::source::tree::watch_rest(&terraform, &code, &mut tree.files, &mut tree.gaps);
        assert_eq!(
            counter.bytes.load(std::sync::atomic::Ordering::Relaxed),
            total
        );
        let plain = read(&root, ALL, &in_trees());
        assert_eq!(
            names(&plain),
            ["flask", "django"],
            "not those of the work tree"
        );
        assert_eq!(plain.coverage, tree.coverage);
        assert!(plain.coverage.adds_up());
        let gaps = plain.gaps.iter().filter(|gap| gap.kind == GapKind::NotRead);
        let gaps: Vec<_> = gaps.map(|gap| &*gap.location.path).collect();
        assert_eq!(gaps, ["modules/other"]);
    }

    #[test]
    fn a_commit_is_read_as_its_checkout() {
        let Some((top, _)) = made() else { return };
        git(top.path(), &["checkout", "-q", "."]);
        let commit = read(
            &CommitTree::open(top.path(), "HEAD").unwrap(),
            ALL,
            &in_trees(),
        );
        let checkout = read(&Directory::new(top.path()).unwrap(), ALL, &in_trees());
        assert_eq!(commit.files, checkout.files);
        assert_eq!(commit.code, checkout.code);
        let part = CommitTree::open(&top.path().join("more"), "HEAD").unwrap();
        let items = part.list(Path::new("")).unwrap();
        assert_eq!(items.len(), 1, "a part of the tree");
        assert!(CommitTree::open(&top.path().join("more"), "nothing").is_err());
    }

    #[test]
    fn links_stay_inside() {
        let Some((top, _)) = made() else { return };
        let root = CommitTree::open(top.path(), "HEAD").unwrap();
        let follow = |path: &str| root.follow(Path::new(path));
        let real = follow("inside/../inside/base.in").unwrap();
        assert_eq!(
            (real.path.as_path(), real.length),
            (Path::new("more/base.in"), 11)
        );
        assert_eq!(follow("app/..").unwrap().kind, EntryKind::Directory);
        assert!(matches!(follow("app/outside"), Err(Astray::Outside(_))));
        assert!(matches!(follow("../x"), Err(Astray::Outside(_))));
        assert!(matches!(follow("round"), Err(Astray::Io(_))));
        assert!(matches!(follow("README/x"), Err(Astray::Io(_))));
        assert_eq!(root.length(Path::new("README")).unwrap(), 6);
    }
}
