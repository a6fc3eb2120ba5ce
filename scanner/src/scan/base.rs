//! Whose the layers of an image are: those of the image that it was built on, which a newer base
//! replaces, or its own. The base is the one that the user names, or another image of the run; its
//! layers are the lowest ones of the image, the same and in the same order, by the digests of what
//! they unpack to. What an image says of its base by itself is shown, and proves nothing; the base is
//! asked for only if the user wants that, since it opens a connection to wherever the image says.
//! What a cache remembers of other images is not looked at: a report is the same without one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::named_images::{opened_kind, with_steps};
use super::plan;
use super::read::Work;
use super::{Request, TargetFailure};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;
use crate::model::target::{BaseFrom, BaseImage, ImageKind, Origin, Target};
use crate::source::{self, Described, Platform, SourceError};
use crate::target::{self, TargetKind, TargetSpec};

/// What the user says of bases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// This image is the base of all.
    Named(TargetSpec),
    /// Each image names its own, which is asked for in its registry.
    Annotated,
}

impl Base {
    /// The word for [`Self::Annotated`].
    pub const ANNOTATED: &str = "annotated";

    /// As the user writes it.
    pub fn parse(text: &str) -> Self {
        if text == Self::ANNOTATED {
            Self::Annotated
        } else {
            Self::Named(TargetSpec::parse(text))
        }
    }
}

/// Marks the layers of all images; a base that was named and cannot be read is a failure.
pub(super) fn mark(request: &Request, works: &mut [Work]) -> Option<TargetFailure> {
    let mut failure = None;
    let mut named = Vec::new();
    match &request.base {
        // Nothing was read of any image.
        _ if !request.vulnerabilities => {}
        Some(Base::Named(spec)) => match described(request, spec) {
            Ok(found) => named = found,
            Err(error) => {
                let shown = target::shown(&spec.path, &request.working_directory);
                failure = Some(TargetFailure {
                    target: format!("--base {shown}"),
                    error,
                });
            }
        },
        Some(Base::Annotated) => {
            annotated(request, works);
            return None;
        }
        None => {}
    }
    let known: Vec<Known> = works.iter().map(|work| Known::of(&work.target)).collect();
    for (number, work) in works.iter_mut().enumerate() {
        let target = &mut work.target;
        let Some(mine) = known.get(number).filter(|mine| !mine.diff_ids.is_empty()) else {
            continue; // no image, or one of which nothing was read
        };
        if let Some(Base::Named(spec)) = &request.base {
            // Nothing else counts beside what the user says.
            let shown = target::shown(&spec.path, &request.working_directory);
            set_base(target, &named, mine, Some(shown), BaseFrom::Option);
        } else {
            found_base(&known, mine, target);
        }
    }
    failure
}

/// The images that the user names as base.
fn described(request: &Request, spec: &TargetSpec) -> Result<Vec<Described>, SourceError> {
    let shown = target::shown(&spec.path, &request.working_directory);
    let not_an_image = |cause: &str| SourceError::Invalid {
        place: shown.clone(),
        cause: cause.to_owned(),
    };
    let kind = match plan::kind(spec, &request.working_directory)? {
        TargetKind::Image(kind) => kind,
        // A directory is one only where that is said, or here, where nothing else makes sense.
        TargetKind::Directory => {
            let found = source::recognise(&spec.path);
            found.ok_or_else(|| not_an_image("the directory is not an image layout"))?
        }
        _ => return Err(not_an_image("it is not an image")),
    };
    let (kind, tried) = opened_kind(request, kind, spec);
    // Of a base with many platforms any may be that of an image of the run.
    let all = Platform::all();
    let found = source::describe_images(kind, &spec.path, &request.access, Some(&all));
    found.map_err(|error| with_steps(error, &tried))
}

/// Asks for the bases that the images name, each once.
fn annotated(request: &Request, works: &mut [Work]) {
    let mut asked: BTreeMap<String, Result<Vec<Described>, String>> = BTreeMap::new();
    for work in works {
        let mine = Known::of(&work.target);
        let Some(base) = work.target.base_image.clone() else {
            continue; // it names none
        };
        let reference = match (&base.name, &base.digest) {
            (Some(name), Some(digest)) => format!("{name}@{digest}"),
            (Some(name), None) => name.clone(),
            // A digest alone does not say in which registry it is.
            (None, _) => continue,
        };
        let found = asked.entry(reference).or_insert_with_key(|reference| {
            let all = Platform::all();
            let path = Path::new(reference);
            source::describe_images(ImageKind::Registry, path, &request.access, Some(&all))
                .map_err(|error| super::source_cause(&error))
        });
        match found {
            Ok(found) => {
                let name = base.name;
                set_base(&mut work.target, found, &mine, name, BaseFrom::Annotation);
            }
            Err(cause) => {
                let cause = format!("the base that the image names cannot be read: {cause}");
                let place = Location::file(".");
                let gap = Gap::warning(Stage::Source, GapKind::Unreadable, place, cause);
                work.gaps.push(gap);
            }
        }
    }
}

/// Marks the layers of the fitting one of some bases.
fn set_base(
    target: &mut Target,
    named: &[Described],
    mine: &Known,
    name: Option<String>,
    found_by: BaseFrom,
) {
    let fitting = named
        .iter()
        .filter(|base| mine.begins_with(&base.diff_ids))
        .max_by_key(|base| base.diff_ids.len());
    target.base_image = Some(BaseImage {
        name,
        digest: fitting.and_then(|base| base.digest.clone()),
        found_by,
        layers: fitting.map(|base| base.diff_ids.len()),
    });
    if let Some(base) = fitting {
        split(target, base.diff_ids.len());
    }
}

/// Marks the layers of the largest other image of the run that this one begins with.
fn found_base(known: &[Known], mine: &Known, target: &mut Target) {
    let shorter = |other: &&Known| other.diff_ids.len() < mine.diff_ids.len();
    let found = known
        .iter()
        .filter(shorter)
        .filter(|other| mine.begins_with(&other.diff_ids))
        .max_by_key(|other| other.diff_ids.len());
    if let Some(base) = found {
        target.base_image = Some(BaseImage {
            name: Some(base.id.clone()),
            digest: base.digest.clone(),
            found_by: BaseFrom::Target,
            layers: Some(base.diff_ids.len()),
        });
        split(target, base.diff_ids.len());
    }
}

fn split(target: &mut Target, base: usize) {
    for (number, layer) in target.layers.iter_mut().enumerate() {
        let origin = if number < base {
            Origin::Base
        } else {
            Origin::Own
        };
        layer.origin = Some(origin);
    }
}

/// What is compared of an image.
struct Known {
    id: String,
    digest: Option<String>,
    diff_ids: Vec<Arc<str>>,
}

impl Known {
    fn of(target: &Target) -> Self {
        let diff_ids = target.layers.iter().map(|layer| Arc::clone(&layer.diff_id));
        Self {
            id: target.id.clone(),
            digest: target.digest.clone(),
            diff_ids: diff_ids.collect(),
        }
    }

    /// Whether another image is the beginning of this one. A layer without a digest, such as one that
    /// was cut, is the same as no other.
    fn begins_with(&self, other: &[Arc<str>]) -> bool {
        let is_known = other.iter().all(|diff_id| !diff_id.is_empty());
        !other.is_empty() && is_known && self.diff_ids.starts_with(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::target::LayerInfo;

    fn image(id: &str, layers: &[&str]) -> Target {
        let mut target = Target::new(TargetKind::Image(ImageKind::OciLayout), id);
        let layers = layers.iter().map(|diff_id| LayerInfo {
            digest: "sha256:x".into(),
            diff_id: (*diff_id).into(),
            created_by: None,
            origin: None,
        });
        target.layers = layers.collect();
        target
    }

    fn origins(target: &Target) -> Vec<Option<Origin>> {
        target.layers.iter().map(|layer| layer.origin).collect()
    }

    #[test]
    fn the_largest_beginning_is_the_base() {
        let all = [
            image("app", &["a", "b", "c"]),
            image("same", &["a", "b", "c"]),
            image("small", &["a"]),
            image("large", &["a", "b"]),
            image("other", &["b"]),
            image("none", &[]),
            image("cut", &["", "b"]),
        ];
        let known: Vec<Known> = all.iter().map(Known::of).collect();
        let base = |number: usize| {
            let mut target = all[number].clone();
            found_base(&known, &known[number], &mut target);
            let name = target.base_image.clone().and_then(|base| base.name);
            (name, origins(&target))
        };
        let (name, marks) = base(0);
        assert_eq!(name.as_deref(), Some("large"));
        let (below, own) = (Some(Origin::Base), Some(Origin::Own));
        assert_eq!(marks, [below, below, own]);
        assert_eq!(base(3).0.as_deref(), Some("small"));
        for alone in [2, 4, 5, 6] {
            assert_eq!(base(alone).0, None, "{alone}");
            assert!(base(alone).1.iter().all(Option::is_none));
        }
    }
}
