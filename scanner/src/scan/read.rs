//! Reads one named target as far as its own files tell: packages, infrastructure, gaps. Advisories
//! come later, when all targets are known.

use std::collections::BTreeSet;
use std::path::Path;

use super::images::Images;
use super::plan::{NamedImages, Planned};
use super::{Error, Request, Rules};
use crate::analyzer::Analyzers;
use crate::inventory::assemble::{Inventory, assemble};
use crate::inventory::dispatch;
use crate::misconfig;
use crate::model::coverage::SkipRule;
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::report::Target;
use crate::source::limits::Budget;
use crate::source::root::{Directory, Root, Watched};
use crate::source::tree::{self, Interest, Tree};
use crate::source::{Cost, ImageKind, SourceError, open_image, recognise};
use crate::target::{self, TargetKind};

/// One target on its way through the pipeline.
pub(super) struct Work {
    pub(super) target: Target,
    pub(super) inventory: Inventory,
    pub(super) gaps: Vec<Gap>,
    pub(super) misconfigurations: Option<misconfig::Outcome>,
    /// It is a source tree, and what it holds is judged as targets of their own.
    pub(super) holds_images: bool,
    /// What it took to read an image.
    cost: Cost,
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
pub(super) fn target(
    request: &Request,
    planned: Planned<'_>,
    named: &NamedImages,
    rules: &dyn Rules,
) -> Result<Reading, Error> {
    let path = &planned.spec.path;
    match planned.kind {
        Err(error) => Ok(error.into()),
        Ok(TargetKind::Image(kind)) => Ok(match read_image(request, kind, path) {
            Ok(works) => Reading {
                works,
                failures: Vec::new(),
            },
            Err(error) => error.into(),
        }),
        Ok(TargetKind::Directory) => read_directory(request, path, named, rules),
    }
}

fn new_target(request: &Request, kind: TargetKind, path: &Path) -> Target {
    let shown = target::shown(path, &request.working_directory);
    let prefix = match kind {
        TargetKind::Directory => target::prefix(path, &request.working_directory),
        TargetKind::Image(_) => String::new(),
    };
    Target {
        prefix,
        ..Target::new(kind, shown)
    }
}

/// Reads the images that a layout or archive holds, mostly one.
fn read_image(request: &Request, kind: ImageKind, path: &Path) -> Result<Vec<Work>, SourceError> {
    let target = new_target(request, TargetKind::Image(kind), path);
    if !request.vulnerabilities {
        if recognise(path).is_none() {
            return Err(SourceError::Invalid {
                place: target.path,
                cause: "not a readable image".to_owned(),
            });
        }
        return Ok(vec![Work {
            target,
            inventory: Inventory::default(),
            gaps: Vec::new(),
            misconfigurations: None,
            holds_images: false,
            cost: Cost::default(),
        }]);
    }
    let budget = Budget::of(request.memory);
    let analyzers = dispatch::in_images();
    let images = open_image(kind, path, request.platform.as_ref(), budget, &analyzers)?;
    let several = images.len() > 1;
    let works = images.into_iter().enumerate().map(|(index, contents)| {
        let mut target = target.clone();
        if several {
            let name = contents.reference.unwrap_or_else(|| index.to_string());
            target.id = format!("{}#{name}", target.path);
        }
        let inventory = assemble(contents.files);
        target.platform = contents.platform;
        target.digest = contents.digest;
        let other = |platform: &String| target.platform.as_ref() != Some(platform);
        target.other_platforms = contents.platforms.into_iter().filter(other).collect();
        target.coverage = contents.coverage;
        target.distribution.clone_from(&inventory.distribution);
        Work {
            target,
            inventory,
            gaps: contents.gaps,
            misconfigurations: None,
            holds_images: false,
            cost: contents.cost,
        }
    });
    Ok(works.collect())
}

fn read_directory(
    request: &Request,
    path: &Path,
    named: &NamedImages,
    rules: &dyn Rules,
) -> Result<Reading, Error> {
    let interest = Interest {
        packages: request.vulnerabilities,
        terraform: request.misconfigurations,
        vendored: request.include_vendored,
        memory: request.memory,
    };
    let root = match Directory::new(path) {
        Ok(root) => root,
        Err(source) => {
            let path = path.to_path_buf();
            return Ok(SourceError::Io { path, source }.into());
        }
    };
    let analyzers = dispatch::in_trees();
    let mut tree = tree::read(&root, interest, &analyzers);
    let misconfigurations = infrastructure(request, &root, &analyzers, &mut tree, rules)?;
    let mut target = new_target(request, TargetKind::Directory, path);
    target.coverage.files = tree.coverage;
    if let Some(outcome) = &misconfigurations {
        target.coverage.terraform = outcome.coverage;
    }
    let mut work = Work {
        target,
        inventory: assemble(tree.files),
        gaps: tree.gaps,
        misconfigurations,
        holds_images: false,
        cost: Cost::default(),
    };
    // A directory that holds nothing but images, such as a layout that was named without `oci:`,
    // is just these, and they were named with it.
    let files = &work.target.coverage.files;
    let images = files.skipped.get(&SkipRule::Image).copied().unwrap_or(0);
    let bare = images > 0 && files.seen == images && work.gaps.is_empty();
    let mut failures = Vec::new();
    let mut found = Vec::new();
    let mut images = Images::new(request.memory);
    for (image, kind) in tree.images {
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
                read.iter()
                    .map(|image| image.inventory.packages.len())
                    .sum(),
            ),
            Err(_) => images.refuse(),
        }
        match read {
            Ok(images) if bare => found.extend(images),
            Ok(images) => found.extend(images.into_iter().map(in_tree)),
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
    Ok(Reading {
        works: found,
        failures,
    })
}

/// An image that lies in a tree: nobody named it, so that what cannot be read of it is unjudged and
/// no failure of the run.
fn in_tree(mut image: Work) -> Work {
    for gap in image.gaps.iter_mut().chain(&mut image.inventory.gaps) {
        gap.class = gap.class.max(GapClass::Unjudged);
    }
    image
}

/// Evaluates the infrastructure code of a tree, and counts its files.
fn infrastructure(
    request: &Request,
    root: &dyn Root,
    analyzers: &Analyzers<'_>,
    tree: &mut Tree,
    rules: &dyn Rules,
) -> Result<Option<misconfig::Outcome>, Error> {
    let mut read = BTreeSet::new();
    let mut unreadable = BTreeSet::new();
    let files = Watched::new(root, analyzers);
    let outcome = if tree.terraform.is_empty() {
        None
    } else {
        let ruleset = rules.load()?;
        let outcome = misconfig::check(&files, &tree.terraform, ruleset, &request.terraform);
        read = files.read_paths();
        // A file under several names is opened once.
        read.extend(outcome.files.iter().cloned());
        let gaps = outcome.gaps.iter();
        let gaps = gaps.filter(|gap| gap.kind == GapKind::Unreadable);
        unreadable.extend(gaps.map(|gap| gap.location.path.to_string()));
        Some(outcome)
    };
    for path in &tree.terraform_files {
        if unreadable.contains(path) {
            tree.coverage.unreadable();
        } else if read.contains(path) {
            tree.coverage.read();
        } else {
            tree.coverage.skip(SkipRule::NotRead, 1);
        }
    }
    tree::watch_rest(root, &files, tree);
    Ok(outcome)
}

/// One line with the causes of a source error, without absolute paths.
pub fn source_cause(error: &SourceError) -> String {
    match error {
        SourceError::Io { source, .. } => source.to_string(),
        SourceError::Invalid { place, cause } => format!("{place}: {cause}"),
    }
}
