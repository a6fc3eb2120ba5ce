//! The first stage: reads the named targets as far as their own files say. Advisories and rules come
//! later.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use remote::git::store::StoreError;

use super::images::Images;
use super::named_images::{ids, opened_kind, with_steps};
use super::plan::{NamedImages, Plan, Planned};
use super::{Request, TargetFailure};
use crate::inventory::{bill, dispatch, limits};
use crate::misconfig::Inputs;
use crate::model::coverage::SkipRule;
use crate::model::facts::Facts;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;
use crate::model::report::Target;
use crate::model::target::{BaseFrom, BaseImage, Document};
use crate::named;
use crate::source::limits::Budget;
use crate::source::root::{CommitTree, Directory, OneFile, Root};
use crate::source::tree::{self, Interest};
use crate::source::{Attached, Cost, ImageKind, Platform, SourceError, open_image, recognise};
use crate::target::{self, TargetKind};

/// One target on its way through the pipeline.
pub(super) struct Work {
    pub(super) target: Target,
    /// What its files say, by path.
    pub(super) files: Vec<(Arc<str>, Facts)>,
    pub(super) gaps: Vec<Gap>,
    /// Of a source tree: what the rules are asked about.
    pub(super) infrastructure: Option<Infrastructure>,
    /// It is an image that nobody named: what cannot be read of it is unjudged, and no failure of
    /// the run.
    pub(super) lies_in_tree: bool,
    /// It is a source tree, and what it holds is judged as targets of their own.
    pub(super) holds_images: bool,
    /// Documents that are attached to the image, until they are read.
    pub(super) attached: Vec<Attached>,
    /// What bills of materials among them list.
    pub(super) bills: Vec<(Arc<str>, Facts)>,
    /// What it took to read an image.
    cost: Cost,
}

/// The infrastructure code of a source tree, before it is evaluated.
pub(super) struct Infrastructure {
    pub(super) root: Box<dyn Root>,
    /// What there is of each kind.
    pub(super) inputs: Inputs,
    /// All of its files.
    pub(super) files: Vec<String>,
}

impl Work {
    fn new(target: Target) -> Self {
        Self {
            target,
            files: Vec::new(),
            gaps: Vec::new(),
            infrastructure: None,
            lies_in_tree: false,
            holds_images: false,
            attached: Vec::new(),
            bills: Vec::new(),
            cost: Cost::default(),
        }
    }

    fn packages(&self) -> usize {
        let files = self.files.iter();
        files.map(|(_, facts)| facts.packages.len()).sum()
    }
}

/// What became of one named target.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) works: Vec<Work>,
    /// Why it, or one of the images that it consists of, cannot be scanned.
    pub(super) failures: Vec<SourceError>,
}

impl From<SourceError> for Reading {
    fn from(error: SourceError) -> Self {
        Self {
            works: Vec::new(),
            failures: vec![error],
        }
    }
}

/// Reads one named target; a source tree brings the images that lie in it along.
fn target(request: &Request, planned: Planned<'_>, named: &NamedImages) -> Reading {
    let path = &planned.spec.path;
    match planned.kind {
        Err(error) => error.into(),
        Ok(TargetKind::Image(kind)) => {
            let (kind, tried) = opened_kind(request, kind, planned.spec);
            match read_image(request, kind, path) {
                Ok(works) => Reading {
                    works,
                    failures: Vec::new(),
                },
                Err(error) => with_steps(error, &tried).into(),
            }
        }
        Ok(TargetKind::Directory) => read_directory(request, path, named),
        Ok(TargetKind::Commit) => read_commit(request, path),
        Ok(TargetKind::Document(document)) => read_document(request, document, path),
        Ok(TargetKind::Bill) => read_bill(request, path),
        Ok(TargetKind::File) => read_file(request, path),
    }
}

/// All targets of a plan, in its order, and those that cannot be scanned.
pub(super) fn targets(
    request: &Request,
    plan: &mut Plan<'_>,
    progress: &dyn Fn(&str),
) -> (Vec<Work>, Vec<TargetFailure>) {
    let mut works = Vec::new();
    let mut failures = Vec::new();
    for planned in std::mem::take(&mut plan.targets) {
        let shown = planned.shown.clone();
        progress(&shown);
        let read = target(request, planned, &plan.images);
        works.extend(read.works);
        failures.extend(read.failures.into_iter().map(|error| TargetFailure {
            target: shown.clone(),
            error,
        }));
    }
    (works, failures)
}

fn new_target(request: &Request, kind: TargetKind, path: &Path) -> Target {
    // Paths in a file that is a target begin with its directory.
    let directory = match kind {
        TargetKind::Directory => Some(path),
        TargetKind::Commit => Some(target::of_commit(path).0),
        TargetKind::Document(_) | TargetKind::Bill | TargetKind::File => {
            Some(path.parent().unwrap_or(Path::new("")))
        }
        TargetKind::Image(_) => None,
    };
    let of = |part: fn(&Path, &Path) -> String| {
        let part = directory.map(|directory| part(directory, &request.working_directory));
        part.unwrap_or_default()
    };
    let (base, prefix) = (of(target::base), of(target::prefix));
    let shown = target::shown(path, &request.working_directory);
    Target {
        prefix,
        base,
        ..Target::new(kind, shown)
    }
}

/// Reads the images that a layout or archive holds, mostly one.
fn read_image(request: &Request, kind: ImageKind, path: &Path) -> Result<Vec<Work>, SourceError> {
    let target = new_target(request, TargetKind::Image(kind), path);
    if !request.vulnerabilities {
        let is_there = match kind {
            ImageKind::RootFileSystem => path.is_dir(),
            _ => !kind.is_path() || recognise(path).is_some(),
        };
        if !is_there {
            return Err(SourceError::Invalid {
                place: target.path,
                cause: "not a readable image".to_owned(),
            });
        }
        return Ok(vec![Work::new(target)]);
    }
    let budget = Budget::of(request.memory).limited(request.limits);
    // What others keep was found within the usual limits.
    let cache = request
        .cache
        .as_ref()
        .filter(|_| request.limits.are_usual());
    let analyzers = dispatch::in_images();
    let platform = request.platform.as_ref();
    let images = open_image(
        kind,
        path,
        &request.access,
        platform,
        budget,
        cache,
        &analyzers,
    )?;
    let ids = ids(&target.path, &images);
    let all = platform.is_some_and(Platform::is_all);
    let works = images.into_iter().zip(ids).map(|(contents, id)| {
        let mut target = target.clone();
        target.id = id;
        target.platform = contents.platform;
        target.digest = contents.digest;
        target.names = contents.names;
        target.layers = contents.layers;
        target.base_image = contents.base.map(|base| BaseImage {
            name: base.name,
            digest: base.digest,
            found_by: BaseFrom::Annotation,
            layers: None,
        });
        let other = |platform: &String| !all && target.platform.as_ref() != Some(platform);
        target.other_platforms = contents.platforms.into_iter().filter(other).collect();
        target.coverage = contents.coverage;
        Work {
            files: contents.files,
            gaps: contents.gaps,
            attached: contents.attached,
            cost: contents.cost,
            ..Work::new(target)
        }
    });
    Ok(works.collect())
}

/// The directory around a file that was named, and the file's name in it.
fn around(
    request: &Request,
    path: &Path,
    wanted: &str,
) -> Result<(Directory, String), SourceError> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let root = Directory::new(parent).map_err(|source| SourceError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    match path.file_name().and_then(OsStr::to_str) {
        Some(name) if path.is_file() => Ok((root, name.to_owned())),
        _ => Err(SourceError::Invalid {
            place: target::shown(path, &request.working_directory),
            cause: format!("not a file that can be read as {wanted}"),
        }),
    }
}

/// Reads a plan or state that was named: one input, whatever it looks like.
fn read_document(request: &Request, document: Document, path: &Path) -> Reading {
    let wanted = format!("a {}", document.as_str());
    let (root, name) = match around(request, path, &wanted) {
        Ok(around) => around,
        Err(error) => return error.into(),
    };
    let files = vec![name];
    let mut work = Work::new(new_target(request, TargetKind::Document(document), path));
    if request.misconfigurations {
        work.infrastructure = Some(Infrastructure {
            root: Box::new(root),
            inputs: Inputs::from([(document.as_str(), files.clone())]),
            files,
        });
    } else {
        work.target.coverage.files.skip(SkipRule::NotAsked, 1);
    }
    Reading {
        works: vec![work],
        failures: Vec::new(),
    }
}

/// Reads one file of a source tree, as it is read in its tree.
fn read_file(request: &Request, path: &Path) -> Reading {
    let root = match around(request, path, "a part of a source tree") {
        Ok((root, name)) => OneFile::new(root, name),
        Err(error) => return error.into(),
    };
    let target = new_target(request, TargetKind::File, path);
    let (work, _) = read_tree(request, Box::new(root), target);
    Reading {
        works: vec![work],
        failures: Vec::new(),
    }
}

/// Reads a bill of materials that was named.
fn read_bill(request: &Request, path: &Path) -> Reading {
    let place = target::shown(path, &request.working_directory);
    let mut work = Work::new(new_target(request, TargetKind::Bill, path));
    if !request.vulnerabilities {
        work.target.coverage.files.skip(SkipRule::NotAsked, 1);
        return Reading {
            works: vec![work],
            failures: Vec::new(),
        };
    }
    let bytes = match named::read(path, limits::LOCKFILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            let cause = error.to_string();
            return SourceError::Invalid { place, cause }.into();
        }
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match bill::read(&name, &bytes) {
        Ok(facts) => {
            work.target.coverage.files.read();
            work.files = vec![(Arc::from(&*name), facts)];
            Reading {
                works: vec![work],
                failures: Vec::new(),
            }
        }
        Err(error) => {
            let line = error
                .line
                .map_or_else(String::new, |line| format!("line {line}: "));
            let cause = format!("{line}{}", error.cause);
            SourceError::Invalid { place, cause }.into()
        }
    }
}

/// The parts of a tree that a run looks for.
fn interest(request: &Request) -> Interest {
    Interest {
        packages: request.vulnerabilities,
        code: request.misconfigurations,
        vendored: request.include_vendored,
        memory: request.memory,
    }
}

/// Reads a tree, whatever keeps it. The images that were found in it are for the caller.
fn read_tree(
    request: &Request,
    root: Box<dyn Root>,
    target: Target,
) -> (Work, Vec<(String, ImageKind)>) {
    let tree = tree::read(&*root, interest(request), &dispatch::in_trees());
    let mut work = Work {
        files: tree.files,
        gaps: tree.gaps,
        infrastructure: Some(Infrastructure {
            root,
            inputs: tree.inputs,
            files: tree.code,
        }),
        ..Work::new(target)
    };
    work.target.coverage.files = tree.coverage;
    (work, tree.images)
}

/// Reads the tree of a commit. Images in it cannot be opened, and are gaps.
fn read_commit(request: &Request, path: &Path) -> Reading {
    let (place, reference) = target::of_commit(path);
    let root = match CommitTree::open(place, reference) {
        Ok(root) => root,
        Err(error) => {
            let place = target::shown(path, &request.working_directory);
            let cause = commit_cause(&error);
            return SourceError::Invalid { place, cause }.into();
        }
    };
    let target = new_target(request, TargetKind::Commit, path);
    let (work, _) = read_tree(request, Box::new(root), target);
    Reading {
        works: vec![work],
        failures: Vec::new(),
    }
}

fn read_directory(request: &Request, path: &Path, named: &NamedImages) -> Reading {
    let root = match Directory::new(path) {
        Ok(root) => root,
        Err(source) => {
            let path = path.to_path_buf();
            return SourceError::Io { path, source }.into();
        }
    };
    let target = new_target(request, TargetKind::Directory, path);
    let (mut work, lying) = read_tree(request, Box::new(root), target);
    // A directory that holds nothing but images, such as a layout that was named without `oci:`,
    // is just these, and they were named with it.
    let files = &work.target.coverage.files;
    let images = files.skipped.get(&SkipRule::Image).copied().unwrap_or(0);
    let bare = images > 0 && files.seen == images && work.gaps.is_empty();
    let mut failures = Vec::new();
    let mut found = Vec::new();
    let mut images = Images::new(request.memory);
    for (image, kind) in lying {
        let place = path.join(&image);
        work.holds_images = true;
        if named.has(&place) {
            continue; // judged as the target that it was named as
        }
        if images.is_known(&place) {
            continue; // judged under another name
        }
        if let Some(cause) = images.spent() {
            let place = Location::file(image.as_str());
            let gap = Gap::warning(Stage::Source, GapKind::Limit, place, cause);
            work.gaps.push(gap.unjudged());
            continue;
        }
        let read = read_image(request, kind, &place);
        match &read {
            Ok(read) => images.add(
                read.first().map(|image| image.cost).unwrap_or_default(),
                read.iter().map(Work::packages).sum(),
            ),
            Err(_) => images.refuse(),
        }
        match read {
            Ok(images) if bare => found.extend(images),
            Ok(images) => found.extend(images.into_iter().map(|image| Work {
                lies_in_tree: true,
                ..image
            })),
            Err(error) if bare => failures.push(error),
            // The tree itself is readable: a bad image in it is a bad file in it.
            Err(error) => {
                let place = Location::file(image.as_str());
                let cause = source_cause(&error);
                let gap = Gap::error(Stage::Source, GapKind::Malformed, place, cause);
                work.gaps.push(gap.unjudged());
            }
        }
    }
    // What became of an image that was not read is told by the tree.
    if !bare || !work.gaps.is_empty() {
        for image in &mut found {
            if image.target.id == work.target.id {
                image.target.id = format!("{}:{}", image.target.kind, image.target.id);
            }
        }
        found.insert(0, work);
    }
    Reading {
        works: found,
        failures,
    }
}

/// Why a commit cannot be read, without absolute paths.
fn commit_cause(error: &StoreError) -> String {
    match error {
        StoreError::NotThere { .. } => "it is not in a git repository".to_owned(),
        StoreError::Io { source, .. } => source.to_string(),
        StoreError::Unsupported { what, .. } => {
            format!("its repository uses {what}, which is not supported")
        }
        other => other.to_string(),
    }
}

/// One line with the causes of a source error, without absolute paths.
pub fn source_cause(error: &SourceError) -> String {
    match error {
        SourceError::Io { source, .. } => source.to_string(),
        SourceError::Invalid { place, cause } => format!("{place}: {cause}"),
    }
}
