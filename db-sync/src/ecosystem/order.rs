//! Owns which ecosystem of the OSV schema uses which version order.
//!
//! The orders of ecosystems themselves are in their table; here are those of suppliers who rebuild
//! packages of others, which the suffix names.

use super::{PackageType, table};
use crate::version::Order;

/// Order of an OSV ecosystem, or `None` where the schema or its tools define none.
///
/// A suffix such as `:12` in `Debian:12` does not matter, except where it names the ecosystem
/// that the packages were taken from, as in `Root:Alpine:3.18`.
pub fn order(ecosystem: &str) -> Option<Order> {
    let (name, suffix) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
    let (origin, _) = suffix.split_once(':').unwrap_or((suffix, ""));
    match name {
        // Rebuilt packages of other ecosystems, named by the suffix: `Root:Alpine:3.18`, `Root:npm`,
        // `TuxCare:AlmaLinux:9.2`, `Docker Hardened Images:Alpine:3.24`.
        "Root" | "Docker Hardened Images" => base(origin),
        // An early form of GitHub's: the type of a package URL.
        "purl-type" => purl_type(origin),
        "TuxCare" => base(origin).or_else(|| rebuilt(origin)),
        // The same, but Echo's own packages are Debian's and have no suffix.
        "Echo" => base(origin).or(Some(Order::Debian)),
        _ => base(name),
    }
}

fn purl_type(name: &str) -> Option<Order> {
    base(PackageType::of(name).ecosystem()?)
}

/// Distributions that have no advisories of their own in OSV, but an order for whoever supports
/// them longer than their makers do.
fn rebuilt(name: &str) -> Option<Order> {
    matches!(
        name,
        "CentOS"
            | "CentOS Stream"
            | "CentOSStream"
            | "CloudLinux"
            | "Oracle Linux"
            | "OracleLinux"
            | "RHEL"
            | "RockyLinux"
    )
    .then_some(Order::Rpm)
}

fn base(name: &str) -> Option<Order> {
    table::find(name)?.order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_scopes_and_does_not_change_the_order() {
        assert_eq!(order("Debian:12"), Some(Order::Debian));
        assert_eq!(order("Ubuntu:Pro:18.04:LTS"), Some(Order::Debian));
        assert_eq!(order("Alpine:v3.16"), Some(Order::Alpine));
        assert_eq!(order("Red Hat:rhel_aus:8.4::appstream"), Some(Order::Rpm));
        assert_eq!(order("Maven:https://maven.google.com"), Some(Order::Maven));
        assert_eq!(order("openSUSE:Leap 15.6"), Some(Order::Rpm));
    }

    #[test]
    fn a_suffix_names_the_order_of_rebuilt_packages() {
        assert_eq!(order("Root:Alpine:3.18"), Some(Order::Alpine));
        assert_eq!(order("Root:PyPI"), Some(Order::PyPi));
        assert_eq!(order("Root:Root:Root:npm"), None);
        assert_eq!(order("Root"), None);
        assert_eq!(order("Echo"), Some(Order::Debian));
        assert_eq!(order("Echo:npm"), Some(Order::Semver));
        assert_eq!(order("TuxCare:AlmaLinux:9.2"), Some(Order::Rpm));
        assert_eq!(order("TuxCare:CentOS:6"), Some(Order::Rpm));
        assert_eq!(order("TuxCare:Ubuntu:16.04"), Some(Order::Debian));
        assert_eq!(order("TuxCare:Maven"), Some(Order::Maven));
        assert_eq!(order("TuxCare:Nothing"), None);
        assert_eq!(order("purl-type:swift"), Some(Order::Semver));
        assert_eq!(order("purl-type:generic"), None);
        assert_eq!(
            order("Docker Hardened Images:Alpine:3.24"),
            Some(Order::Alpine)
        );
        assert_eq!(order("FreeBSD:ports"), Some(Order::FreeBsd));
    }

    #[test]
    fn what_has_no_order_has_none() {
        for name in [
            "",
            ":",
            "GIT",
            "Android",
            "OSS-Fuzz",
            "npm2",
            "debian",
            "Docker Hardened Images",
        ] {
            assert_eq!(order(name), None, "{name}");
        }
    }
}
