//! Reads one named target as far as its own files tell: packages, infrastructure, gaps. Advisories
//! come later, when all targets are known.

use std::path::Path;

use super::{Error, Request, Rules};
use crate::gap::{Gap, GapKind, Stage};
use crate::inventory::assemble::{Inventory, assemble};
use crate::location::Location;
use crate::misconfig;
use crate::report::Target;
use crate::source::directory::{self, DirectoryFiles, Interest};
use crate::source::{ImageKind, SourceError, open_image, recognise};
use crate::target::{self, TargetKind, TargetSpec};

/// One target on its way through the pipeline.
pub(super) struct Work {
    pub(super) target: Target,
    pub(super) inventory: Inventory,
    pub(super) gaps: Vec<Gap>,
    pub(super) misconfigurations: Option<misconfig::Outcome>,
}

/// Reads one named target; a source tree brings the images that lie in it along.
pub(super) fn target(
    request: &Request,
    spec: &TargetSpec,
    rules: &dyn Rules,
) -> Result<Result<Vec<Work>, SourceError>, Error> {
    let kind = match spec.resolve() {
        Ok(Some(kind)) => kind,
        Ok(None) => {
            return Ok(Err(SourceError::Invalid {
                place: target::shown(&spec.path, &request.working_directory),
                cause: "neither a directory, nor an OCI layout, nor an image archive".to_owned(),
            }));
        }
        Err(source) => {
            return Ok(Err(SourceError::Io {
                path: spec.path.clone(),
                source,
            }));
        }
    };
    match kind {
        TargetKind::Image(image_kind) => Ok(read_image(request, image_kind, &spec.path)),
        TargetKind::Directory => read_directory(request, &spec.path, rules),
    }
}

fn new_target(request: &Request, kind: TargetKind, path: &Path) -> Target {
    let shown = target::shown(path, &request.working_directory);
    let prefix = match kind {
        TargetKind::Directory => target::prefix(path, &request.working_directory),
        TargetKind::Image(_) => String::new(),
    };
    Target {
        id: shown.clone(),
        kind: kind.as_str(),
        path: shown,
        prefix,
        platform: None,
        digest: None,
        distribution: None,
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
        }]);
    }
    let images = open_image(kind, path, request.platform.as_ref())?;
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
        target.distribution.clone_from(&inventory.distribution);
        Work {
            target,
            inventory,
            gaps: contents.gaps,
            misconfigurations: None,
        }
    });
    Ok(works.collect())
}

fn read_directory(
    request: &Request,
    path: &Path,
    rules: &dyn Rules,
) -> Result<Result<Vec<Work>, SourceError>, Error> {
    let interest = Interest {
        packages: request.vulnerabilities,
        terraform: request.misconfigurations,
    };
    let tree = match directory::read(path, interest) {
        Ok(tree) => tree,
        Err(error) => return Ok(Err(error)),
    };
    let target = new_target(request, TargetKind::Directory, path);
    let misconfigurations = if tree.terraform.is_empty() {
        None
    } else {
        let files = match DirectoryFiles::new(path) {
            Ok(files) => files,
            Err(source) => {
                return Ok(Err(SourceError::Io {
                    path: path.to_path_buf(),
                    source,
                }));
            }
        };
        let ruleset = rules.load()?;
        Some(misconfig::check(
            &files,
            &tree.terraform,
            ruleset,
            &request.terraform,
        ))
    };
    let mut works = vec![Work {
        target,
        inventory: assemble(tree.files),
        gaps: tree.gaps,
        misconfigurations,
    }];
    for (image, kind) in tree.images {
        match read_image(request, kind, &path.join(&image)) {
            Ok(images) => works.extend(images),
            // The tree itself is readable: a bad image in it is a bad file in it.
            Err(error) => {
                if let Some(tree) = works.first_mut() {
                    tree.gaps.push(Gap::error(
                        Stage::Source,
                        GapKind::Malformed,
                        Location::file(image.as_str()),
                        source_cause(&error),
                    ));
                }
            }
        }
    }
    Ok(Ok(works))
}

/// One line with the causes of a source error, without absolute paths.
pub fn source_cause(error: &SourceError) -> String {
    match error {
        SourceError::Io { source, .. } => source.to_string(),
        SourceError::Invalid { place, cause } => format!("{place}: {cause}"),
    }
}
