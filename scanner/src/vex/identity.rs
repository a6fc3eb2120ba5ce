//! Whether a package URL speaks of a package, by the rules of the package's type. Everything the
//! package URL says must be known of the package and be the same; what it leaves out does not
//! matter. A source package (`arch=source`, `arch=src`) speaks of all that is built from it.

use std::borrow::Cow;
use std::fmt;

use db_sync::version::Order;

use super::Component;
use super::distribution::Distribution;
use super::purl::Purl;
use super::versions::{VersionRule, bare};
use crate::inventory;
use crate::package::{Package, PackageType};

/// Qualifiers that name nothing of the package itself.
const IGNORED: [&str; 1] = ["package-id"];

/// Why a package URL does not speak of a package, the closest miss last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mismatch {
    /// Another package.
    Name,
    /// Another distribution's package.
    Namespace { given: String, installed: String },
    /// Another version.
    Version { given: String, installed: String },
    /// Another value of a qualifier, or one that is not known of the package.
    Qualifier {
        key: String,
        given: String,
        installed: Option<String>,
    },
    /// Only a part of the package.
    Subpath(String),
    /// The package, but as a part of another product.
    Product(String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(out, "package not in the report"),
            Self::Namespace { given, installed } => {
                write!(out, "namespace differs: {given}, installed {installed}")
            }
            Self::Version { given, installed } => {
                write!(out, "version differs: {given}, installed {installed}")
            }
            Self::Qualifier {
                key,
                given,
                installed: Some(installed),
            } => write!(
                out,
                "qualifier {key} differs: {given}, installed {installed}"
            ),
            Self::Qualifier { key, given, .. } => {
                write!(
                    out,
                    "qualifier {key}={given} cannot be checked for this package"
                )
            }
            Self::Subpath(path) => write!(out, "only the part {path} of the package is meant"),
            Self::Product(cause) => out.write_str(cause),
        }
    }
}

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

/// The key of the packages that a package URL can speak of; `None` for types we do not inventory.
pub(super) fn purl_key(purl: &Purl) -> Option<String> {
    let kind = kind(&purl.kind)?;
    Some(if kind.is_os() {
        key(kind, &purl.name)
    } else {
        key(kind, &purl.full_name())
    })
}

fn key(kind: PackageType, name: &str) -> String {
    let name = match kind {
        PackageType::Pypi => pypi_name(name),
        _ => name.to_lowercase(),
    };
    format!("{}/{name}", kind.as_str())
}

fn kind(text: &str) -> Option<PackageType> {
    [
        PackageType::Apk,
        PackageType::Cargo,
        PackageType::Composer,
        PackageType::Deb,
        PackageType::Gem,
        PackageType::Golang,
        PackageType::Npm,
        PackageType::Pypi,
        PackageType::Rpm,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == text)
}

/// The package URL of a package: the inventory's, with what the ecosystem tells of the
/// distribution. `None` for a package without a name.
pub(super) fn purl_of(package: &Package) -> Option<Purl> {
    let mut purl: Purl = inventory::purl::purl(package, None).parse().ok()?;
    if let Some(ecosystem) = package
        .ecosystem
        .as_deref()
        .filter(|_| package.kind.is_os())
    {
        let own = Distribution::of(ecosystem);
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
    match kind {
        PackageType::Pypi => purl.namespace.is_none() && pypi_name(&purl.name) == pypi_name(name),
        PackageType::Apk | PackageType::Deb => purl.name.eq_ignore_ascii_case(name),
        PackageType::Rpm => purl.name == name,
        PackageType::Cargo | PackageType::Gem => purl.namespace.is_none() && purl.name == name,
        PackageType::Composer => purl.full_name().eq_ignore_ascii_case(name),
        PackageType::Golang | PackageType::Npm => {
            let given = purl.full_name();
            given == name || given == name.to_lowercase()
        }
    }
}

/// PyPI's normal form (PEP 503).
fn pypi_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(character.to_lowercase());
        }
    }
    normal
}

fn check_namespace(purl: &Purl, package: &Package) -> Result<(), Mismatch> {
    let own = package.ecosystem.as_deref().map(Distribution::of);
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
        installed: own.map_or_else(|| "unknown".to_owned(), Distribution::namespace),
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
    match kind {
        // The epoch is a qualifier, which is checked on its own; some write it in front.
        PackageType::Rpm => {
            let given = given.strip_prefix("0:").unwrap_or(given);
            let without = installed
                .split_once(':')
                .map_or(installed, |(_, rest)| rest);
            given == installed || given == without
        }
        PackageType::Deb => {
            let given = given.strip_prefix("0:").unwrap_or(given);
            let with = epoch.map(|epoch| format!("{epoch}:{given}"));
            given == installed || with.as_deref() == Some(installed)
        }
        PackageType::Pypi => {
            given == installed
                || Order::PyPi
                    .compare(given, installed)
                    .is_ok_and(std::cmp::Ordering::is_eq)
        }
        _ => bare(kind, given) == bare(kind, installed),
    }
}

fn check_qualifier(
    key: &str,
    given: &str,
    package: &Package,
    as_source: bool,
) -> Result<(), Mismatch> {
    let (agrees, installed) = match key {
        _ if IGNORED.contains(&key) => return Ok(()),
        "arch" if as_source => return Ok(()),
        "arch" => {
            let own = package.arch.as_deref();
            (
                own.is_some_and(|own| same_arch(own, given)),
                own.map(str::to_owned),
            )
        }
        "distro" => {
            let own = package
                .ecosystem
                .as_deref()
                .filter(|_| package.kind.is_os());
            let agrees = own.is_some_and(|own| Distribution::of(own).has_qualifier(given));
            (agrees, own.map(str::to_owned))
        }
        "epoch" if package.kind == PackageType::Rpm => {
            let own = package.epoch.unwrap_or(0);
            (given.parse() == Ok(own), Some(own.to_string()))
        }
        "epoch" if package.kind == PackageType::Deb => {
            let own = package
                .version
                .split_once(':')
                .map_or("0", |(epoch, _)| epoch);
            (given == own, Some(own.to_owned()))
        }
        "upstream" => {
            let (name, version) = given
                .split_once('@')
                .map_or((given, None), |(n, v)| (n, Some(v)));
            let (own, own_version) = installed(package, true);
            let agrees = name == own && version.is_none_or(|version| version == own_version);
            (agrees && package.kind.is_os(), Some(own.to_owned()))
        }
        "rpmmod" | "modularitylabel" => {
            let own = package.module.as_deref();
            let agrees = own.is_some_and(|own| {
                own == given
                    || own
                        .strip_prefix(given)
                        .is_some_and(|rest| rest.starts_with(':'))
            });
            (agrees, own.map(str::to_owned))
        }
        _ => (false, None),
    };
    if agrees {
        return Ok(());
    }
    Err(Mismatch::Qualifier {
        key: key.to_owned(),
        given: given.to_owned(),
        installed,
    })
}

/// Names of processors, which package managers and images write differently.
pub(super) fn same_arch(a: &str, b: &str) -> bool {
    let plain = |arch: &str| match arch {
        "x86_64" | "amd64" => "amd64".to_owned(),
        "aarch64" | "arm64" => "arm64".to_owned(),
        "i386" | "i486" | "i586" | "i686" | "386" | "x86" => "386".to_owned(),
        "noarch" | "all" => "all".to_owned(),
        other => other.to_owned(),
    };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::package::SourcePackage;

    fn os(kind: PackageType, name: &str, version: &str, ecosystem: &str) -> Package {
        let mut package = Package::new(kind, name, version);
        package.ecosystem = Some(Arc::from(ecosystem));
        package.arch = Some("amd64".into());
        package
    }

    fn miss(purl: &str, package: &Package) -> Option<String> {
        component_speaks_of(&Component::of_id(purl), package)
            .err()
            .map(|miss| miss.to_string())
    }

    #[test]
    fn names_by_type() {
        for (kind, name, version, purl) in [
            (
                PackageType::Npm,
                "@angular/core",
                "1.0.0",
                "pkg:npm/%40angular/core@1.0.0",
            ),
            (
                PackageType::Npm,
                "JSONStream",
                "1.0.0",
                "pkg:npm/jsonstream",
            ),
            (
                PackageType::Pypi,
                "Foo_Bar",
                "1.0",
                "pkg:pypi/foo.bar@1.0.0",
            ),
            (
                PackageType::Golang,
                "golang.org/x/text",
                "v0.3.0",
                "pkg:golang/golang.org%2Fx%2Ftext@0.3.0",
            ),
            (
                PackageType::Golang,
                "github.com/BurntSushi/toml",
                "v1.0.0",
                "pkg:golang/github.com/burntsushi/toml@v1.0.0",
            ),
            (
                PackageType::Composer,
                "Symfony/yaml",
                "v1.0",
                "pkg:composer/symfony/yaml@1.0",
            ),
            (
                PackageType::Cargo,
                "rand",
                "0.8.5",
                "pkg:cargo/rand@0.8.5?package-id=1",
            ),
        ] {
            assert_eq!(
                miss(purl, &Package::new(kind, name, version)),
                None,
                "{purl}"
            );
        }
        for (kind, name, purl) in [
            (PackageType::Npm, "jsonstream", "pkg:npm/JSONStream"),
            (PackageType::Cargo, "a-b", "pkg:cargo/a_b"),
            (PackageType::Cargo, "a", "pkg:cargo/x/a"),
            (PackageType::Cargo, "a", "pkg:npm/a"),
            (PackageType::Cargo, "a", "pkg:unheard/a"),
            (PackageType::Cargo, "a", "not a purl"),
        ] {
            let package = Package::new(kind, name, "1");
            assert_eq!(
                miss(purl, &package).as_deref(),
                Some("package not in the report"),
                "{purl}"
            );
        }
    }

    #[test]
    fn distribution_packages_need_their_distribution() {
        let mut curl = os(PackageType::Deb, "curl", "1:7.88-1+deb12u5", "Debian:12");
        for purl in [
            "pkg:deb/debian/curl",
            "pkg:deb/debian/curl@1:7.88-1%2Bdeb12u5?arch=amd64&distro=bookworm&epoch=1",
            "pkg:deb/debian/curl@7.88-1%2Bdeb12u5?epoch=1",
            "pkg:deb/debian/curl?arch=x86_64&distro=debian-12.4",
        ] {
            assert_eq!(miss(purl, &curl), None, "{purl}");
        }
        for (purl, reason) in [
            (
                "pkg:deb/ubuntu/curl",
                "namespace differs: ubuntu, installed debian",
            ),
            ("pkg:deb/curl", "namespace differs: none, installed debian"),
            (
                "pkg:deb/debian/curl@7.88-1%2Bdeb12u5",
                "version differs: 7.88-1+deb12u5, installed 1:7.88-1+deb12u5",
            ),
            (
                "pkg:deb/debian/curl?arch=arm64",
                "qualifier arch differs: arm64, installed amd64",
            ),
            (
                "pkg:deb/debian/curl?distro=debian-11",
                "qualifier distro differs: debian-11, installed Debian:12",
            ),
            (
                "pkg:deb/debian/curl?repository_url=a",
                "qualifier repository_url=a cannot be checked for this package",
            ),
            (
                "pkg:deb/debian/curl#usr/bin",
                "only the part usr/bin of the package is meant",
            ),
        ] {
            assert_eq!(miss(purl, &curl).as_deref(), Some(reason), "{purl}");
        }
        curl.ecosystem = None;
        assert!(
            miss("pkg:deb/debian/curl", &curl).is_some(),
            "an unknown distribution is none"
        );
        assert_eq!(miss("pkg:deb/curl", &curl), None);
    }

    #[test]
    fn sources_epochs_and_modules() {
        let mut lib = os(
            PackageType::Rpm,
            "openssl-libs",
            "1.1.1k-6.el8",
            "Red Hat:enterprise_linux:8",
        );
        lib.epoch = Some(1);
        lib.module = Some("nodejs:18:8080:abc".into());
        lib.source = Some(SourcePackage {
            name: "openssl".into(),
            version: "1.1.1k-6.el8".into(),
        });
        for purl in [
            "pkg:rpm/redhat/openssl?arch=src",
            "pkg:rpm/redhat/openssl@1.1.1k-6.el8?arch=src&epoch=1",
            "pkg:rpm/redhat/openssl-libs@1.1.1k-6.el8?arch=x86_64&epoch=1",
            "pkg:rpm/redhat/openssl-libs@1:1.1.1k-6.el8",
            "pkg:rpm/rhel/openssl-libs?upstream=openssl&rpmmod=nodejs:18",
        ] {
            assert_eq!(miss(purl, &lib), None, "{purl}");
        }
        for purl in [
            "pkg:rpm/redhat/openssl",
            "pkg:rpm/redhat/openssl-libs?arch=src",
            "pkg:rpm/redhat/openssl-libs?epoch=0",
            "pkg:rpm/redhat/openssl-libs@2:1.1.1k-6.el8",
            "pkg:rpm/redhat/openssl-libs?rpmmod=nodejs:1",
            "pkg:rpm/redhat/openssl-libs?upstream=curl",
        ] {
            assert!(miss(purl, &lib).is_some(), "{purl}");
        }
        assert_eq!(
            purl_of(&lib).expect("a name").to_string(),
            "pkg:rpm/redhat/openssl-libs@1.1.1k-6.el8?arch=amd64&distro=redhat-8&epoch=1\
             &rpmmod=nodejs:18:8080:abc"
        );
        assert_eq!(
            miss(&purl_of(&lib).expect("a name").to_string(), &lib),
            None
        );
    }
}
