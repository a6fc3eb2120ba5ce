//! Walks a source tree once and says of every file what becomes of it: wanted by a parser, part of
//! infrastructure code, perhaps an image, or skipped and counted. Opens no file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkBuilder;

use super::installed::{self, Installed};
use super::tools::{self, SKIPPED_DIRECTORIES};
use super::vendored::{self, Vendored};
use super::{Interest, MAX_DEPTH, MAX_ENTRIES, gap};
use crate::inventory::recognised::tree::Tree;
use crate::inventory::recognised::{self, Kind, Place};
use crate::inventory::{Evidence, dispatch};
use crate::model::coverage::{Files, SkipRule};
use crate::model::gap::{Gap, GapKind};
use crate::source::{self, ImageKind};

/// How many components the path of a file may have in an image that is a directory.
const PARTS_IN_AN_IMAGE: usize = 3;

/// A file that something wants to read.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Relative, with `/`; what is not UTF-8 is shown with replacement signs.
    pub(super) path: String,
    /// As the file system has it, relative to the root.
    pub(super) real: PathBuf,
    /// Its length; `None` for a link, of which nothing is known yet.
    pub(super) length: Option<u64>,
    /// What it is, if its content agrees.
    pub(super) kind: Option<&'static Kind>,
}

/// What a walk met.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files that a parser wants, in the order of the walk.
    pub(super) wanted: Vec<Candidate>,
    /// Files that may be images or that only their content can tell.
    pub(super) unknown: Vec<Candidate>,
    /// Files that Terraform reads by itself, and its variable files.
    pub(super) terraform: Vec<String>,
    /// Directories that are images.
    pub(super) layouts: BTreeMap<String, ImageKind>,
    /// Directories that package managers fill, which were not entered or not read.
    pub(super) installed: Installed,
    /// What is recognised and not read.
    pub(super) recognised: Tree,
    pub(super) files: Files,
    pub(super) gaps: Vec<Gap>,
}

/// Directories that were not entered, by name: how many, and where.
type Skipped = BTreeMap<String, (u64, Vec<PathBuf>)>;

struct Walk<'a> {
    root: &'a Path,
    canonical: &'a Path,
    interest: Interest,
    found: Found,
    evidence: Vec<String>,
}

/// Walks `root`, whose canonical path is `canonical`.
pub(super) fn walk(root: &Path, canonical: &Path, interest: Interest) -> Found {
    let skipped: Arc<Mutex<Skipped>> = Arc::default();
    let filter = Arc::clone(&skipped);
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(MAX_DEPTH))
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(move |entry| {
            if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                return true;
            }
            let Some(name) = tool_of(entry) else {
                return true;
            };
            let mut skipped = filter.lock().unwrap_or_else(PoisonError::into_inner);
            let (count, paths) = skipped.entry(name.to_owned()).or_default();
            *count = count.saturating_add(1);
            paths.push(entry.path().to_path_buf());
            false
        })
        .build();
    let mut state = Walk {
        root,
        canonical,
        interest,
        found: Found::default(),
        evidence: Vec::new(),
    };
    for (count, entry) in walk.enumerate() {
        if count >= MAX_ENTRIES {
            let cause = format!("more than {MAX_ENTRIES} files; the rest was not looked at");
            state
                .found
                .gaps
                .push(gap(GapKind::Limit, "", &cause).unjudged());
            break;
        }
        match entry {
            Ok(entry) => state.entry(&entry),
            // What lies behind a directory that cannot be listed is not known at all.
            Err(error) => state.found.gaps.push(walk_gap(root, &error).unjudged()),
        }
    }
    let skipped = std::mem::take(&mut *skipped.lock().unwrap_or_else(PoisonError::into_inner));
    for (name, (count, paths)) in skipped {
        let directories = &mut state.found.files.directories;
        directories.insert(Arc::from(name.as_str()), count);
        if name == "node_modules" {
            let paths = paths.iter().filter_map(|path| relative(root, path));
            let paths = paths.map(|path| (path, "package.json"));
            state.found.installed.extend(paths);
        }
    }
    state.finish()
}

/// The tool in whose folder a directory lies, or whose folder it is, so that it is not entered.
fn tool_of(entry: &ignore::DirEntry) -> Option<&'static str> {
    if let Some(tool) = tools::skipped(entry.file_name()) {
        return (!tools::holds_more(tool, entry.path())).then_some(tool);
    }
    // A target that is such a folder was asked for.
    let parent = entry.path().parent().filter(|_| entry.depth() > 1)?;
    let tool = tools::skipped(parent.file_name()?)?;
    tools::is_its(tool, entry.path()).then_some(tool)
}

impl Walk<'_> {
    fn entry(&mut self, entry: &ignore::DirEntry) {
        let (Some(relative), Some(kind)) = (relative(self.root, entry.path()), entry.file_type())
        else {
            return; // the root itself, which is no entry of the tree
        };
        if kind.is_dir() {
            self.directory(entry, relative);
        } else if self.is_blob(&relative) {
            self.found.files.skip(SkipRule::Image, 1);
        } else if kind.is_file() || kind.is_symlink() {
            self.file(entry, relative, kind.is_symlink());
        } else {
            let cause = "neither a file nor a directory";
            let gap = gap(GapKind::Unreadable, &relative, cause);
            if self.is_interesting(&relative) {
                self.found.gaps.push(gap.unjudged());
            } else if recognised::recognise(&relative, Place::Tree).is_some() {
                self.found.gaps.push(gap);
            }
            self.found.files.skip(SkipRule::Special, 1);
        }
    }

    fn directory(&mut self, entry: &ignore::DirEntry, relative: String) {
        if entry.depth() >= MAX_DEPTH {
            let cause = format!("deeper than {MAX_DEPTH} directories");
            let gap = gap(GapKind::Limit, &relative, &cause);
            self.found.gaps.push(gap.unjudged());
        }
        if self.interest.packages
            && let Some(kind) = source::recognise(entry.path())
        {
            self.found.layouts.insert(relative, kind);
        }
    }

    fn file(&mut self, entry: &ignore::DirEntry, relative: String, is_link: bool) {
        if vendored::is_evidence(&relative) {
            self.evidence.push(relative.clone());
        }
        if self.interest.packages {
            self.found.installed.extend(installed::of(&relative));
        }
        if is_link && let Some(cause) = unfollowed(self.canonical, entry.path()) {
            self.found.gaps.push(gap(GapKind::Link, &relative, cause));
            self.found.files.skip(SkipRule::Link, 1);
            return;
        }
        if is_link && entry.path().is_dir() {
            // Walked under its real path.
            self.found.files.skip(SkipRule::Link, 1);
            return;
        }
        let terraform = is_terraform(&relative);
        let wanted = !dispatch::by_path(&relative, Evidence::Locked).is_empty();
        let files = &mut self.found.files;
        if terraform && !self.interest.terraform || wanted && !self.interest.packages {
            files.skip(SkipRule::NotAsked, 1);
            return;
        }
        if terraform {
            if entry.path().to_str().is_none() {
                // The evaluator knows paths as text.
                files.unreadable();
                let gap = gap(GapKind::Unreadable, &relative, "a name that is not UTF-8");
                self.found.gaps.push(gap.unjudged());
            } else {
                self.found.terraform.push(relative);
            }
            return;
        }
        // Only the totals of what is read need it.
        let length = (wanted && !is_link)
            .then(|| entry.metadata().ok())
            .flatten();
        let candidate = Candidate {
            real: below(self.root, entry.path()),
            path: relative,
            length: length.map(|metadata| metadata.len()),
            kind: None,
        };
        if wanted {
            self.found.wanted.push(candidate);
        } else if is_link {
            // Whatever it leads to is met under its own name, or lies outside.
            files.skip(SkipRule::Link, 1);
        } else {
            self.found.unknown.push(candidate);
        }
    }

    /// Whether a path is a blob of a layout, or one of its documents: they are read through it.
    fn is_blob(&self, path: &str) -> bool {
        if self.found.layouts.is_empty() {
            return false;
        }
        let is_part = |directory: &str, rest: &str| {
            let kind = self.found.layouts.get(directory);
            kind.is_some_and(|kind| source::is_part_of_image(*kind, rest))
        };
        // The deepest file of an image is `blobs/sha256/digest`.
        let mut slashes = path.rmatch_indices('/').take(PARTS_IN_AN_IMAGE);
        let below = slashes.any(|(at, _)| {
            let (directory, rest) = path.split_at(at);
            is_part(directory, rest.get(1..).unwrap_or_default())
        });
        below || is_part("", path)
    }

    /// Whether the walk would look into a file of this name, if it could.
    fn is_interesting(&self, path: &str) -> bool {
        self.interest.terraform && is_terraform(path)
            || self.interest.packages && !dispatch::by_path(path, Evidence::Locked).is_empty()
    }

    /// Takes out what lies in vendored trees, and says which of the others are recognised.
    fn finish(mut self) -> Found {
        let found = &mut self.found;
        if !self.interest.vendored {
            let vendored = Vendored::new(self.evidence.iter().map(String::as_str));
            let mut unread: BTreeSet<String> = BTreeSet::new();
            let mut keep = |path: &str, is_read: bool| {
                let Some(root) = vendored.root_of(path) else {
                    return true;
                };
                found.files.skip(SkipRule::Vendored, 1);
                if is_read && !unread.contains(root) {
                    unread.insert(root.to_owned());
                }
                false
            };
            found.wanted.retain(|file| keep(&file.path, true));
            found.unknown.retain(|file| keep(&file.path, false));
            found.terraform.retain(|path| keep(path, true));
            let unread = unread.iter().map(|root| {
                let cause = "lockfiles or infrastructure code in a vendored tree; not read without --include-vendored";
                gap(GapKind::NotRead, root, cause)
            });
            found.gaps.extend(unread);
        }
        let read = found.wanted.iter().map(|file| &file.path);
        for path in read.chain(&found.terraform) {
            found.recognised.meet(path, true);
        }
        let (packages, infrastructure) = (self.interest.packages, self.interest.terraform);
        let mut unknown = Vec::new();
        for mut file in std::mem::take(&mut found.unknown) {
            let kind = found.recognised.meet(&file.path, false);
            let is_asked = |kind: &&Kind| kind.is_asked(packages, infrastructure);
            file.kind = kind.filter(is_asked);
            if found.recognised.has(&file.path) {
                found.files.skip(SkipRule::NotRead, 1);
            } else if file.kind.is_none() && !packages {
                // Only images and executables are known by their content alone.
                found.files.skip(SkipRule::NotRecognised, 1);
            } else {
                unknown.push(file);
            }
        }
        found.unknown = unknown;
        self.found
    }
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
            // The kind only: the text of other errors repeats the path, which may be absolute.
            ignore::Error::Io(error) => {
                return gap(GapKind::Unreadable, &path, &error.kind().to_string());
            }
            _ => return gap(GapKind::Unreadable, &path, "it could not be walked"),
        }
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_path_buf()
}

/// The path below `root` with `/`; names that are not UTF-8 are shown with replacement signs.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    Some(parts.join("/"))
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

/// Files for the evaluator of infrastructure code: modules, values, and those it reports.
pub(super) fn is_terraform(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    rules::terraform::is_infrastructure(name)
}

/// Directories with Terraform files, sorted.
pub(super) fn modules(files: &[String]) -> Vec<String> {
    let parent = |path: &String| {
        let parent = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        parent.to_owned()
    };
    let modules: BTreeSet<String> = files.iter().map(parent).collect();
    modules.into_iter().collect()
}
