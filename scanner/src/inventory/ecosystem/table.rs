//! The table of distributions: what `os-release` says, the OSV ecosystems to ask, and how their
//! records name packages. One line per distribution, one per ecosystem. A distribution that OSV
//! has no advisories for is not in it: its packages have no ecosystem, which is a gap and never
//! clean. The identifier must fit: a derivative builds its own packages, and the versions of what
//! it is like do not hold for it.

use super::Suffix;
use crate::model::package::PackageType;

const APK: PackageType = PackageType::APK;
const DEB: PackageType = PackageType::DEB;
const RPM: PackageType = PackageType::RPM;

/// A distribution, by the `ID` of its `os-release`.
///
/// In the texts, `{V}` is `VERSION_ID`, `{M}` its first number, `{S}` the suffix, and an asterisk
/// stands for any text.
pub(super) struct Distribution {
    pub(super) id: &'static str,
    pub(super) kind: PackageType,
    /// The ecosystem of its packages, and how its suffix follows from the version.
    pub(super) ecosystem: &'static str,
    pub(super) suffix: Suffix,
    /// Further ecosystems that are parts of the same release: any of them means that there are
    /// advisories for it.
    pub(super) parts: &'static [&'static str],
    /// Ecosystems of others that speak of its packages, too.
    pub(super) more: &'static [&'static str],
}

const fn row(
    id: &'static str,
    kind: PackageType,
    ecosystem: &'static str,
    suffix: Suffix,
) -> Distribution {
    Distribution {
        id,
        kind,
        ecosystem,
        suffix,
        parts: &[],
        more: &[],
    }
}

const fn suse(id: &'static str, ecosystem: &'static str) -> Distribution {
    Distribution {
        parts: &[
            "SUSE:Linux Enterprise Module for * {S}",
            "SUSE:Package Hub {S}",
        ],
        more: &[
            "SUSE:Linux Enterprise Server {S}-LTSS*",
            "SUSE:Linux Enterprise Server LTSS* {S}",
        ],
        ..row(id, RPM, ecosystem, Suffix::ServicePack)
    }
}

/// Sorted by id.
pub(super) const DISTRIBUTIONS: &[Distribution] = &[
    row("almalinux", RPM, "AlmaLinux:", Suffix::Major),
    row("alpaquita", APK, "Alpaquita:", Suffix::Track),
    row("alpine", APK, "Alpine:", Suffix::Alpine),
    Distribution {
        more: &["Azure Linux:{V}"],
        ..row("azurelinux", RPM, "Azure Linux:", Suffix::Major)
    },
    row(
        "bellsoft-hardened-containers",
        APK,
        "BellSoft Hardened Containers:",
        Suffix::Track,
    ),
    // A Chainguard image may hold packages of Wolfi only.
    Distribution {
        more: &["Wolfi"],
        ..row("chainguard", APK, "Chainguard", Suffix::None)
    },
    row("cleanstart", APK, "CleanStart", Suffix::None),
    row("clnstrt", APK, "CleanStart", Suffix::None),
    row("debian", DEB, "Debian:", Suffix::Major),
    // Docker's own builds and the base distribution's lie side by side, and nothing in the package
    // database tells them apart.
    Distribution {
        more: &["Alpine:v{S}"],
        ..row("dhi", APK, "Docker Hardened Images:Alpine:", Suffix::Minor)
    },
    Distribution {
        more: &["Debian:{S}"],
        ..row(
            "dhi-debian",
            DEB,
            "Docker Hardened Images:Debian:",
            Suffix::Major,
        )
    },
    row("echo", DEB, "Echo", Suffix::None),
    row("mageia", RPM, "Mageia:", Suffix::Major),
    Distribution {
        more: &["Azure Linux:{V}"],
        ..row("mariner", RPM, "Azure Linux:", Suffix::Major)
    },
    row("minimos", APK, "MinimOS", Suffix::None),
    row("openEuler", RPM, "openEuler:", Suffix::OpenEuler),
    row("opensuse", RPM, "openSUSE:", Suffix::OpenSuse),
    row("opensuse-leap", RPM, "openSUSE:Leap ", Suffix::Whole),
    row(
        "opensuse-leap-micro",
        RPM,
        "openSUSE:Leap Micro ",
        Suffix::Whole,
    ),
    row("opensuse-microos", RPM, "openSUSE:Tumbleweed", Suffix::None),
    row(
        "opensuse-tumbleweed",
        RPM,
        "openSUSE:Tumbleweed",
        Suffix::None,
    ),
    row("photon", RPM, "Photon OS:", Suffix::Whole),
    // Red Hat's records name a product by its CPE, variant included: what os-release says is one
    // variant, and packages come from all. Layered products ship builds of their own.
    Distribution {
        parts: &[
            "Red Hat:enterprise_linux:{M}::*",
            "Red Hat:enterprise_linux:{M}.*",
            "Red Hat:rhel_extras:{M}",
            "Red Hat:rhel_extras:{M}::*",
        ],
        more: &["Red Hat:rhel_els:{M}", "Red Hat:rhel_els:{M}::*"],
        ..row("rhel", RPM, "Red Hat:enterprise_linux:", Suffix::Major)
    },
    row("rocky", RPM, "Rocky Linux:", Suffix::Major),
    row("sl-micro", RPM, "SUSE:Linux Micro ", Suffix::Whole),
    suse(
        "sle_hpc",
        "SUSE:Linux Enterprise High Performance Computing ",
    ),
    row(
        "sle-micro",
        RPM,
        "SUSE:Linux Enterprise Micro ",
        Suffix::Whole,
    ),
    row(
        "sle-micro-rancher",
        RPM,
        "SUSE:Linux Enterprise Micro for Rancher ",
        Suffix::Whole,
    ),
    suse("sled", "SUSE:Linux Enterprise Desktop "),
    suse("sles", "SUSE:Linux Enterprise Server "),
    suse(
        "sles_sap",
        "SUSE:Linux Enterprise Server for SAP Applications ",
    ),
    // Fixes that only subscribers get are fixes all the same: without them the package stays
    // affected. FIPS, real-time and BlueField builds are others.
    Distribution {
        parts: &["Ubuntu:{V}", "Ubuntu:{V}:LTS"],
        more: &["Ubuntu:Pro:{V}:LTS"],
        ..row("ubuntu", DEB, "Ubuntu:", Suffix::Ubuntu)
    },
    row("wolfi", APK, "Wolfi", Suffix::None),
];

/// Which package a record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The installed one.
    Binary,
    /// The one that it was built from.
    Source,
    /// Either: what a record says of the installed one counts before.
    Both,
}

/// How the records of an ecosystem, without its suffix, name packages, and the words by which the
/// distribution's own packages tell who made them, in lower case.
pub(super) struct Records {
    pub(super) ecosystem: &'static str,
    pub(super) names: Names,
    pub(super) makers: &'static [&'static str],
    /// Namespaces of its package URLs where they are not just the name; the first is the one we
    /// write, and each is also an id in the qualifier `distro`.
    pub(super) namespaces: &'static [&'static str],
    /// CPE products, as `vendor:product`.
    pub(super) products: &'static [&'static str],
}

impl Records {
    const fn named(
        self,
        namespaces: &'static [&'static str],
        products: &'static [&'static str],
    ) -> Self {
        Self {
            namespaces,
            products,
            ..self
        }
    }
}

const fn records(
    ecosystem: &'static str,
    names: Names,
    makers: &'static [&'static str],
) -> Records {
    Records {
        ecosystem,
        names,
        makers,
        namespaces: &[],
        products: &[],
    }
}

/// Sorted by ecosystem.
pub(super) const RECORDS: &[Records] = &[
    records("AlmaLinux", Names::Binary, &["almalinux"])
        .named(&["almalinux", "alma"], &["almalinux:almalinux"]),
    records("Alpaquita", Names::Source, &["bell-sw", "bellsoft"]),
    records("Alpine", Names::Source, &["alpinelinux"])
        .named(&["alpine"], &["alpinelinux:alpine_linux"]),
    records("Azure Linux", Names::Source, &["microsoft"]).named(
        &["azurelinux", "mariner", "microsoft"],
        &["microsoft:azure_linux"],
    ),
    records(
        "BellSoft Hardened Containers",
        Names::Source,
        &["bell-sw", "bellsoft"],
    ),
    records("Chainguard", Names::Both, &["chainguard", "wolfi"]),
    records("CleanStart", Names::Both, &["cleanstart"]),
    records("Debian", Names::Source, &["debian"]).named(&["debian"], &["debian:debian_linux"]),
    records(
        "Docker Hardened Images",
        Names::Both,
        &["docker", "alpinelinux", "debian"],
    ),
    records("Echo", Names::Source, &["debian", "echo"]),
    records("Mageia", Names::Source, &["mageia"]),
    records("MinimOS", Names::Both, &["minimos", "wolfi", "chainguard"]),
    records("Photon OS", Names::Both, &["vmware", "broadcom"])
        .named(&["photon", "vmware"], &["vmware:photon_os"]),
    records("Red Hat", Names::Binary, &["red hat", "redhat"]).named(
        &["redhat", "rhel"],
        &[
            "redhat:enterprise_linux",
            "redhat:rhel_eus",
            "redhat:rhel_aus",
            "redhat:rhel_tus",
            "redhat:rhel_e4s",
        ],
    ),
    records("Rocky Linux", Names::Source, &["rocky"]).named(
        &["rocky", "rocky-linux", "rockylinux"],
        &["resf:rocky_linux", "rocky:rocky"],
    ),
    records("Root", Names::Both, &["root.io"]),
    records("SUSE", Names::Source, &["suse"]).named(
        &["suse", "sles", "sled", "sle-micro", "sl-micro"],
        &[
            "suse:sles",
            "suse:sled",
            "suse:suse_linux_enterprise_server",
            "suse:linux_enterprise_server",
        ],
    ),
    records("TuxCare", Names::Binary, &["tuxcare", "cloudlinux"]),
    // What Ubuntu takes over unchanged keeps Debian's maintainer.
    records("Ubuntu", Names::Source, &["ubuntu", "canonical", "debian"])
        .named(&["ubuntu"], &["canonical:ubuntu_linux"]),
    records("Wolfi", Names::Both, &["wolfi", "chainguard"]),
    records("openEuler", Names::Source, &["openeuler"])
        .named(&["openeuler"], &["openeuler:openeuler"]),
    records("openSUSE", Names::Source, &["suse"]).named(
        &[
            "opensuse",
            "opensuse-leap",
            "opensuse-leap-micro",
            "opensuse-tumbleweed",
        ],
        &["opensuse:leap", "opensuse:opensuse"],
    ),
];

/// Code names that `distro` and people write instead of numbers.
pub(super) const CODENAMES: &[(&str, &str, &str)] = &[
    ("Debian", "jessie", "8"),
    ("Debian", "stretch", "9"),
    ("Debian", "buster", "10"),
    ("Debian", "bullseye", "11"),
    ("Debian", "bookworm", "12"),
    ("Debian", "trixie", "13"),
    ("Debian", "forky", "14"),
    ("Ubuntu", "trusty", "14.04"),
    ("Ubuntu", "xenial", "16.04"),
    ("Ubuntu", "bionic", "18.04"),
    ("Ubuntu", "focal", "20.04"),
    ("Ubuntu", "jammy", "22.04"),
    ("Ubuntu", "noble", "24.04"),
    ("Ubuntu", "oracular", "24.10"),
    ("Ubuntu", "plucky", "25.04"),
    ("Ubuntu", "questing", "25.10"),
    ("Ubuntu", "resolute", "26.04"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_fit_each_other() {
        let lower = |row: &Distribution| row.id.to_lowercase().replace('_', "\u{1}");
        assert!(DISTRIBUTIONS.is_sorted_by(|a, b| lower(a) < lower(b)));
        assert!(RECORDS.is_sorted_by(|a, b| a.ecosystem < b.ecosystem));
        for row in DISTRIBUTIONS {
            for text in [row.ecosystem].iter().chain(row.parts).chain(row.more) {
                let base = db_sync::ecosystem::base(text);
                assert!(
                    RECORDS.iter().any(|records| records.ecosystem == base),
                    "{text}"
                );
                assert!(text.matches('*').count() <= 1, "{text}");
            }
        }
    }
}
