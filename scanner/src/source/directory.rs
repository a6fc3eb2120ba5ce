//! Reads a source tree: one walk finds lockfiles, Terraform directories and images lying in it;
//! every wanted file is read once. Nothing outside the root is ever opened, links included.
//!
//! `.gitignore` is not obeyed (an ignored lockfile still gets built in CI); version-control
//! folders, `node_modules` and `.terraform` are not entered: they hold copies of what the
//! lockfiles name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;
use rayon::prelude::*;
use rules::files::{DirEntry, Files};

use super::{ImageKind, SourceError};
use crate::gap::{Gap, GapKind, Stage};
use crate::inventory::{Content, Evidence, Facts, Need, Parser, dispatch};
use crate::location::Location;

/// Folders that are not entered.
pub const SKIPPED_DIRECTORIES: [&str; 5] = [".git", ".hg", ".svn", "node_modules", ".terraform"];

/// How deep directories may lie; deeper ones are a gap.
pub const MAX_DEPTH: usize = 128;

/// How many entries a tree may have; the rest is a gap.
pub const MAX_ENTRIES: usize = 5_000_000;

/// The largest file that Terraform code may name or be.
pub const MAX_TERRAFORM_FILE: u64 = 16 * 1024 * 1024;

/// The smallest file that can be an image archive: a header, a member and an end.
const MIN_ARCHIVE: u64 = 1024;

/// Up to so many bytes of lockfiles are read on one thread, in a few milliseconds.
const LITTLE: u64 = 256 * 1024;

/// Up to so many files are tried as images on one thread.
const FEW_CANDIDATES: usize = 8;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Tree {
    /// Facts of every file that a parser wanted, sorted by path.
    pub files: Vec<(Arc<str>, Facts)>,
    /// Directories with Terraform files, sorted, relative, `""` is the root.
    pub terraform: Vec<String>,
    /// Image layouts and archives found inside, as paths relative to the root, sorted.
    pub images: Vec<(String, ImageKind)>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Which parts of a tree the run needs.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    /// Lockfiles and images.
    pub packages: bool,
    /// Terraform.
    pub terraform: bool,
}

/// Walks `root`.
pub fn read(root: &Path, interest: Interest) -> Result<Tree, SourceError> {
    let io_error = |source| SourceError::Io {
        path: root.to_path_buf(),
        source,
    };
    std::fs::read_dir(root).map_err(io_error)?;
    let canonical = root.canonicalize().map_err(io_error)?;
    let mut tree = Tree::default();
    let mut wanted = Vec::new();
    let mut wanted_bytes: u64 = 0;
    let mut candidates = Vec::new();
    let mut layouts: Vec<String> = Vec::new();
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(MAX_DEPTH))
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(|entry| {
            entry.depth() == 0
                || !entry.file_type().is_some_and(|kind| kind.is_dir())
                || !SKIPPED_DIRECTORIES
                    .iter()
                    .any(|skipped| entry.file_name() == *skipped)
        })
        .build();
    for (count, entry) in walk.enumerate() {
        if count >= MAX_ENTRIES {
            tree.gaps.push(gap(
                GapKind::Limit,
                "",
                &format!("more than {MAX_ENTRIES} files; the rest was not looked at"),
            ));
            break;
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                tree.gaps.push(walk_gap(root, &error));
                continue;
            }
        };
        let Some(relative) = relative(root, entry.path()) else {
            continue;
        };
        // A layout's blobs are read through its index, not as files of the tree.
        if layouts.iter().any(|layout| is_blob(&relative, layout)) {
            continue;
        }
        let Some(kind) = entry.file_type() else {
            continue;
        };
        if entry.path().to_str().is_none() && (kind.is_dir() || is_interesting(&relative, interest))
        {
            tree.gaps.push(gap(
                GapKind::Unreadable,
                &relative,
                "a name that is not UTF-8",
            ));
        }
        if kind.is_symlink()
            && let Some(cause) = unfollowed(&canonical, entry.path())
        {
            tree.gaps.push(gap(GapKind::Link, &relative, cause));
            continue;
        }
        if kind.is_dir() {
            if entry.depth() >= MAX_DEPTH {
                tree.gaps.push(gap(
                    GapKind::Limit,
                    &relative,
                    &format!("deeper than {MAX_DEPTH} directories"),
                ));
            }
            if interest.packages && entry.depth() > 0 && super::recognise(entry.path()).is_some() {
                layouts.push(relative);
            }
        } else if kind.is_file() || kind.is_symlink() {
            if interest.terraform && is_terraform(&relative) {
                tree.terraform.push(parent(&relative).to_owned());
            }
            if !interest.packages {
                continue;
            }
            if !dispatch::by_path(&relative, Evidence::Locked).is_empty() {
                wanted_bytes = wanted_bytes.saturating_add(length(&entry));
                wanted.push(relative);
            } else if kind.is_file() && may_be_archive(&entry) {
                candidates.push(relative);
            }
        } else if is_interesting(&relative, interest) {
            tree.gaps.push(gap(
                GapKind::Unreadable,
                &relative,
                "neither a file nor a directory",
            ));
        }
    }
    tree.terraform.sort();
    tree.terraform.dedup();
    let few = candidates.len() <= FEW_CANDIDATES;
    let recognised = each(candidates, few, |path| {
        (super::recognise_or(&root.join(&path)), path)
    });
    for (kind, path) in recognised {
        match kind {
            Ok(Some(kind)) => tree.images.push((path, kind)),
            Ok(None) => {}
            Err(cause) => {
                let cause = format!("perhaps an image, but it cannot be read: {cause}");
                tree.gaps.push(gap(GapKind::Malformed, &path, &cause));
            }
        }
    }
    let layouts = layouts.into_iter();
    tree.images
        .extend(layouts.map(|path| (path, ImageKind::OciLayout)));
    tree.images.sort();
    let little = wanted_bytes <= LITTLE;
    tree.files = each(wanted, little, |path| {
        let facts = read_file(&canonical, &path);
        (Arc::from(path), facts)
    });
    tree.files.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(tree)
}

/// Works on each item: the little at once, the rest on all processors. Threads cost more memory
/// (a stack and a heap each) than a usual project's lockfiles.
fn each<T: Send, R: Send>(
    items: Vec<T>,
    little: bool,
    work: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    if little {
        items.into_iter().map(work).collect()
    } else {
        items.into_par_iter().map(work).collect()
    }
}

/// The length of a file, only to tell little work from much.
fn length(entry: &ignore::DirEntry) -> u64 {
    // A link says nothing about its target.
    let known = entry.metadata().ok().filter(std::fs::Metadata::is_file);
    known.map_or(u64::MAX, |metadata| metadata.len())
}

/// Runs every parser that wants the file; a file that cannot be read gives a gap alone.
fn read_file(root: &Path, path: &str) -> Facts {
    let mut all = Facts::default();
    for parser in dispatch::by_path(path, Evidence::Locked) {
        match run_parser(root, path, parser) {
            Ok(facts) => {
                all.packages.extend(facts.packages);
                all.owned.extend(facts.owned);
                all.distribution = all.distribution.or(facts.distribution);
                all.gaps.extend(facts.gaps);
            }
            Err(unread) => all.gaps.push(*unread),
        }
    }
    all
}

fn run_parser(root: &Path, path: &str, parser: &Parser) -> Result<Facts, Box<Gap>> {
    let unreadable = |cause: String| Box::new(gap(GapKind::Unreadable, path, &cause));
    let file = open_inside(root, path).map_err(unreadable)?;
    match parser.need {
        Need::Stream => Ok(dispatch::run(
            parser,
            path,
            Content::Stream(&mut BufReader::new(file)),
        )),
        Need::Whole(limit) => {
            let bytes = read_limited(file, limit).map_err(|error| unreadable(error.to_string()))?;
            let bytes = bytes.ok_or_else(|| {
                Box::new(gap(
                    GapKind::Limit,
                    path,
                    &format!("larger than {limit} bytes"),
                ))
            })?;
            Ok(dispatch::run(parser, path, Content::Whole(&bytes)))
        }
    }
}

/// Opens a regular file below the canonical `root`; a link may lead to another file inside it.
fn open_inside(root: &Path, path: &str) -> Result<File, String> {
    let real = root
        .join(path)
        .canonicalize()
        .map_err(|error| error.to_string())?;
    if !real.starts_with(root) {
        return Err("a link that leaves the scanned directory".to_owned());
    }
    let metadata = std::fs::metadata(&real).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    File::open(&real).map_err(|error| error.to_string())
}

/// The whole content, or `None` if it is longer than `limit`.
fn read_limited(file: File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn gap(kind: GapKind, path: &str, cause: &str) -> Gap {
    Gap::warning(Stage::Source, kind, Location::file(path), cause)
}

fn walk_gap(root: &Path, error: &ignore::Error) -> Gap {
    let mut path = String::new();
    let mut inner = error;
    loop {
        match inner {
            ignore::Error::WithPath { path: at, err } => {
                path = relative(root, at).unwrap_or_default();
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                inner = err;
            }
            other => return gap(GapKind::Unreadable, &path, &other.to_string()),
        }
    }
}

/// The path below `root` with `/`; names that are no UTF-8 are shown with replacement signs.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    Some(parts.join("/"))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Whether a path lies among the blobs of a layout.
fn is_blob(path: &str, layout: &str) -> bool {
    path.strip_prefix(layout)
        .is_some_and(|rest| rest.starts_with("/blobs/"))
}

/// Whether a walk would look into a file of this name, if it could.
fn is_interesting(path: &str, interest: Interest) -> bool {
    interest.terraform && is_terraform(path)
        || interest.packages && !dispatch::by_path(path, Evidence::Locked).is_empty()
}

/// What is not looked at behind a link: `None` where the walk sees the target anyway, and for
/// links to files, which are opened by their own name.
fn unfollowed(root: &Path, link: &Path) -> Option<&'static str> {
    let real = link.canonicalize().ok()?;
    if !real.is_dir() {
        return None;
    }
    let Ok(below) = real.strip_prefix(root) else {
        return Some("a link to a directory outside; it is not followed");
    };
    let is_skipped = below
        .iter()
        .any(|part| SKIPPED_DIRECTORIES.iter().any(|skipped| part == *skipped));
    is_skipped.then_some("a link into a directory that is not entered")
}

/// Files that make a directory a Terraform module; Terraform itself minds the case.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "Terraform does not read `.TF`"
)]
fn is_terraform(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !name.starts_with('.') && (name.ends_with(".tf") || name.ends_with(".tf.json"))
}

/// Whether the first bytes are those of a tar, gzip or zstd stream.
fn may_be_archive(entry: &ignore::DirEntry) -> bool {
    if !entry
        .metadata()
        .is_ok_and(|metadata| metadata.len() >= MIN_ARCHIVE)
    {
        return false;
    }
    let mut first = [0u8; 265];
    // What cannot be opened is told as such where archives are recognised.
    let Ok(mut file) = File::open(entry.path()) else {
        return true;
    };
    if file.read_exact(&mut first).is_err() {
        return false;
    }
    first.starts_with(&[0x1f, 0x8b])
        || first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || first.get(257..262) == Some(b"ustar".as_slice())
}

/// The files below one directory, for the evaluator of Terraform code.
#[derive(Debug)]
pub struct DirectoryFiles {
    root: PathBuf,
}

impl DirectoryFiles {
    /// Files below `root`.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
        })
    }
}

impl Files for DirectoryFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let file = open_inside(&self.root, path).map_err(io::Error::other)?;
        read_limited(file, MAX_TERRAFORM_FILE)?
            .ok_or_else(|| io::Error::other(format!("larger than {MAX_TERRAFORM_FILE} bytes")))
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let real = self.root.join(path).canonicalize()?;
        if !real.starts_with(&self.root) {
            return Err(io::Error::other("a link that leaves the scanned directory"));
        }
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(real)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let is_dir = entry.path().is_dir();
            entries.push(DirEntry { name, is_dir });
        }
        entries.sort();
        Ok(entries)
    }

    fn is_file(&self, path: &str) -> bool {
        open_inside(&self.root, path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Interest, LITTLE, each, read};

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
            std::fs::create_dir(root.path().join(name)).unwrap();
            let text = format!("django==1.0\n{padding}\n");
            std::fs::write(root.path().join(name).join("requirements.txt"), text).unwrap();
        }
        let interest = Interest {
            packages: true,
            terraform: false,
        };
        let tree = read(root.path(), interest).unwrap();
        let paths: Vec<&str> = tree.files.iter().map(|(path, _)| &**path).collect();
        assert_eq!(paths, ["a/requirements.txt", "b/requirements.txt"]);
        assert!(
            tree.files
                .iter()
                .all(|(_, facts)| facts.packages.len() == 1)
        );
        assert!(tree.gaps.is_empty(), "{:?}", tree.gaps);
    }
}
