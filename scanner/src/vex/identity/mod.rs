//! Whether a package URL speaks of a package, by the rules of the package's type. Everything the
//! package URL says must be known of the package and be the same; what it leaves out does not
//! matter. A source package (`arch=source`, `arch=src`) speaks of all that is built from it.

mod mismatch;
mod qualifier;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use db_sync::ecosystem::{Namespace, PurlName, normalise_name};
use db_sync::version::Order;

pub(super) use self::mismatch::Mismatch;
use self::qualifier::check_qualifier;
pub(super) use self::qualifier::same_arch;

use super::Component;
use super::versions::{VersionRule, bare};
use crate::inventory::ecosystem::Platform;
use crate::model::package::{Package, PackageType};
use crate::model::purl::Purl;

/// The keys under which a package is looked up: its own name and its source package's.
pub(super) fn keys(package: &Package) -> Vec<String> {
    let mut keys = vec![key(package.kind, &package.name)];
    if let Some(source) = package.source.as_ref().filter(|_| package.kind.is_os()) {
        let second = key(package.kind, &source.name);
        if !keys.contains(&second) {
            keys.push(second);
        }
    }
    keys
}

/// The key of the packages that a package URL can speak of; `None` for types that are not known.
pub(super) fn purl_key(purl: &Purl) -> Option<String> {
    let kind = PackageType::known(&purl.kind)?;
    Some(if kind.is_os() {
        key(kind, &purl.name)
    } else {
        key(kind, &purl.full_name())
    })
}

fn key(kind: PackageType, name: &str) -> String {
    let form = kind.ecosystem().unwrap_or_default();
    let name = normalise_name(form, name).to_lowercase();
    format!("{}/{name}", kind.as_str())
}

/// The package URL of a package: the inventory's, with what the ecosystem tells of the
/// distribution. `None` for a package without a name.
pub(super) fn purl_of(package: &Package) -> Option<Purl> {
    let mut purl = Purl::of(package, None);
    if purl.name.is_empty() {
        return None;
    }
    if let Some(ecosystem) = package
        .ecosystem
        .as_deref()
        .filter(|_| package.kind.is_os())
    {
        let own = Platform::of(ecosystem);
        purl.namespace = Some(own.namespace());
        let distro = own.qualifier();
        purl.qualifiers
            .extend(distro.map(|value| ("distro".to_owned(), value)));
    }
    Some(purl)
}

/// Whether one of a component's package URLs speaks of the package; the closest miss otherwise.
pub(super) fn component_speaks_of(
    component: &Component,
    package: &Package,
) -> Result<(), Mismatch> {
    let mut closest = Mismatch::Name;
    for purl in &component.purls {
        match speaks_of(purl, component, package) {
            Ok(()) => return Ok(()),
            Err(miss) => closest = closest.max(miss),
        }
    }
    Err(closest)
}

fn speaks_of(purl: &Purl, component: &Component, package: &Package) -> Result<(), Mismatch> {
    if purl.kind != package.kind.as_str() {
        return Err(Mismatch::Name);
    }
    let arch = purl.qualifiers.get("arch").map(String::as_str);
    let as_source = package.kind.is_os() && matches!(arch, Some("source" | "src"));
    let (name, version) = installed(package, as_source);
    if !same_name(purl, package.kind, name) {
        return Err(Mismatch::Name);
    }
    if package.kind.is_os() {
        check_namespace(purl, package)?;
    }
    check_version(purl, component, package, &version)?;
    for (key, given) in &purl.qualifiers {
        check_qualifier(key, given, package, as_source)?;
    }
    match &purl.subpath {
        Some(path) => Err(Mismatch::Subpath(path.clone())),
        None => Ok(()),
    }
}

/// Name and version of a package, or of the source package it was built from.
fn installed(package: &Package, as_source: bool) -> (&str, Cow<'_, str>) {
    match &package.source {
        Some(source) if as_source => (&source.name, Cow::Borrowed(&*source.version)),
        _ => (&package.name, Cow::Owned(package.full_version())),
    }
}

/// Names as their types compare them. Where older rules of the type wrote names in lower case,
/// a lower-case package URL is taken for the package, but not the reverse.
fn same_name(purl: &Purl, kind: PackageType, name: &str) -> bool {
    if kind.is_os() {
        return match kind.purl_name() {
            PurlName::Exact => purl.name == name,
            PurlName::Lower | PurlName::Python => purl.name.eq_ignore_ascii_case(name),
        };
    }
    if purl.namespace.is_some() && kind.namespace() == Namespace::None {
        return false;
    }
    let given = purl.full_name();
    let form = kind.ecosystem().unwrap_or_default();
    normalise_name(form, &given) == normalise_name(form, name)
        || (matches!(kind.namespace(), Namespace::Path(_)) && given == name.to_lowercase())
}

fn check_namespace(purl: &Purl, package: &Package) -> Result<(), Mismatch> {
    let own = package.ecosystem.as_deref().map(Platform::of);
    let same = match (&purl.namespace, own) {
        (Some(given), Some(own)) => own.is_named(given),
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(Mismatch::Namespace {
        given: purl.namespace.clone().unwrap_or_else(|| "none".to_owned()),
        installed: own.map_or_else(|| "unknown".to_owned(), Platform::namespace),
    })
}

fn check_version(
    purl: &Purl,
    component: &Component,
    package: &Package,
    installed: &str,
) -> Result<(), Mismatch> {
    let epoch = purl.qualifiers.get("epoch").map(String::as_str);
    let equal = |given: &str| same_version(given, epoch, package, installed);
    let (fits, given) = match &purl.version {
        Some(given) => (equal(given), given.clone()),
        None if component.versions.is_empty() => return Ok(()),
        None => {
            let mut rules = component.versions.iter();
            let fits = rules.any(|rule| rule.fits(package, installed, equal));
            let texts: Vec<&str> = component.versions.iter().map(VersionRule::text).collect();
            (fits, texts.join(", "))
        }
    };
    if fits {
        return Ok(());
    }
    Err(Mismatch::Version {
        given,
        installed: installed.to_owned(),
    })
}

/// Versions as text, but for what the type itself writes in two ways.
fn same_version(given: &str, epoch: Option<&str>, package: &Package, installed: &str) -> bool {
    let kind = package.kind;
    // The epoch is a qualifier, which is checked on its own; some write it in front.
    if kind == PackageType::RPM {
        let given = given.strip_prefix("0:").unwrap_or(given);
        let without = installed
            .split_once(':')
            .map_or(installed, |(_, rest)| rest);
        return given == installed || given == without;
    }
    if kind == PackageType::DEB {
        let given = given.strip_prefix("0:").unwrap_or(given);
        let with = epoch.map(|epoch| format!("{epoch}:{given}"));
        return given == installed || with.as_deref() == Some(installed);
    }
    if kind == PackageType::PYPI {
        let order = Order::PyPi.compare(given, installed);
        return given == installed || order.is_ok_and(std::cmp::Ordering::is_eq);
    }
    bare(kind, given) == bare(kind, installed)
}
