//! Images that users name: where one is looked for, in the order that docker's users expect, with every
//! step in the error; and what the images of one target are called in a report.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use crate::model::target::{Engine, ImageKind};
use crate::source::{Access, Contents, SourceError, elsewhere};
use crate::target::TargetSpec;

/// The ids of the images of one target: its path, and for several what tells them apart, which is the
/// name, then the platform, then the position.
pub(super) fn ids(path: &str, images: &[Contents]) -> Vec<String> {
    if images.len() < 2 {
        return images.iter().map(|_| path.to_owned()).collect();
    }
    let mut platforms: BTreeMap<Option<&str>, BTreeSet<Option<&str>>> = BTreeMap::new();
    for image in images {
        let of_name = platforms.entry(image.reference.as_deref()).or_default();
        of_name.insert(image.platform.as_deref());
    }
    let mut taken = BTreeSet::new();
    let each = images.iter().enumerate().map(|(index, image)| {
        let name = image.reference.as_deref();
        let several = platforms.get(&name).is_some_and(|all| all.len() > 1);
        let platform = image.platform.as_deref().filter(|_| several);
        let parts: Vec<&str> = name.into_iter().chain(platform).collect();
        let mut id = format!("{path}#{}", parts.join("#"));
        if parts.is_empty() {
            id = format!("{path}#{index}");
        }
        // Whatever an archive calls its images, no two of them are the same.
        while !taken.insert(id.clone()) {
            id = format!("{id}#{index}");
        }
        id
    });
    each.collect()
}

/// Where an image is opened, and why not in the places before. A name without a kind is looked for where
/// docker's users expect it: here, then far away.
pub(super) fn opened_kind(
    request: &Request,
    kind: ImageKind,
    spec: &TargetSpec,
) -> (ImageKind, Vec<String>) {
    match (kind, &spec.kind) {
        (ImageKind::Registry, None) => nearest(&spec.path.to_string_lossy(), &request.access),
        _ => (kind, Vec::new()),
    }
}

/// The engine that has an image, else its registry; and why each engine was passed over.
fn nearest(reference: &str, access: &Access) -> (ImageKind, Vec<String>) {
    let mut tried = vec!["not a path".to_owned()];
    for engine in Engine::ALL {
        match elsewhere::has(engine, reference, access) {
            Ok(true) => return (ImageKind::Engine(engine), tried),
            Ok(false) => tried.push(format!("{} has no such image", engine.as_str())),
            Err(cause) => tried.push(cause),
        }
    }
    (ImageKind::Registry, tried)
}

/// An error of the last of several places, with those before it.
pub(super) fn with_steps(error: SourceError, tried: &[String]) -> SourceError {
    match error {
        SourceError::Invalid { place, cause } if !tried.is_empty() => {
            let steps = tried.join("; ");
            let cause = format!("{steps}; {cause}");
            SourceError::Invalid { place, cause }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_never_the_same() {
        let image = |name: Option<&str>, platform: Option<&str>| Contents {
            reference: name.map(str::to_owned),
            platform: platform.map(str::to_owned),
            ..Contents::default()
        };
        let (amd, arm) = (Some("linux/amd64"), Some("linux/arm64"));
        assert_eq!(ids("x", &[image(Some("a:1"), amd)]), ["x"]);
        let of = |images: &[Contents]| ids("x", images).join(" ");
        let (one, two) = (image(Some("a:1"), amd), image(Some("b:1"), amd));
        assert_eq!(of(&[one.clone(), two]), "x#a:1 x#b:1");
        assert_eq!(
            of(&[one.clone(), image(Some("a:1"), arm)]),
            "x#a:1#linux/amd64 x#a:1#linux/arm64"
        );
        assert_eq!(
            of(&[image(None, amd), image(None, arm)]),
            "x#linux/amd64 x#linux/arm64"
        );
        assert_eq!(of(&[image(None, amd), image(None, amd)]), "x#0 x#1");
        assert_eq!(of(&[one.clone(), one]), "x#a:1 x#a:1#1");
        let odd = image(Some("0"), amd);
        assert_eq!(of(&[image(None, amd), odd]), "x#0 x#0#1");
    }
}
