//! Compares the qualifiers of a package URL with what is known of a package. One that is not
//! known agrees with nothing: a statement about another build must not silence this one.

use super::{Mismatch, installed};
use crate::inventory::ecosystem::Platform;
use crate::model::package::{Package, PackageType};

/// Qualifiers that name nothing of the package itself.
const IGNORED: [&str; 1] = ["package-id"];

/// Whether the package is known to have this value of a qualifier.
pub(super) fn check_qualifier(
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
            let agrees = own.is_some_and(|own| Platform::of(own).has_qualifier(given));
            (agrees, own.map(str::to_owned))
        }
        "epoch" if package.kind == PackageType::RPM => {
            let own = package.epoch.unwrap_or(0);
            (given.parse() == Ok(own), Some(own.to_string()))
        }
        "epoch" if package.kind == PackageType::DEB => {
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
pub(in crate::vex) fn same_arch(a: &str, b: &str) -> bool {
    let plain = |arch: &str| match arch {
        "x86_64" | "amd64" => "amd64".to_owned(),
        "aarch64" | "arm64" => "arm64".to_owned(),
        "i386" | "i486" | "i586" | "i686" | "386" | "x86" => "386".to_owned(),
        "noarch" | "all" => "all".to_owned(),
        other => other.to_owned(),
    };
    plain(a) == plain(b)
}
