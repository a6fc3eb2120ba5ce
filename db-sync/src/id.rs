//! Advisory ids: which one to show first, and where it can be read.

use crate::version::Order;
use std::cmp::Ordering;

/// Prefixes of the databases that are about one ecosystem, by the ecosystem
/// without its suffix. Their ids carry the best ranges for it.
const OWN: &[(&str, &[&str])] = &[
    ("AlmaLinux", &["ALSA-", "ALBA-", "ALEA-"]),
    ("Alpine", &["ALPINE-"]),
    ("Bitnami", &["BIT-"]),
    ("Chainguard", &["CGA-"]),
    ("Debian", &["DSA-", "DLA-", "DTSA-", "DEBIAN-"]),
    ("Go", &["GO-"]),
    ("Hackage", &["HSEC-"]),
    ("Hex", &["EEF-"]),
    ("PyPI", &["PYSEC-"]),
    ("Red Hat", &["RHSA-", "RHBA-", "RHEA-"]),
    ("Rocky Linux", &["RLSA-", "RXSA-"]),
    ("SUSE", &["SUSE-"]),
    ("Ubuntu", &["USN-", "UBUNTU-"]),
    ("Wolfi", &["CGA-"]),
    ("crates.io", &["RUSTSEC-"]),
    ("openEuler", &["OESA-"]),
    ("openSUSE", &["openSUSE-"]),
];

/// Databases whose word on a package of their ecosystem outweighs a copy's range
/// that nobody ended; docs/database.md says why each is here and others are not.
const HOME: &[(&str, &str)] = &[
    ("CRAN", "RSEC-"),
    ("GHC", "HSEC-"),
    ("Go", "GO-"),
    ("Hackage", "HSEC-"),
    ("Hex", "EEF-"),
    ("PyPI", "PYSEC-"),
    ("crates.io", "RUSTSEC-"),
    ("opam", "OSEC-"),
];

/// The prefix of the ecosystem's own database, where its denial counts.
pub(crate) fn home(ecosystem: &str) -> Option<&'static str> {
    let base = crate::ecosystem::base(ecosystem);
    HOME.iter()
        .find(|(name, _)| *name == base)
        .map(|(_, prefix)| *prefix)
}

/// Whether a record is the ecosystem's own database's.
pub(crate) fn is_home(ecosystem: &str, id: &str) -> bool {
    home(ecosystem).is_some_and(|prefix| id.starts_with(prefix))
}

/// Orders ids from the one to show first: the ecosystem's own database, then
/// GHSA, then CVE, then the rest; within each by text.
pub(crate) fn compare(ecosystem: &str, left: &str, right: &str) -> Ordering {
    rank(ecosystem, left)
        .cmp(&rank(ecosystem, right))
        .then_with(|| left.cmp(right))
}

fn rank(ecosystem: &str, id: &str) -> usize {
    let base = crate::ecosystem::base(ecosystem);
    let own = OWN
        .iter()
        .find(|(name, _)| *name == base)
        .map_or(&[][..], |(_, prefixes)| prefixes);
    if let Some(position) = own.iter().position(|prefix| id.starts_with(prefix)) {
        return position;
    }
    if id.starts_with("GHSA-") {
        100
    } else if id.starts_with("CVE-") {
        101
    } else {
        102
    }
}

/// The distribution that an id's prefix belongs to: its record speaks for the
/// distribution's own packages. `None` for every other database.
///
/// ```
/// assert_eq!(db_sync::vendor("ALSA-2024:1"), Some("AlmaLinux"));
/// assert_eq!(db_sync::vendor("CVE-2024-1"), None);
/// ```
pub fn vendor(id: &str) -> Option<&'static str> {
    OWN.iter()
        .find(|(ecosystem, prefixes)| {
            crate::ecosystem::order(ecosystem).is_some_and(Order::is_of_distributions)
                && prefixes.iter().any(|prefix| id.starts_with(prefix))
        })
        .map(|(ecosystem, _)| *ecosystem)
}

/// Whether `id` is a distribution's own record of the vulnerability `upstream`, as
/// `DEBIAN-CVE-2024-1` is of `CVE-2024-1`.
pub(crate) fn is_record_of(id: &str, upstream: &str) -> bool {
    !upstream.is_empty()
        && id
            .strip_suffix(upstream)
            .is_some_and(|prefix| prefix.len() > 1 && prefix.ends_with('-'))
}

/// The page where people read about an advisory.
pub fn url(id: &str) -> String {
    if id.starts_with("RUSTSEC-") {
        format!("https://rustsec.org/advisories/{id}.html")
    } else if id.starts_with("GO-") {
        format!("https://pkg.go.dev/vuln/{id}")
    } else if id.starts_with("GHSA-") {
        format!("https://github.com/advisories/{id}")
    } else if id.starts_with("CVE-") {
        format!("https://nvd.nist.gov/vuln/detail/{id}")
    } else if let Some(cve) = id.strip_prefix("DEBIAN-") {
        format!("https://security-tracker.debian.org/tracker/{cve}")
    } else {
        format!("https://osv.dev/vulnerability/{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::{compare, is_record_of};

    #[test]
    fn the_ecosystems_own_id_comes_first() {
        let mut ids = ["CVE-2021-1", "GHSA-aaaa-bbbb-cccc", "X-1", "PYSEC-2021-1"];
        ids.sort_by(|left, right| compare("PyPI", left, right));
        assert_eq!(
            ids,
            ["PYSEC-2021-1", "GHSA-aaaa-bbbb-cccc", "CVE-2021-1", "X-1"]
        );
    }

    #[test]
    fn a_distributions_record_of_a_vulnerability_is_told_from_a_bundle() {
        assert!(is_record_of("DEBIAN-CVE-2024-1", "CVE-2024-1"));
        assert!(!is_record_of("ALSA-2024:1", "CVE-2024-1"));
        assert!(!is_record_of("CVE-2024-1", "CVE-2024-1"));
    }
}
