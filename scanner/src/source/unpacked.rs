//! A root file system that lies unpacked in a directory, as `docker export` and `debootstrap` leave
//! one: read as the one layer of an image, by everything that reads layers. Its links lead to where
//! they would lead with the directory as root, and none of them is followed by the system.
//!
//! Names are not those of whiteouts, devices and pipes are never opened, and a file with several
//! names is read under the first. What the kernel shows in a live system (`/proc`, `/sys`, `/dev` on
//! file systems of their own) is not entered, and counted. What may not be read is a gap.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::image::{Image, LayerRef};
use super::members::{Content, Members};
use super::names;
use super::scanned::LayerScan;
use super::stop::Stop;
use super::stream::{Promise, Shared};
use super::tar::{Member, MemberKind};
use super::wanted::Selection;
use super::{Contents, limits};
use crate::analyzer::{Analyzers, Want};
use crate::model::coverage::{self, Files};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::{Layer, Location};

/// Directories at the root where a running kernel shows itself.
const OF_THE_KERNEL: [&str; 3] = ["dev", "proc", "sys"];

/// Where a distribution names itself.
const RELEASES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Bytes read from a file at once.
const BUFFER: usize = 32 << 10;

/// Whether a directory is the root of an installed system: it names a distribution, and has a package
/// database where one of the readers looks for it.
pub fn is_root_file_system(path: &Path, analyzers: &Analyzers<'_>) -> bool {
    let has = |name: &str| fs::symlink_metadata(path.join(name)).is_ok();
    if !RELEASES.into_iter().any(has) {
        return false;
    }
    let readers = (analyzers.readers)();
    let mut databases = readers
        .iter()
        .filter(|(reader, _)| reader.is_database())
        .flat_map(|(_, wants)| *wants);
    databases.any(|want| match want {
        Want::Path(path) => has(path),
        Want::In(directory) => has(directory.trim_end_matches('/')),
        _ => false,
    })
}

/// The image that it is read as.
pub(super) fn image() -> Image {
    Image {
        layers: vec![LayerRef {
            name: ".".to_owned(),
            promise: Promise::default(),
            unknown_type: None,
            foreign: false,
            created_by: None,
        }],
        ..Image::default()
    }
}

/// Takes the one layer out again, which nobody made.
pub(super) fn without_layers(contents: &mut Contents) {
    contents.layers.clear();
    contents.coverage.layers = coverage::Layers::default();
    let plain = |location: &mut Location| location.layer = None::<Arc<Layer>>;
    for (_, facts) in &mut contents.files {
        let packages = facts.packages.iter_mut();
        packages
            .flat_map(|package| &mut package.locations)
            .chain(facts.gaps.iter_mut().map(|gap| &mut gap.location))
            .for_each(plain);
    }
    let gaps = contents.gaps.iter_mut();
    gaps.map(|gap| &mut gap.location).for_each(plain);
}

/// Reads the files below a directory.
pub(super) fn scan(
    root: &Path,
    shared: &Shared,
    analyzers: &Analyzers<'_>,
    selection: &Selection,
) -> Result<LayerScan, Stop> {
    let mut walk = Walk {
        root,
        shared,
        analyzers,
        selection,
        members: Members::unpacked(analyzers),
        links: Links::default(),
        kernel: Files::default(),
    };
    let stopped = walk.all()?;
    walk.finish(stopped.as_deref())
}

struct Walk<'a> {
    root: &'a Path,
    shared: &'a Shared,
    analyzers: &'a Analyzers<'a>,
    selection: &'a Selection,
    members: Members,
    links: Links,
    /// Directories that were not entered.
    kernel: Files,
}

impl Walk<'_> {
    /// Reads all; the limit that ended it.
    fn all(&mut self) -> Result<Option<String>, Stop> {
        let top =
            fs::metadata(self.root).map_err(|error| Stop::Broken(error.kind().to_string()))?;
        // The entries still to be met, the next one last.
        let mut open: Vec<PathBuf> = Vec::new();
        self.list(Path::new(""), &mut open);
        while let Some(path) = open.pop() {
            let data = fs::symlink_metadata(self.root.join(&path));
            let is_directory = match &data {
                Ok(data) => data.is_dir(),
                Err(_) => false,
            };
            let shown = shown(&path);
            match data {
                Err(error) => {
                    let cause = error.kind().to_string();
                    let gap = unreadable(&shown, cause);
                    self.members.note(gap.unjudged());
                }
                Ok(data) if is_kernels(&path, &data, &top) => {
                    self.kernel.skip_directory(&shown);
                    continue;
                }
                Ok(data) => self.meet(&path, &shown, &data),
            }
            match self.members.limit(&self.shared.totals) {
                Some(Stop::Limit(cause)) => return Ok(Some(cause)),
                Some(stop) => return Err(stop),
                None => {}
            }
            if is_directory {
                self.list(&path, &mut open);
            }
        }
        Ok(None)
    }

    /// Adds what lies in a directory, so that the first by name comes first.
    fn list(&mut self, directory: &Path, open: &mut Vec<PathBuf>) {
        // One more than a layer may have ends the walk at that limit.
        let most = limits::LAYER_PATHS.saturating_add(1);
        let read = fs::read_dir(self.root.join(directory));
        let names: io::Result<Vec<_>> = read.and_then(|entries| {
            let names = entries.take(most).map(|entry| Ok(entry?.file_name()));
            names.collect()
        });
        match names {
            Ok(mut names) => {
                names.sort_by(|one, other| other.cmp(one));
                open.extend(names.into_iter().map(|name| directory.join(name)));
            }
            // What lies behind it is not known at all. The text of other errors repeats the path,
            // which may be absolute.
            Err(error) => {
                let cause = format!("the directory cannot be listed: {}", error.kind());
                let gap = unreadable(&shown(directory), cause);
                self.members.note(gap.unjudged());
            }
        }
    }

    /// Takes one entry as the member of a layer.
    fn meet(&mut self, path: &Path, shown: &str, data: &Metadata) {
        let mut member = Member {
            kind: kind(data),
            path: bytes(path),
            link: Vec::new(),
            size: data.len(),
            executable: is_executable(data),
        };
        if member.kind == MemberKind::File
            && let Some(first) = self.links.first(data, path)
        {
            member.kind = MemberKind::HardLink;
            member.link = bytes(&first);
        }
        if member.kind == MemberKind::Symlink {
            match fs::read_link(self.root.join(path)) {
                Ok(target) => member.link = bytes(&target),
                Err(error) => {
                    let gap = unreadable(shown, error.kind().to_string());
                    self.members.note(gap.unjudged());
                    return;
                }
            }
        }
        let mut content = OnDisk::new(self.root.join(path), member.size);
        self.members.take(
            &mut content,
            &member,
            self.shared,
            self.analyzers,
            self.selection,
        );
        if let Some(cause) = content.fault {
            self.lost(shown, &cause);
        }
    }

    /// Notes that a file could not be read.
    fn lost(&mut self, path: &str, cause: &str) {
        let gap = unreadable(path, cause.to_owned());
        if self.selection.runs(self.analyzers, path).is_empty() {
            // A program, perhaps; nothing else is opened without a reader.
            self.members.note(gap);
        } else {
            self.members.unread();
            self.members.note(gap.unjudged());
        }
    }

    fn finish(mut self, stopped: Option<&str>) -> Result<LayerScan, Stop> {
        if let Some(limit) = stopped {
            let cause = format!("{limit}; the rest of the directory was not read");
            let gap = Gap::warning(Stage::Source, GapKind::Limit, Location::file("."), cause);
            self.members.note(gap.unjudged());
        }
        let mut scan = self.members.finish(&self.shared.totals)?;
        scan.coverage.add(&self.kernel);
        // Nothing was hashed.
        scan.diff_id = Some(Arc::default());
        Ok(scan)
    }
}

fn unreadable(path: &str, cause: String) -> Gap {
    let place = Location::file(super::digest::shorten_to(path, 1024));
    Gap::warning(Stage::Source, GapKind::Unreadable, place, cause)
}

fn kind(data: &Metadata) -> MemberKind {
    let kind = data.file_type();
    if kind.is_dir() {
        MemberKind::Directory
    } else if kind.is_symlink() {
        MemberKind::Symlink
    } else if kind.is_file() {
        MemberKind::File
    } else {
        MemberKind::Special
    }
}

/// A path as the members of a tar have it.
#[cfg(unix)]
fn bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

fn shown(path: &Path) -> String {
    names::text(&bytes(path)).into_owned()
}

#[cfg(unix)]
fn is_executable(data: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    data.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

/// Whether a running kernel shows itself in a directory at the root: only where it is a file system of
/// its own, since whoever fills a directory could else hide packages there.
#[cfg(unix)]
fn is_kernels(path: &Path, data: &Metadata, top: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let is_named = OF_THE_KERNEL.iter().any(|name| path == Path::new(name));
    is_named && data.is_dir() && data.dev() != top.dev()
}

#[cfg(not(unix))]
fn is_kernels(_: &Path, _: &Metadata, _: &Metadata) -> bool {
    false
}

/// Files that have several names, by their first.
#[derive(Default)]
struct Links {
    #[cfg(unix)]
    first: std::collections::BTreeMap<(u64, u64), PathBuf>,
}

impl Links {
    /// The name under which a file was met before.
    #[cfg(unix)]
    fn first(&mut self, data: &Metadata, path: &Path) -> Option<PathBuf> {
        use std::os::unix::fs::MetadataExt as _;
        // Beyond the limit each name is read as a file of its own, which tells no less.
        if data.nlink() < 2 || self.first.len() >= limits::LINKS {
            return None;
        }
        match self.first.entry((data.dev(), data.ino())) {
            std::collections::btree_map::Entry::Occupied(known) => Some(known.get().clone()),
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(path.to_owned());
                None
            }
        }
    }

    #[cfg(not(unix))]
    fn first(&mut self, _: &Metadata, _: &Path) -> Option<PathBuf> {
        None
    }
}

/// The content of a file, which is opened when somebody reads it.
struct OnDisk {
    path: PathBuf,
    file: Option<BufReader<io::Take<File>>>,
    size: u64,
    fault: Option<String>,
}

impl OnDisk {
    const fn new(path: PathBuf, size: u64) -> Self {
        Self {
            path,
            file: None,
            size,
            fault: None,
        }
    }

    fn opened(&mut self) -> io::Result<&mut BufReader<io::Take<File>>> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            // A file that grows while it is read is the one that was met.
            let file = File::open(&self.path)?.take(self.size);
            let buffer = usize::try_from(self.size).map_or(BUFFER, |size| size.min(BUFFER));
            BufReader::with_capacity(buffer.max(1), file)
        };
        Ok(self.file.insert(file))
    }

    /// Remembers why nothing more comes.
    fn failed(&mut self, error: &io::Error) -> io::Error {
        let cause = error.kind().to_string();
        self.fault = Some(cause.clone());
        io::Error::new(error.kind(), cause)
    }
}

impl Read for OnDisk {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.opened().and_then(|file| file.read(out));
        read.map_err(|error| self.failed(&error))
    }
}

impl Content for OnDisk {
    fn is_here(&self) -> bool {
        true // what cannot be opened has a fault
    }
}

impl BufRead for OnDisk {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let filled = self.opened().and_then(|file| file.fill_buf().map(|_| ()));
        if let Err(error) = filled {
            return Err(self.failed(&error));
        }
        let file = self.file.as_ref();
        Ok(file.map(BufReader::buffer).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        if let Some(file) = &mut self.file {
            file.consume(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::in_images;
    use crate::source::hashing::Cores;
    use crate::source::limits::Budget;
    use crate::source::totals::Totals;

    fn shared() -> Shared {
        Shared {
            cores: Arc::new(Cores::new(1, 1)),
            totals: Arc::new(Totals::new(Budget::default(), 0)),
        }
    }

    fn walk<'a>(root: &'a Path, shared: &'a Shared, analyzers: &'a Analyzers<'a>) -> Walk<'a> {
        Walk {
            root,
            shared,
            analyzers,
            selection: &Selection::Installed,
            members: Members::unpacked(analyzers),
            links: Links::default(),
            kernel: Files::default(),
        }
    }

    /// The owner of everything may read everything, so that files that are gone stand for those that may
    /// not be read.
    #[test]
    fn what_may_not_be_read_is_a_gap() {
        let root = tempfile::tempdir().unwrap();
        let analyzers = in_images();
        let shared = shared();
        let mut walk = walk(root.path(), &shared, &analyzers);
        let file = root.path().join("some");
        fs::write(&file, b"0123456789").unwrap();
        let plain = fs::symlink_metadata(&file).unwrap();
        let program = fs::metadata(std::env::current_exe().unwrap()).unwrap();
        for (path, data) in [
            ("var/lib/dpkg/status", &plain),
            ("etc/shadow", &plain),
            ("usr/bin/app", &program),
        ] {
            walk.meet(Path::new(path), path, data);
        }
        let mut open = Vec::new();
        walk.list(Path::new("locked"), &mut open);
        assert!(open.is_empty());
        let scan = walk.finish(None).unwrap();
        let told: Vec<String> = scan
            .gaps
            .iter()
            .map(|gap| format!("{} {:?} {}", gap.location.path, gap.class, gap.cause))
            .collect();
        assert_eq!(
            told,
            [
                "var/lib/dpkg/status Unjudged entity not found",
                "usr/bin/app Partial entity not found",
                "locked Unjudged the directory cannot be listed: entity not found",
            ]
        );
        assert!(scan.coverage.adds_up());
        assert_eq!((scan.coverage.unreadable, scan.coverage.read), (2, 0));
    }

    #[cfg(unix)]
    #[test]
    fn a_running_kernel_is_passed_over_and_a_directory_of_its_name_is_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("proc")).unwrap();
        let data = |path: &Path| fs::metadata(path).unwrap();
        let (inner, top) = (data(&root.path().join("proc")), data(root.path()));
        assert!(!is_kernels(Path::new("proc"), &inner, &top));
        let (proc, root) = (Path::new("/proc/self"), Path::new("/"));
        if !proc.exists() {
            println!("skipped: no /proc");
            return;
        }
        let (proc, root) = (data(Path::new("/proc")), data(root));
        assert!(is_kernels(Path::new("proc"), &proc, &root));
        assert!(!is_kernels(Path::new("srv/proc"), &proc, &root));
        assert!(!is_kernels(Path::new("home"), &proc, &root));
    }
}
