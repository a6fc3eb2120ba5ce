//! Whether the product of a statement is what was scanned. An image is known by its digest; a
//! platform by its CPE; a package by being in the target. Without any of these, the name of the
//! target or a document about one product only has to do, and nothing may speak against it.

use super::identity::{self, Mismatch};
use super::index::Index;
use super::{Component, Product, Statement};
use crate::inventory::ecosystem::Platform;
use crate::model::package::Package;
use crate::model::purl::Purl;
use crate::model::report::Target;

/// Whether the statement is about an image as a whole.
pub(super) fn is_whole_image(product: &Product) -> bool {
    product.parts.is_empty() && product.component.purls.iter().any(is_image)
}

fn is_image(purl: &Purl) -> bool {
    matches!(purl.kind.as_str(), "oci" | "docker")
}

/// Checks the product that `part` was named in; `package` was found to be the part.
pub(super) fn holds(
    index: &Index<'_>,
    statement: &Statement,
    product: &Product,
    part: Option<&Component>,
    target: usize,
    package: &Package,
) -> Result<(), Mismatch> {
    let component = &product.component;
    let scanned = index.report.targets.get(target);
    let loose = || by_name(statement, component, scanned);
    if !component.purls.is_empty() {
        let mut miss = None;
        for purl in &component.purls {
            match one(index, component, purl, scanned, target, &loose) {
                Ok(()) => return Ok(()),
                Err(cause) => miss = Some(cause),
            }
        }
        return Err(Mismatch::Product(miss.unwrap_or_default()));
    }
    // The build of a distribution's package is told by its version; the product is the channel.
    let exact = part.is_some_and(|part| part.purls.iter().any(|purl| purl.version.is_some()));
    if exact && package.kind.is_os() {
        return Ok(());
    }
    match &component.cpe {
        Some(cpe) if package.kind.is_os() => {
            let own = package.ecosystem.as_deref().map(Platform::of);
            if own.is_some_and(|own| own.has_cpe(cpe)) {
                return Ok(());
            }
            Err(Mismatch::Product(format!(
                "platform {cpe} is not the distribution of this target"
            )))
        }
        _ => loose().map_err(Mismatch::Product),
    }
}

fn one(
    index: &Index<'_>,
    component: &Component,
    purl: &Purl,
    scanned: Option<&Target>,
    target: usize,
    loose: &impl Fn() -> Result<(), String>,
) -> Result<(), String> {
    if is_image(purl) {
        return image(purl, scanned, loose);
    }
    let inside = identity::purl_key(purl).is_some_and(|key| {
        index.packages(&key).iter().any(|(at, package)| {
            *at == target && identity::component_speaks_of(component, package).is_ok()
        })
    });
    if inside {
        return Ok(());
    }
    match &purl.version {
        Some(_) => Err(format!("product {purl} is not in this target")),
        None => loose(),
    }
}

fn image(
    purl: &Purl,
    scanned: Option<&Target>,
    loose: &impl Fn() -> Result<(), String>,
) -> Result<(), String> {
    let Some(target) = scanned.filter(|target| target.kind.is_image()) else {
        return Err(format!(
            "product {purl} is an image, and this target is none"
        ));
    };
    let architecture = target
        .platform
        .as_deref()
        .and_then(|platform| platform.split('/').nth(1));
    if let (Some(given), Some(own)) = (purl.qualifiers.get("arch"), architecture)
        && !identity::same_arch(given, own)
    {
        return Err(format!("product {purl} is for {given}, scanned {own}"));
    }
    match (&purl.version, &target.digest) {
        (Some(given), Some(own)) if given == own => Ok(()),
        (Some(given), Some(own)) if given.contains(':') => {
            Err(format!("image digest differs: {given}, scanned {own}"))
        }
        (Some(given), _) => Err(format!(
            "image version {given} cannot be checked for this target"
        )),
        (None, _) => match purl.qualifiers.get("tag") {
            Some(tag) => Err(format!(
                "image tag {tag} cannot be checked: give the digest"
            )),
            None => loose(),
        },
    }
}

/// The last resort: the target's own name, or the document's only product.
fn by_name(
    statement: &Statement,
    component: &Component,
    scanned: Option<&Target>,
) -> Result<(), String> {
    let names: Vec<&str> = component
        .purls
        .iter()
        .map(|purl| purl.name.as_str())
        .chain([component.label.as_str()])
        .collect();
    let named = scanned
        .and_then(name)
        .is_some_and(|own| names.contains(&own));
    if named || statement.sole_product {
        return Ok(());
    }
    Err(format!(
        "product {} is not known to be this target",
        component.label
    ))
}

/// The name of a target: the last part of its path, without the endings of archives.
pub(super) fn name(target: &Target) -> Option<&str> {
    let last = target.path.trim_end_matches('/').rsplit('/').next()?;
    let mut last = last;
    for ending in [".gz", ".zst", ".tar", ".tgz"] {
        last = last.strip_suffix(ending).unwrap_or(last);
    }
    Some(last).filter(|name| !matches!(*name, "" | "." | ".."))
}
