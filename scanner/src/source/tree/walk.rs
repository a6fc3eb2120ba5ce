//! Walks a source tree once and says of every file what becomes of it: wanted by a parser, part of
//! infrastructure code, perhaps an image, or skipped and counted. Opens no file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rules::kinds;

use super::installed::{self, Installed};
use super::tools;
use super::vendored::{self, Vendored};
use super::{Interest, MAX_DEPTH, MAX_ENTRIES, gap};
use crate::analyzer::{Analyzers, Reader};
use crate::inventory::recognised::tree::Tree;
use crate::inventory::recognised::{self, Within};
use crate::misconfig::Inputs;
use crate::model::coverage::{Files, SkipRule};
use crate::model::gap::{Gap, GapKind};
use crate::source::root::{Astray, EntryKind, Item, Root};
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
    pub(super) kind: Option<&'static recognised::FileKind>,
}

/// What a walk met.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Files that a parser wants, in the order of the walk.
    pub(super) wanted: Vec<Candidate>,
    /// Files that may be images or that only their content can tell.
    pub(super) unknown: Vec<Candidate>,
    /// Files that nothing reads but those who see all bytes.
    pub(super) watched: Vec<Candidate>,
    /// Files of infrastructure code, by their names, with those of values.
    pub(super) code: Vec<String>,
    /// Directories that are images.
    pub(super) layouts: BTreeMap<String, ImageKind>,
    /// Directories that package managers fill, which were not entered or not read.
    pub(super) installed: Installed,
    /// What is recognised and not read.
    pub(super) recognised: Tree,
    pub(super) files: Files,
    pub(super) gaps: Vec<Gap>,
}

struct Walk<'a> {
    root: &'a dyn Root,
    interest: Interest,
    wants: fn(&str) -> Vec<&'static dyn Reader>,
    sees_all: bool,
    found: Walked,
    evidence: Vec<String>,
    entries: usize,
}

/// Walks a tree.
pub(super) fn walk(root: &dyn Root, interest: Interest, analyzers: &Analyzers<'_>) -> Walked {
    let mut walk = Walk {
        root,
        interest,
        wants: analyzers.by_path,
        sees_all: analyzers.sees_all(),
        found: Walked::default(),
        evidence: Vec::new(),
        entries: 0,
    };
    walk.enter(Path::new(""), 0);
    walk.finish()
}

/// The tool in whose folder a directory lies, or whose folder it is, so that it is not entered.
fn tool_of(root: &dyn Root, path: &Path) -> Option<&'static str> {
    if let Some(tool) = tools::skipped(path.file_name()?) {
        return (!tools::holds_more(root, tool, path)).then_some(tool);
    }
    // A target that is such a folder was asked for: the root has no name here.
    let tool = tools::skipped(path.parent()?.file_name()?)?;
    tools::is_its(root, tool, path).then_some(tool)
}

impl Walk<'_> {
    /// Meets all entries of a directory, and enters those that are directories. `depth` is theirs
    /// above the root; it bounds the recursion.
    fn enter(&mut self, directory: &Path, depth: usize) {
        let items = match self.root.list(directory) {
            Ok(items) => items,
            Err(error) => {
                // What lies behind a directory that cannot be listed is not known at all. The kind
                // only: the text of other errors repeats the path, which may be absolute.
                let cause = error.kind().to_string();
                let gap = gap(GapKind::Unreadable, &shown(directory), &cause);
                self.found.gaps.push(gap.unjudged());
                return;
            }
        };
        self.directory(directory, &items, depth);
        if depth >= MAX_DEPTH {
            return;
        }
        for item in items {
            self.entries = self.entries.saturating_add(1);
            if self.entries >= MAX_ENTRIES {
                if self.entries == MAX_ENTRIES {
                    let cause =
                        format!("more than {MAX_ENTRIES} files; the rest was not looked at");
                    let gap = gap(GapKind::Limit, "", &cause);
                    self.found.gaps.push(gap.unjudged());
                }
                return;
            }
            let path = directory.join(&item.name);
            if item.kind != EntryKind::Directory {
                self.entry(&path, item.kind);
            } else if let Some(tool) = tool_of(self.root, &path) {
                self.skip(tool, &path);
            } else {
                self.enter(&path, depth.saturating_add(1));
            }
        }
    }

    /// Notes a folder of a tool that is not entered.
    fn skip(&mut self, tool: &'static str, path: &Path) {
        let directories = &mut self.found.files.directories;
        let count = directories.entry(Arc::from(tool)).or_default();
        *count = count.saturating_add(1);
        if tool == "node_modules" {
            self.found.installed.insert((shown(path), "package.json"));
        }
    }

    fn entry(&mut self, path: &Path, kind: EntryKind) {
        let relative = shown(path);
        if self.is_blob(&relative) {
            self.found.files.skip(SkipRule::Image, 1);
        } else if kind == EntryKind::Submodule {
            let cause = "a submodule, whose files are in another repository, was not read";
            let gap = gap(GapKind::NotRead, &relative, cause);
            self.found.gaps.push(gap);
            self.found.files.skip(SkipRule::NotRead, 1);
        } else if kind == EntryKind::Special {
            let cause = "neither a file nor a directory";
            let gap = gap(GapKind::Unreadable, &relative, cause);
            if self.is_interesting(&relative) {
                self.found.gaps.push(gap.unjudged());
            } else if recognised::recognise(&relative, Within::Tree).is_some() {
                self.found.gaps.push(gap);
            }
            self.found.files.skip(SkipRule::Special, 1);
        } else {
            self.file(path, relative, kind == EntryKind::Link);
        }
    }

    fn directory(&mut self, path: &Path, items: &[Item], depth: usize) {
        let relative = shown(path);
        if depth >= MAX_DEPTH {
            let cause = format!("deeper than {MAX_DEPTH} directories");
            let gap = gap(GapKind::Limit, &relative, &cause);
            self.found.gaps.push(gap.unjudged());
        }
        let may_be_image = items.iter().any(|item| {
            let marks = ["oci-layout", "index.json", "manifest.json"];
            marks.iter().any(|mark| item.name == *mark)
        });
        if !self.interest.packages || !may_be_image {
            return;
        }
        if let Some(place) = self.root.place() {
            if let Some(kind) = source::recognise(&place.join(path)) {
                self.found.layouts.insert(relative, kind);
            }
            return;
        }
        let has = |name: &str| items.iter().any(|item| item.name == name);
        if has("oci-layout") || has("manifest.json") && has("version") {
            let cause = "an image in the tree of a commit is not looked into";
            let gap = gap(GapKind::NotRead, &relative, cause);
            self.found.gaps.push(gap.unjudged());
        }
    }

    fn file(&mut self, path: &Path, relative: String, is_link: bool) {
        if vendored::is_evidence(&relative) {
            self.evidence.push(relative.clone());
        }
        if self.interest.packages {
            self.found.installed.extend(installed::of(&relative));
        }
        if is_link && let Some(behind) = behind(self.root, path) {
            if let Behind::Unseen(cause) = behind {
                self.found.gaps.push(gap(GapKind::Link, &relative, cause));
            }
            self.found.files.skip(SkipRule::Link, 1);
            return;
        }
        let is_code = is_code(&relative);
        let wanted = !(self.wants)(&relative).is_empty();
        let files = &mut self.found.files;
        if is_code && !self.interest.code || wanted && !self.interest.packages {
            files.skip(SkipRule::NotAsked, 1);
            self.watch(path, relative, is_link);
            return;
        }
        if is_code {
            if path.to_str().is_none() {
                // The evaluator knows paths as text.
                files.unreadable();
                let gap = gap(GapKind::Unreadable, &relative, "a name that is not UTF-8");
                self.found.gaps.push(gap.unjudged());
                self.watch(path, relative, is_link);
            } else {
                self.found.code.push(relative);
            }
            return;
        }
        // Only the totals of what is read need it.
        let length = (wanted && !is_link)
            .then(|| self.root.length(path).ok())
            .flatten();
        let candidate = Candidate {
            real: path.to_path_buf(),
            path: relative,
            length,
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

    /// A file that nothing here reads: whoever sees all bytes sees these, too. A link leads to a file
    /// that is met under its own name, or lies outside.
    fn watch(&mut self, path: &Path, relative: String, is_link: bool) {
        if self.sees_all && !is_link {
            self.found.watched.push(Candidate {
                path: relative,
                real: path.to_path_buf(),
                length: None,
                kind: None,
            });
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
        self.interest.code && is_code(path)
            || self.interest.packages && !(self.wants)(path).is_empty()
    }

    /// Takes out what lies in vendored trees, and says which of the others are recognised.
    fn finish(mut self) -> Walked {
        let found = &mut self.found;
        if !self.interest.vendored {
            let vendored = Vendored::new(self.evidence.iter().map(String::as_str));
            let mut unread: BTreeSet<String> = BTreeSet::new();
            let mut keep = |path: &str, is_read: bool| {
                let Some(root) = vendored.root_of(path) else {
                    return true;
                };
                // The project's own list of what lies there.
                if path.strip_prefix(root) == Some("/modules.txt") {
                    return true;
                }
                found.files.skip(SkipRule::Vendored, 1);
                if is_read && !unread.contains(root) {
                    unread.insert(root.to_owned());
                }
                false
            };
            found.wanted.retain(|file| keep(&file.path, true));
            found.unknown.retain(|file| keep(&file.path, false));
            found.code.retain(|path| keep(path, true));
            found
                .watched
                .retain(|file| vendored.root_of(&file.path).is_none());
            let unread = unread.iter().map(|root| {
                let cause = "lockfiles or infrastructure code in a vendored tree; not read without --include-vendored";
                gap(GapKind::NotRead, root, cause)
            });
            found.gaps.extend(unread);
        }
        let read = found.wanted.iter().map(|file| &file.path);
        for path in read.chain(&found.code) {
            found.recognised.meet(path, true);
        }
        let (packages, infrastructure) = (self.interest.packages, self.interest.code);
        let mut unknown = Vec::new();
        for mut file in std::mem::take(&mut found.unknown) {
            let kind = found.recognised.meet(&file.path, false);
            let is_asked = |kind: &&recognised::FileKind| kind.is_asked(packages, infrastructure);
            file.kind = kind.filter(is_asked);
            if found.recognised.has(&file.path) {
                found.files.skip(SkipRule::NotRead, 1);
                if self.sees_all {
                    found.watched.push(file);
                }
            } else if file.kind.is_none() && !packages && !self.sees_all {
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

/// A path with `/`; names that are not UTF-8 are shown with replacement signs.
fn shown(path: &Path) -> String {
    let mut text = String::with_capacity(path.as_os_str().len());
    for part in path {
        if !text.is_empty() {
            text.push('/');
        }
        text.push_str(&part.to_string_lossy());
    }
    text
}

/// What is behind a link to a directory.
enum Behind {
    /// A directory that is walked under its real path.
    Seen,
    /// One that is not looked at, and why.
    Unseen(&'static str),
}

/// `None` for a link that leads to no directory, which is opened by its own name.
fn behind(root: &dyn Root, link: &Path) -> Option<Behind> {
    match root.follow(link) {
        Err(Astray::Outside(EntryKind::Directory)) => Some(Behind::Unseen(
            "a link to a directory outside; it is not followed",
        )),
        Ok(real) if real.kind == EntryKind::Directory => {
            let is_skipped = real.path.iter().any(|part| tools::skipped(part).is_some());
            Some(if is_skipped {
                Behind::Unseen("a link into a directory that is not entered")
            } else {
                Behind::Seen
            })
        }
        _ => None,
    }
}

/// Whether a file is infrastructure code by its name.
pub(super) fn is_code(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    kinds::by_name(name).is_some()
}

/// Files of infrastructure code by their kind, as it takes them: directories or files.
pub(super) fn inputs(files: &[String]) -> Inputs {
    let mut all: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for path in files {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(kind) = kinds::by_name(name) {
            let path = if kind.is_by_directory() {
                directory
            } else {
                path
            };
            all.entry(kind.id()).or_default().insert(path);
        }
    }
    let owned = |paths: BTreeSet<&str>| paths.into_iter().map(str::to_owned).collect();
    let all = all.into_iter();
    all.map(|(kind, paths)| (kind, owned(paths))).collect()
}
