//! Reads a source tree, wherever it is kept: one walk finds lockfiles, Terraform directories and images lying in it;
//! every wanted file is read once. Nothing outside the root is ever opened, links included.
//!
//! `.gitignore` is not obeyed (an ignored lockfile still gets built in CI); version-control
//! folders, `node_modules` and tools' working copies are not entered, and vendored trees are
//! counted but not read: they hold copies of what the lockfiles name. Lockfiles in them are one gap
//! for each tree, since whoever can add a file can make a folder look vendored.

use std::collections::BTreeSet;
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use self::installed::Installed;
use self::sniff::Sniffed;
use self::tools::SKIPPED_DIRECTORIES;
pub use self::vendored::may_be_passed_over;
use self::walk::Candidate;
use super::ImageKind;
use super::root::{self, Neighbours, Root, Watched};
use crate::analyzer::{Analyzers, Answer, Entry, Run, Tee, Watching, examine};
use crate::inventory::recognised::tree as recognised;
use crate::misconfig::Inputs;
use crate::model::coverage::{self, SkipRule};
use crate::model::facts::Facts;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

mod includes;
mod installed;
mod sniff;
mod tools;
mod vendored;
mod walk;

/// How deep directories may lie; deeper ones are a gap.
pub const MAX_DEPTH: usize = 128;

/// How many entries a tree may have; the rest is a gap.
pub const MAX_ENTRIES: usize = 5_000_000;

/// Bytes of all lockfiles of a tree; the largest repositories seen hold about 100 MB of them.
pub const MAX_TREE_BYTES: u64 = 1 << 30;

/// What a package of a lockfile takes until the report is written, at most: of 1 GiB of memory, about
/// 600,000 packages.
const PACKAGE_BYTES: u64 = 1792;

/// Up to so many bytes of lockfiles are read on one thread, in a few milliseconds.
const LITTLE: u64 = 256 * 1024;

/// Bytes of lockfiles that are read at once, before the totals are looked at.
const BATCH: u64 = 32 * 1024 * 1024;

/// Bytes that are read at once from a file that is read as it comes.
const STREAM_BUFFER: usize = 8 * 1024;

/// Up to so many files are tried as images on one thread.
const FEW_CANDIDATES: usize = 8;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Tree {
    /// Facts of every file that a parser wanted, sorted by path.
    pub files: Vec<(Arc<str>, Facts)>,
    /// What there is of each kind of infrastructure code: directories (`""` is the root) or files,
    /// sorted.
    pub inputs: Inputs,
    /// All files of infrastructure code; whoever evaluates them says which were read.
    pub code: Vec<String>,
    /// Image layouts and archives found inside, as paths relative to the root, sorted.
    pub images: Vec<(String, ImageKind)>,
    /// What became of all other files.
    pub coverage: coverage::Files,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Which parts of a tree the run needs.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    /// Lockfiles and images.
    pub packages: bool,
    /// Infrastructure code.
    pub code: bool,
    /// What lies in vendored trees, too.
    pub vendored: bool,
    /// Bytes of memory that the run may take.
    pub memory: u64,
}

/// Walks a tree and reads what the analyzers want.
pub(crate) fn read(root: &dyn Root, interest: Interest, analyzers: &Analyzers<'_>) -> Tree {
    let mut found = walk::walk(root, interest, analyzers);
    let mut tree = Tree {
        inputs: walk::inputs(&found.code),
        code: found.code,
        coverage: found.files,
        gaps: found.gaps,
        ..Tree::default()
    };
    let totals = wanted(root, analyzers, found.wanted, interest.memory, &mut tree);
    includes::follow(root, analyzers, &mut tree, &mut found.unknown, totals);
    let mut recognised = found.recognised;
    unknown(root, analyzers, found.unknown, &mut recognised, &mut tree);
    watch(root, analyzers, found.watched, &mut tree);
    let not_read = recognised.gaps(interest.packages, interest.code);
    tree.gaps.extend(not_read);
    if interest.packages {
        tree.gaps.extend(unanswered(&recognised, &found.installed));
    }
    tree.images.extend(found.layouts);
    tree.images.sort();
    tree.files.sort_by(|a, b| a.0.cmp(&b.0));
    tree
}

/// Shows the files that nothing else reads to those who see all bytes.
fn watch(root: &dyn Root, analyzers: &Analyzers<'_>, files: Vec<Candidate>, tree: &mut Tree) {
    for file in files {
        let watching = analyzers.watch(&entry(root, &file));
        match read_file(root, &file, &[], watching) {
            Ok(facts) => tree.add(file.path.into(), facts),
            Err(gap) => tree.gaps.push(*gap),
        }
    }
}

/// Shows the files of infrastructure code that the evaluator did not read to those who see all
/// bytes, and takes in what they said of the others.
pub(crate) fn watch_rest(
    files: &Watched<'_>,
    code: &[String],
    all: &mut Vec<(Arc<str>, Facts)>,
    gaps: &mut Vec<Gap>,
) {
    let analyzers = files.analyzers();
    if !analyzers.sees_all() {
        return;
    }
    let (readings, seen) = files.watched();
    let mut tree = Tree::default();
    for (path, reading) in readings {
        tree.add(path.into(), reading.facts);
    }
    let rest = code.iter().filter(|path| !seen.contains(*path));
    let rest = rest.map(|path| Candidate {
        path: path.clone(),
        real: PathBuf::from(path),
        length: None,
        kind: None,
    });
    watch(files.root(), analyzers, rest.collect(), &mut tree);
    all.append(&mut tree.files);
    all.sort_by(|a, b| a.0.cmp(&b.0));
    gaps.append(&mut tree.gaps);
}

impl Tree {
    /// Adds facts of a file, where they say anything.
    pub(crate) fn add(&mut self, path: Arc<str>, facts: Facts) {
        if facts != Facts::default() {
            self.files.push((path, facts));
        }
    }
}

/// What a file is before it is read.
fn entry<'f>(root: &dyn Root, file: &'f Candidate) -> Entry<'f> {
    let length = file.length.or_else(|| root.length(&file.real).ok());
    Entry {
        path: &file.path,
        size: length.unwrap_or_default(),
        is_executable: false,
    }
}

/// Looks into files whose names do not decide what they are.
fn unknown(
    root: &dyn Root,
    analyzers: &Analyzers<'_>,
    files: Vec<Candidate>,
    recognised: &mut recognised::Tree,
    tree: &mut Tree,
) {
    let few = files.len() <= FEW_CANDIDATES;
    let looked = each(files, few, |file| {
        let watching = if analyzers.sees_all() {
            analyzers.watch(&entry(root, &file))
        } else {
            Vec::new()
        };
        let sniffed = sniff::sniff(root, (&file.real, &file.path), file.kind, watching);
        (sniffed, file.path)
    });
    for ((sniffed, readings), path) in looked {
        for reading in readings {
            tree.add(Arc::from(path.as_str()), reading.facts);
        }
        sort(sniffed, path, recognised, tree);
    }
}

/// Notes what a file turned out to be.
fn sort(sniffed: Sniffed, path: String, recognised: &mut recognised::Tree, tree: &mut Tree) {
    match sniffed {
        Sniffed::Image(kind) => {
            tree.coverage.skip(SkipRule::Image, 1);
            tree.images.push((path, kind));
        }
        Sniffed::Nothing => tree.coverage.skip(SkipRule::NotRecognised, 1),
        Sniffed::Unreadable(cause) => {
            tree.coverage.unreadable();
            tree.gaps.push(gap(GapKind::Unreadable, &path, &cause));
        }
        Sniffed::Broken(cause) => {
            tree.coverage.unreadable();
            let cause = format!("perhaps an image, but it cannot be read: {cause}");
            let gap = gap(GapKind::Malformed, &path, &cause);
            tree.gaps.push(gap.unjudged());
        }
        Sniffed::NotRead(cause) => {
            tree.coverage.skip(SkipRule::NotRead, 1);
            let cause = format!("perhaps an image, and not read: {cause}");
            tree.gaps.push(gap(GapKind::NotRead, &path, &cause));
        }
        Sniffed::Executable(kind) => {
            recognised.add_executable(&path, kind);
            tree.coverage.skip(SkipRule::NotRead, 1);
        }
        Sniffed::Program(facts) => {
            tree.coverage.read();
            tree.add(path.into(), *facts);
        }
        Sniffed::Code(kind) => {
            let paths = tree.inputs.entry(kind).or_default();
            paths.push(path.clone());
            paths.sort();
            tree.code.push(path);
            tree.code.sort();
        }
        Sniffed::Looked(looked) => {
            let rule = if recognised.add(&path, looked) {
                SkipRule::NotRead
            } else {
                SkipRule::NotRecognised
            };
            tree.coverage.skip(rule, 1);
        }
    }
}

/// Installed packages that nothing read answers for.
fn unanswered(recognised: &recognised::Tree, installed: &Installed) -> Vec<Gap> {
    let unanswered = installed
        .iter()
        .filter(|(directory, manifest)| !recognised.answers(manifest, directory));
    let cause = "installed packages without a lockfile; not read in a source tree";
    let gaps = unanswered.map(|(directory, _)| gap(GapKind::NotRead, directory, cause));
    gaps.collect()
}

/// Reads the files that parsers want: each real file once, however many links lead to it, and no
/// more than the totals of a tree allow. What is cut depends on the order of the walk alone.
fn wanted(
    root: &dyn Root,
    analyzers: &Analyzers<'_>,
    files: Vec<Candidate>,
    memory: u64,
    tree: &mut Tree,
) -> Totals {
    let mut totals = Totals {
        bytes: 0,
        packages: 0,
        memory,
    };
    let mut left_out: Vec<String> = Vec::new();
    let mut batch: Vec<Candidate> = Vec::new();
    let mut size: u64 = 0;
    let files = once(root, analyzers, files, tree);
    let last = files.len().saturating_sub(1);
    for (number, file) in files.into_iter().enumerate() {
        let length = file.length.unwrap_or_default();
        totals.bytes = totals.bytes.saturating_add(length);
        if totals.are_spent() {
            left_out.push(file.path);
        } else {
            size = size.saturating_add(length);
            batch.push(file);
        }
        if size < BATCH && number < last {
            continue;
        }
        let little = size <= LITTLE;
        let read = each(std::mem::take(&mut batch), little, |file| {
            let path: Arc<str> = file.path.as_str().into();
            let readers = (analyzers.by_path)(&path).into_iter();
            let runs: Vec<Run> = readers
                .map(|reader| Run {
                    path: Arc::clone(&path),
                    reader,
                })
                .collect();
            let watching = analyzers.watch(&entry(root, &file));
            (path, read_file(root, &file, &runs, watching))
        });
        size = 0;
        for (path, facts) in read {
            match facts {
                Ok(facts) => {
                    tree.coverage.read();
                    totals.packages = totals.packages.saturating_add(facts.packages.len());
                    tree.files.push((path, facts));
                }
                Err(gap) => {
                    tree.coverage.unreadable();
                    tree.gaps.push(*gap);
                }
            }
        }
    }
    for path in left_out {
        tree.coverage.skip(SkipRule::Limit, 1);
        tree.gaps
            .push(gap(GapKind::Limit, &path, &Totals::cause()).unjudged());
    }
    totals
}

/// What was read of a tree's lockfiles so far, and the memory of the run.
#[derive(Clone, Copy, Debug)]
struct Totals {
    bytes: u64,
    packages: usize,
    memory: u64,
}

impl Totals {
    /// Whether no further file may be read.
    const fn are_spent(self) -> bool {
        self.bytes > MAX_TREE_BYTES || self.packages as u64 > self.memory / PACKAGE_BYTES
    }

    fn cause() -> String {
        format!(
            "the lockfiles of the tree hold more than {MAX_TREE_BYTES} bytes, or more packages than fit into --memory"
        )
    }
}

/// Leaves one path of each real file, for the parsers that it has there: a link costs its author
/// nothing, so that the limits have to count what is read.
fn once(
    root: &dyn Root,
    analyzers: &Analyzers<'_>,
    files: Vec<Candidate>,
    tree: &mut Tree,
) -> Vec<Candidate> {
    if files.iter().all(|file| file.length.is_some()) {
        return files;
    }
    let mut seen: BTreeSet<(PathBuf, Vec<&'static str>)> = BTreeSet::new();
    let key = |real: PathBuf, path: &str| {
        let readers = (analyzers.by_path)(path);
        (real, readers.iter().map(|reader| reader.id()).collect())
    };
    for file in &files {
        if file.length.is_some() {
            seen.insert(key(file.real.clone(), &file.path));
        }
    }
    let mut kept = Vec::new();
    for mut file in files {
        if file.length.is_some() {
            kept.push(file);
            continue;
        }
        match root::file(root, &file.real) {
            Ok(real) => {
                file.length = Some(real.length);
                file.real.clone_from(&real.path);
                if seen.insert(key(real.path, &file.path)) {
                    kept.push(file);
                } else {
                    tree.coverage.skip(SkipRule::Link, 1);
                }
            }
            Err(astray) => {
                tree.coverage.unreadable();
                let gap = gap(GapKind::Link, &file.path, &astray.to_string());
                tree.gaps.push(gap.unjudged());
            }
        }
    }
    kept
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

/// Runs every reader of a file on one reading of it; a file that cannot be read gives a gap alone.
fn read_file(
    root: &dyn Root,
    file: &Candidate,
    runs: &[Run],
    watching: Vec<Watching<'_>>,
) -> Result<Facts, Box<Gap>> {
    let path = &*file.path;
    let unreadable =
        |cause: io::Error| Box::new(gap(GapKind::Unreadable, path, &cause.to_string()).unjudged());
    let opened = root.open(&file.real).map_err(unreadable)?;
    // A whole file is read into a buffer of its own; only a stream needs one here.
    let is_streamed = !watching.is_empty() || runs.iter().any(Run::is_streamed);
    let capacity = if is_streamed { STREAM_BUFFER } else { 0 };
    let mut content = Tee::new(BufReader::with_capacity(capacity, opened), watching);
    let mut buffer = Vec::new();
    let size = file.length.unwrap_or_default();
    let beside = Neighbours::of(root, &file.real);
    let answers =
        examine(&mut content, size, runs, &mut buffer, u64::MAX, &beside).map_err(unreadable)?;
    let mut all = Facts::default();
    for answer in answers {
        match answer {
            Answer::Read(facts) => all.absorb(*facts),
            Answer::TooLong(limit) => {
                let cause = format!("larger than {limit} bytes");
                return Err(Box::new(gap(GapKind::Limit, path, &cause).unjudged()));
            }
        }
    }
    for reading in content.finish().map_err(unreadable)? {
        all.absorb(reading.facts);
    }
    Ok(all)
}

fn gap(kind: GapKind, path: &str, cause: &str) -> Gap {
    Gap::warning(Stage::Source, kind, Location::file(path), cause)
}

#[cfg(test)]
mod tests;
