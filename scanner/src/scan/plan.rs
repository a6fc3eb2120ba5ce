//! Which of the named targets are judged: a thing that is named twice, or that lies in another
//! target, is judged once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::tree::may_be_passed_over;
use crate::source::{ImageKind, SourceError};
use crate::target::{self, TargetKind, TargetSpec};

/// One target that is judged.
pub(super) struct Planned<'a> {
    pub(super) spec: &'a TargetSpec,
    /// As reports show it.
    pub(super) shown: String,
    /// What it is, or why it cannot be scanned.
    pub(super) kind: Result<TargetKind, SourceError>,
    /// Its real path, where it has one.
    real: Option<PathBuf>,
}

/// The plan of a run.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// In the order given.
    pub(super) targets: Vec<Planned<'a>>,
    /// Those that are judged as part of another one, or were named before.
    pub(super) repeated: Vec<String>,
    /// The images among the targets.
    pub(super) images: NamedImages,
}

/// Real paths of images that are targets of their own.
#[derive(Default)]
pub(super) struct NamedImages(BTreeSet<PathBuf>);

impl NamedImages {
    /// Whether a path that was found in a tree is one of them.
    pub(super) fn has(&self, found: &Path) -> bool {
        found
            .canonicalize()
            .is_ok_and(|real| self.0.contains(&real))
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(specs: &'a [TargetSpec], working_directory: &Path) -> Self {
        let all: Vec<Planned<'a>> = specs
            .iter()
            .map(|spec| Planned::new(spec, working_directory))
            .collect();
        let is_repeated = |number: usize, target: &Planned<'_>| {
            let before = all.get(..number).unwrap_or_default();
            let same = before.iter().any(|other| other.is(target));
            same || all.iter().any(|other| other.walks(target))
        };
        let repeats: Vec<bool> = all
            .iter()
            .enumerate()
            .map(|(number, target)| is_repeated(number, target))
            .collect();
        let mut plan = Self::default();
        for (target, is_repeated) in all.into_iter().zip(repeats) {
            if is_repeated {
                plan.repeated.push(target.shown);
                continue;
            }
            if let (Ok(TargetKind::Image(_)), Some(real)) = (&target.kind, &target.real) {
                plan.images.0.insert(real.clone());
            }
            plan.targets.push(target);
        }
        plan
    }
}

/// Whether a path that is not there may be meant as the name of an image.
fn is_bare_word(path: &Path) -> bool {
    let is_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/".contains(c);
    let text = path.to_str();
    text.is_some_and(|text| !text.starts_with('/') && text.chars().all(is_char))
}

/// What a target is, or why it cannot be scanned.
pub(super) fn kind(spec: &TargetSpec, working_directory: &Path) -> Result<TargetKind, SourceError> {
    let shown = target::shown(&spec.path, working_directory);
    let refused = |cause: String| {
        let place = shown.clone();
        Err(SourceError::Invalid { place, cause })
    };
    match spec.resolve() {
        Ok(Some(TargetKind::Image(ImageKind::Registry))) if spec.kind.is_none() => {
            match target::mistyped(&spec.path) {
                Some((word, kind)) => refused(format!(
                    "not a path, and {word}: is not a kind of target: write {kind}: if it was meant, or image:{shown} for an image of this name"
                )),
                None => Ok(TargetKind::Image(ImageKind::Registry)),
            }
        }
        Ok(Some(kind)) => Ok(kind),
        Ok(None) => refused("neither a directory nor a regular file".to_owned()),
        Err(source) if is_bare_word(&spec.path) => refused(format!(
            "{}; to scan an image of this name, write image:{shown} or add its tag",
            source.kind()
        )),
        Err(source) => Err(SourceError::Io {
            path: spec.path.clone(),
            source,
        }),
    }
}

impl<'a> Planned<'a> {
    fn new(spec: &'a TargetSpec, working_directory: &Path) -> Self {
        Self {
            spec,
            shown: target::shown(&spec.path, working_directory),
            kind: kind(spec, working_directory),
            real: spec.path.canonicalize().ok(),
        }
    }

    /// The same thing, judged as the same kind of thing.
    fn is(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Ok(kind), Ok(same)) => kind == same && self.real.is_some() && self.real == other.real,
            _ => false,
        }
    }

    /// A tree whose walk enters the other tree.
    fn walks(&self, other: &Self) -> bool {
        let (Ok(TargetKind::Directory), Ok(TargetKind::Directory)) = (&self.kind, &other.kind)
        else {
            return false;
        };
        let (Some(outer), Some(inner)) = (&self.real, &other.real) else {
            return false;
        };
        let Ok(below) = inner.strip_prefix(outer) else {
            return false;
        };
        below != Path::new("") && !may_be_passed_over(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_judged_once() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for directory in ["a/b", "a/node_modules/c", "a/vendor/c", "d"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        let shown = |names: &[&str]| {
            let specs: Vec<TargetSpec> = names
                .iter()
                .map(|name| TargetSpec {
                    kind: None,
                    path: root.join(name),
                })
                .collect();
            let plan = Plan::new(&specs, root);
            let kept: Vec<String> = plan.targets.into_iter().map(|one| one.shown).collect();
            (kept.join(" "), plan.repeated.join(" "))
        };
        let some = |kept: &str, repeated: &str| (kept.to_owned(), repeated.to_owned());
        assert_eq!(shown(&["a", "d"]), some("a d", ""));
        assert_eq!(shown(&["a", "a/b"]), some("a", "a/b"));
        assert_eq!(shown(&["a/b", "d", "a"]), some("d a", "a/b"));
        assert_eq!(shown(&["a", "./a", "a/."]), some("a", "a a"));
        assert_eq!(
            shown(&["a", "a/node_modules/c"]),
            some("a a/node_modules/c", "")
        );
        // The walk may leave out what is vendored; whoever names it wants it.
        assert_eq!(shown(&["a", "a/vendor"]), some("a a/vendor", ""));
        // What is not there fails each time it is named.
        assert_eq!(shown(&["x", "x"]), some("x x", ""));
    }
}
