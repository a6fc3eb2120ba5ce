//! The ecosystems that the OSV schema and its publishers name: one row for each, with the order of
//! its versions and the form in which its names are compared. To add one, add its row.
//!
//! Without an order, packages match by listed versions only: Android (patch levels, not versions),
//! OSS-Fuzz and GIT (commits), and suppliers who rebuild packages of several others.

use crate::version::Order;

/// The form of a package name under which it is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameForm {
    /// As it is.
    Exact,
    /// In lower case: the registry ignores case.
    Lower,
    /// PEP 503: lower case, and each run of `-`, `_` and `.` is one `-`.
    Pep503,
    /// An address without scheme and `.git`, in lower case.
    Address,
}

/// One ecosystem.
#[derive(Debug)]
pub(crate) struct Row {
    /// As OSV writes it, without suffix.
    pub(crate) name: &'static str,
    /// The order of its versions.
    pub(crate) order: Option<Order>,
    /// How its names are compared.
    pub(crate) names: NameForm,
}

const fn row(name: &'static str, order: Option<Order>, names: NameForm) -> Row {
    Row { name, order, names }
}

/// Sorted by name.
pub(crate) static ALL: [Row; 50] = [
    row("AlmaLinux", Some(Order::Rpm), NameForm::Exact),
    row("Alpaquita", Some(Order::Alpine), NameForm::Exact),
    row("Alpine", Some(Order::Alpine), NameForm::Exact),
    row("Android", None, NameForm::Exact),
    row("Azure Linux", Some(Order::Rpm), NameForm::Exact),
    row(
        "BellSoft Hardened Containers",
        Some(Order::Alpine),
        NameForm::Exact,
    ),
    row("Bioconductor", Some(Order::Cran), NameForm::Exact),
    row("Bitnami", Some(Order::Semver), NameForm::Exact),
    row("CRAN", Some(Order::Cran), NameForm::Exact),
    row("Chainguard", Some(Order::Alpine), NameForm::Exact),
    row("CleanStart", Some(Order::Alpine), NameForm::Exact),
    row("ConanCenter", Some(Order::Semver), NameForm::Exact),
    row("DHI", None, NameForm::Exact),
    row("Debian", Some(Order::Debian), NameForm::Exact),
    row("Docker Hardened Images", None, NameForm::Exact),
    row("Echo", None, NameForm::Exact),
    row("FreeBSD", Some(Order::FreeBsd), NameForm::Exact),
    row("GHC", Some(Order::Hackage), NameForm::Exact),
    row("GIT", None, NameForm::Exact),
    row("GitHub Actions", Some(Order::Semver), NameForm::Lower),
    row("Go", Some(Order::Semver), NameForm::Exact),
    row("Hackage", Some(Order::Hackage), NameForm::Exact),
    row("Hex", Some(Order::Semver), NameForm::Exact),
    row("Julia", Some(Order::Pub), NameForm::Exact),
    row("Kubernetes", Some(Order::Semver), NameForm::Exact),
    row("Linux", Some(Order::Semver), NameForm::Exact),
    row("Mageia", Some(Order::Rpm), NameForm::Exact),
    row("Maven", Some(Order::Maven), NameForm::Exact),
    row("MinimOS", Some(Order::Alpine), NameForm::Exact),
    row("NuGet", Some(Order::NuGet), NameForm::Lower),
    row("OSS-Fuzz", None, NameForm::Exact),
    row("Packagist", Some(Order::Packagist), NameForm::Lower),
    row("Photon OS", Some(Order::Rpm), NameForm::Exact),
    row("Pub", Some(Order::Pub), NameForm::Exact),
    row("PyPI", Some(Order::PyPi), NameForm::Pep503),
    row("Red Hat", Some(Order::Rpm), NameForm::Exact),
    row("Rocky Linux", Some(Order::Rpm), NameForm::Exact),
    row("Root", None, NameForm::Exact),
    row("RubyGems", Some(Order::RubyGems), NameForm::Exact),
    row("SUSE", Some(Order::Rpm), NameForm::Exact),
    row("SwiftURL", Some(Order::Semver), NameForm::Address),
    row("TuxCare", None, NameForm::Exact),
    row("Ubuntu", Some(Order::Debian), NameForm::Exact),
    row("VSCode", Some(Order::Semver), NameForm::Lower),
    row("Wolfi", Some(Order::Alpine), NameForm::Exact),
    row("crates.io", Some(Order::Semver), NameForm::Exact),
    row("npm", Some(Order::Semver), NameForm::Exact),
    row("opam", Some(Order::Opam), NameForm::Exact),
    row("openEuler", Some(Order::Rpm), NameForm::Exact),
    row("openSUSE", Some(Order::Rpm), NameForm::Exact),
];

/// The row of an ecosystem, without suffix.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    let found = ALL.binary_search_by(|row| row.name.cmp(name)).ok()?;
    ALL.get(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::base;

    #[test]
    fn rows_are_sorted_and_have_no_suffix() {
        assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
        assert!(ALL.iter().all(|row| base(row.name) == row.name));
    }
}
