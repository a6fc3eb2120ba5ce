//! Which OSV ecosystem the packages of a distribution belong to (ossf.github.io/osv-schema,
//! "Defined ecosystems"), one line per distribution. A distribution that OSV has no advisories
//! for is not in the table: its packages have no ecosystem, which is a gap and never clean.
//! The identifier must fit exactly: a derivative builds its own packages, and the versions of
//! what it is like do not hold for it.

use super::Distribution;
use crate::package::PackageType;

/// How the ecosystem's suffix follows from `VERSION_ID`.
#[derive(Clone, Copy)]
enum Suffix {
    /// None; rolling.
    None,
    /// The first number: `9` of `9.2`.
    Major,
    /// The version as it is.
    Whole,
    /// `v3.18` of `3.18.4`.
    Alpine,
    /// `22.04:LTS`, without `:LTS` for the releases between.
    Ubuntu,
    /// `15 SP5` of `15.5`, `15` of `15`.
    ServicePack,
    /// `24.03-LTS-SP1`, which only the name has: `openEuler 24.03 (LTS-SP1)`.
    OpenEuler,
}

const TABLE: &[(&str, PackageType, &str, Suffix)] = &[
    ("almalinux", PackageType::Rpm, "AlmaLinux:", Suffix::Major),
    ("alpaquita", PackageType::Apk, "Alpaquita:", Suffix::Whole),
    ("alpine", PackageType::Apk, "Alpine:", Suffix::Alpine),
    (
        "azurelinux",
        PackageType::Rpm,
        "Azure Linux:",
        Suffix::Major,
    ),
    ("chainguard", PackageType::Apk, "Chainguard", Suffix::None),
    ("debian", PackageType::Deb, "Debian:", Suffix::Major),
    ("mageia", PackageType::Rpm, "Mageia:", Suffix::Major),
    ("mariner", PackageType::Rpm, "Azure Linux:", Suffix::Major),
    ("minimos", PackageType::Apk, "MinimOS", Suffix::None),
    (
        "openEuler",
        PackageType::Rpm,
        "openEuler:",
        Suffix::OpenEuler,
    ),
    (
        "opensuse-leap",
        PackageType::Rpm,
        "openSUSE:Leap ",
        Suffix::Whole,
    ),
    (
        "opensuse-leap-micro",
        PackageType::Rpm,
        "openSUSE:Leap Micro ",
        Suffix::Whole,
    ),
    (
        "opensuse-tumbleweed",
        PackageType::Rpm,
        "openSUSE:Tumbleweed",
        Suffix::None,
    ),
    ("photon", PackageType::Rpm, "Photon OS:", Suffix::Whole),
    (
        "rhel",
        PackageType::Rpm,
        "Red Hat:enterprise_linux:",
        Suffix::Major,
    ),
    ("rocky", PackageType::Rpm, "Rocky Linux:", Suffix::Major),
    (
        "sl-micro",
        PackageType::Rpm,
        "SUSE:Linux Micro ",
        Suffix::Whole,
    ),
    (
        "sle-micro",
        PackageType::Rpm,
        "SUSE:Linux Enterprise Micro ",
        Suffix::Whole,
    ),
    (
        "sled",
        PackageType::Rpm,
        "SUSE:Linux Enterprise Desktop ",
        Suffix::ServicePack,
    ),
    (
        "sles",
        PackageType::Rpm,
        "SUSE:Linux Enterprise Server ",
        Suffix::ServicePack,
    ),
    ("ubuntu", PackageType::Deb, "Ubuntu:", Suffix::Ubuntu),
    ("wolfi", PackageType::Apk, "Wolfi", Suffix::None),
];

/// The ecosystem of a distribution's own packages, and their type; `None` if OSV has none, or
/// if the release cannot be told (Debian's unstable has no version, Alpine's edge a date).
pub(crate) fn of(distribution: &Distribution) -> Option<(PackageType, String)> {
    let row = TABLE.iter().find(|row| row.0 == &*distribution.id);
    let (_, kind, prefix, suffix) = row?;
    let suffix = suffix.of(distribution)?;
    Some((*kind, format!("{prefix}{suffix}")))
}

impl Suffix {
    fn of(self, distribution: &Distribution) -> Option<String> {
        if matches!(self, Self::None) {
            return Some(String::new());
        }
        let version = distribution.version.as_deref()?;
        let mut numbers = version.split('.');
        let major = numbers.next()?;
        let minor = numbers.next();
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !plain(major) && !matches!(self, Self::Whole) {
            return None;
        }
        Some(match self {
            Self::None => String::new(),
            Self::Major => major.to_owned(),
            Self::Whole => version.to_owned(),
            Self::Alpine => {
                let minor = minor.filter(|minor| plain(minor))?;
                if version.contains('_') {
                    return None;
                }
                format!("v{major}.{minor}")
            }
            Self::Ubuntu => {
                // Long-term support: April of an even year.
                let even = major.parse::<u32>().is_ok_and(|year| year % 2 == 0);
                let lts = if even && minor == Some("04") {
                    ":LTS"
                } else {
                    ""
                };
                format!("{major}.{}{lts}", minor?)
            }
            Self::ServicePack => match minor {
                Some(pack) => format!("{major} SP{pack}"),
                None => major.to_owned(),
            },
            Self::OpenEuler => {
                let name = distribution.name.as_deref()?.strip_prefix("openEuler ")?;
                name.replace(" (", "-").replace(')', "")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_of_releases() {
        for (id, version, name, expected) in [
            ("debian", "12", "", Some("Debian:12")),
            ("debian", "12.5", "", Some("Debian:12")),
            ("debian", "", "", None),
            ("ubuntu", "22.04", "", Some("Ubuntu:22.04:LTS")),
            ("ubuntu", "23.04", "", Some("Ubuntu:23.04")),
            ("ubuntu", "24.10", "", Some("Ubuntu:24.10")),
            ("alpine", "3.18.4", "", Some("Alpine:v3.18")),
            ("alpine", "3.21_alpha20240807", "", None),
            ("alpine", "3.21.0_alpha20240807", "", None),
            ("almalinux", "9.2", "", Some("AlmaLinux:9")),
            ("rocky", "9.3", "", Some("Rocky Linux:9")),
            ("rhel", "8.10", "", Some("Red Hat:enterprise_linux:8")),
            ("opensuse-leap", "15.5", "", Some("openSUSE:Leap 15.5")),
            (
                "opensuse-tumbleweed",
                "20240101",
                "",
                Some("openSUSE:Tumbleweed"),
            ),
            (
                "sles",
                "15.5",
                "",
                Some("SUSE:Linux Enterprise Server 15 SP5"),
            ),
            ("sles", "15", "", Some("SUSE:Linux Enterprise Server 15")),
            ("wolfi", "20230201", "", Some("Wolfi")),
            ("chainguard", "", "", Some("Chainguard")),
            (
                "openEuler",
                "24.03",
                "openEuler 24.03 (LTS-SP1)",
                Some("openEuler:24.03-LTS-SP1"),
            ),
            ("fedora", "40", "", None),
            ("linuxmint", "21", "", None),
        ] {
            let distribution = Distribution {
                id: id.into(),
                version: (!version.is_empty()).then(|| version.into()),
                like: vec!["debian".into()],
                name: (!name.is_empty()).then(|| name.into()),
            };
            let found = of(&distribution).map(|(_, name)| name);
            assert_eq!(found.as_deref(), expected, "{id} {version}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_unique() {
        assert!(TABLE.is_sorted_by(|a, b| a.0.to_lowercase() < b.0.to_lowercase()));
    }
}
