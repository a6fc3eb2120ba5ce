//! Which OSV ecosystems speak of the packages of a distribution (ossf.github.io/osv-schema,
//! "Defined ecosystems"), and how their records name packages. The rows are in `table`; here is
//! how a suffix follows from what `os-release` says. Packages that a supplier rebuilt belong to
//! the supplier's ecosystem (`supplier`).

use std::sync::Arc;

use db_sync::ecosystem::base;

use super::Distribution;
use crate::model::package::{PackageType, Release};

mod platform;
mod supplier;
mod table;

pub(crate) use self::platform::Platform;
pub(crate) use self::supplier::supplier;
pub use self::table::Names;
use self::table::{DISTRIBUTIONS, RECORDS, Records};

/// How the ecosystem's suffix follows from `VERSION_ID`.
#[derive(Clone, Copy)]
enum Suffix {
    /// None; rolling.
    None,
    /// The first number: `9` of `9.2`.
    Major,
    /// The first two numbers: `3.24` of `3.24.1`.
    Minor,
    /// The version as it is.
    Whole,
    /// The first number or a word: `23`, `stream`.
    Track,
    /// `v3.18` of `3.18.4`.
    Alpine,
    /// `22.04:LTS`, without `:LTS` for the releases between.
    Ubuntu,
    /// `15 SP5` of `15.5`, `15` of `15`, `16.0` of `16.0`.
    ServicePack,
    /// `24.03-LTS-SP1`, which only the name has: `openEuler 24.03 (LTS-SP1)`.
    OpenEuler,
    /// `Leap 42.3` or `Tumbleweed`, from the name.
    OpenSuse,
}

/// The ecosystem of a distribution's own packages, and their type; `None` if OSV has none, or
/// if the release cannot be told (Debian's unstable has no version, Alpine's edge a date).
pub fn of(distribution: &Distribution) -> Option<(PackageType, String)> {
    let row = row(distribution)?;
    let suffix = row.suffix.of(distribution)?;
    Some((row.kind, format!("{}{suffix}", row.ecosystem)))
}

fn row(distribution: &Distribution) -> Option<&'static table::Distribution> {
    let id = match &*distribution.id {
        // Docker builds on two distributions and calls both by one name.
        "dhi" if distribution.like.iter().any(|like| &**like == "debian") => "dhi-debian",
        id => id,
    };
    let mut rows = DISTRIBUTIONS.iter();
    rows.find(|row| row.id.eq_ignore_ascii_case(id))
}

/// The release that a distribution's own packages belong to, and their type. `products` are those
/// that the system says it has installed, as ecosystems.
pub fn release(
    distribution: &Distribution,
    products: &[Arc<str>],
) -> Option<(PackageType, Release)> {
    let (kind, ecosystem) = of(distribution)?;
    let row = row(distribution)?;
    let suffix = row.suffix.of(distribution)?;
    let version = distribution.version.as_deref().unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    let fill = |text: &&str| -> Arc<str> {
        text.replace("{S}", &suffix)
            .replace("{V}", version)
            .replace("{M}", major)
            .into()
    };
    let mut parts: Vec<Arc<str>> = row.parts.iter().map(fill).collect();
    let mut more: Vec<Arc<str>> = row.more.iter().map(fill).collect();
    // The modules of version 12 have no service packs.
    if base(&ecosystem) == "SUSE" && major == "12" {
        parts.push("SUSE:Linux Enterprise Module for * 12".into());
        parts.push("SUSE:Package Hub 12".into());
    }
    // Where the system names modules, it has no others.
    if products.iter().any(|name| name.contains(" Module for ")) {
        parts.retain(|part| !part.contains('*'));
    }
    parts.extend(products.iter().cloned());
    if let Some(product) = distribution.cpe.as_deref().and_then(red_hat_product)
        && base(&ecosystem) == "Red Hat"
    {
        more.push(format!("Red Hat:{product}").into());
        more.push(format!("Red Hat:{product}::*").into());
    }
    for list in [&mut parts, &mut more] {
        list.sort();
        list.dedup();
        list.retain(|name| **name != *ecosystem);
    }
    more.retain(|name| !parts.contains(name));
    let release = Release {
        ecosystem: ecosystem.into(),
        parts,
        more,
    };
    Some((kind, release))
}

/// The release that an ecosystem names, as far as its name tells.
pub fn named(ecosystem: &str) -> Option<Release> {
    let rows = DISTRIBUTIONS.iter();
    let row = rows
        .filter(|row| ecosystem.starts_with(row.ecosystem))
        .max_by_key(|row| row.ecosystem.len())?;
    let suffix = ecosystem.strip_prefix(row.ecosystem)?;
    let version = suffix.split(':').next().unwrap_or_default();
    let major = version.split(['.', ' ']).next().unwrap_or_default();
    let fill = |text: &&str| -> Arc<str> {
        text.replace("{S}", suffix)
            .replace("{V}", version)
            .replace("{M}", major)
            .into()
    };
    Some(Release {
        ecosystem: ecosystem.into(),
        parts: row.parts.iter().map(fill).collect(),
        more: row.more.iter().map(fill).collect(),
    })
}

/// `rhel_eus:9.2` of `cpe:/o:redhat:rhel_eus:9.2::baseos`.
fn red_hat_product(cpe: &str) -> Option<&str> {
    let rest = cpe.split_once(":redhat:").map(|(_, rest)| rest)?;
    let product = rest.split_once("::").map_or(rest, |(product, _)| product);
    product.contains(':').then_some(product)
}

fn records(ecosystem: &str) -> Option<&'static Records> {
    let base = base(ecosystem);
    RECORDS.iter().find(|records| records.ecosystem == base)
}

/// Which packages the records of an ecosystem name.
pub fn names(ecosystem: &str) -> Names {
    records(ecosystem).map_or(Names::Binary, |records| records.names)
}

/// Whether a vendor or maintainer is the one of the ecosystem's own packages.
pub fn is_maker(ecosystem: &str, vendor: &str) -> bool {
    let vendor = vendor.to_lowercase();
    let makers = records(ecosystem).map_or(&[][..], |records| records.makers);
    makers.iter().any(|maker| vendor.contains(maker))
}

/// Who gets the fixes of an ecosystem, where not everybody does.
pub fn subscription(ecosystem: &str) -> Option<&'static str> {
    if ecosystem.starts_with("Ubuntu:Pro:") {
        Some("Ubuntu Pro")
    } else if ecosystem.starts_with("SUSE:") && ecosystem.contains("LTSS") {
        Some("SUSE's Long Term Service Pack Support")
    } else if ecosystem.starts_with("Red Hat:rhel_els") {
        Some("Red Hat's Extended Life Cycle Support")
    } else {
        None
    }
}

impl Suffix {
    fn of(self, distribution: &Distribution) -> Option<String> {
        if matches!(self, Self::None) {
            return Some(String::new());
        }
        if matches!(self, Self::OpenSuse) {
            let name = distribution.name.as_deref()?.strip_prefix("openSUSE ")?;
            let known = name.starts_with("Leap ") || name == "Tumbleweed";
            return known.then(|| name.to_owned());
        }
        let version = distribution.version.as_deref()?;
        let mut numbers = version.split('.');
        let major = numbers.next()?;
        let minor = numbers.next();
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !plain(major) && !matches!(self, Self::Whole | Self::Track) {
            return None;
        }
        Some(match self {
            Self::None | Self::OpenSuse => String::new(),
            Self::Major | Self::Track => major.to_owned(),
            Self::Minor => format!("{major}.{}", minor.filter(|minor| plain(minor))?),
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
            // From 16 on, there are no service packs.
            Self::ServicePack if major.parse().is_ok_and(|major: u32| major > 15) => {
                version.to_owned()
            }
            Self::ServicePack => match minor.filter(|minor| *minor != "0") {
                Some(pack) => format!("{major} SP{pack}"),
                None => major.to_owned(),
            },
            Self::OpenEuler => {
                let name = distribution.name.as_deref()?.strip_prefix("openEuler ")?;
                let words = name.split([' ', '(', ')']).filter(|word| !word.is_empty());
                words.collect::<Vec<_>>().join("-")
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
            (
                "sles",
                "16.0",
                "",
                Some("SUSE:Linux Enterprise Server 16.0"),
            ),
            (
                "sle-micro",
                "5.5",
                "",
                Some("SUSE:Linux Enterprise Micro 5.5"),
            ),
            (
                "opensuse",
                "42.3",
                "openSUSE Leap 42.3",
                Some("openSUSE:Leap 42.3"),
            ),
            ("opensuse", "1", "something", None),
            ("wolfi", "20230201", "", Some("Wolfi")),
            ("chainguard", "", "", Some("Chainguard")),
            (
                "openEuler",
                "24.03",
                "openEuler 24.03 (LTS-SP1)",
                Some("openEuler:24.03-LTS-SP1"),
            ),
            (
                "openEuler",
                "22.03",
                "openEuler 22.03 LTS",
                Some("openEuler:22.03-LTS"),
            ),
            (
                "openEuler",
                "20.03",
                "openEuler 20.03 (LTS-SP1)",
                Some("openEuler:20.03-LTS-SP1"),
            ),
            (
                "openeuler",
                "23.09",
                "openEuler 23.09",
                Some("openEuler:23.09"),
            ),
            ("mageia", "9", "", Some("Mageia:9")),
            ("azurelinux", "3.0", "", Some("Azure Linux:3")),
            ("mariner", "2.0", "", Some("Azure Linux:2")),
            ("photon", "4.0", "", Some("Photon OS:4.0")),
            ("alpaquita", "stream", "", Some("Alpaquita:stream")),
            ("alpaquita", "23", "", Some("Alpaquita:23")),
            (
                "bellsoft-hardened-containers",
                "stream",
                "",
                Some("BellSoft Hardened Containers:stream"),
            ),
            ("clnstrt", "", "", Some("CleanStart")),
            ("cleanstart", "1", "", Some("CleanStart")),
            ("echo", "1", "", Some("Echo")),
            ("minimos", "20241031", "", Some("MinimOS")),
            (
                "dhi",
                "3.24",
                "",
                Some("Docker Hardened Images:Alpine:3.24"),
            ),
            ("fedora", "40", "", None),
            ("linuxmint", "21", "", None),
        ] {
            let distribution = Distribution {
                id: id.into(),
                version: (!version.is_empty()).then(|| version.into()),
                like: vec![if id == "dhi" { "alpine" } else { "debian" }.into()],
                name: (!name.is_empty()).then(|| name.into()),
                cpe: None,
            };
            let found = of(&distribution).map(|(_, name)| name);
            assert_eq!(found.as_deref(), expected, "{id} {version}");
        }
    }

    fn asked(id: &str, version: &str, cpe: Option<&str>, products: &[&str]) -> Vec<String> {
        let distribution = Distribution {
            id: id.into(),
            version: Some(version.into()),
            cpe: cpe.map(Into::into),
            ..Distribution::default()
        };
        let products: Vec<Arc<str>> = products.iter().map(|name| Arc::from(*name)).collect();
        let (_, release) = release(&distribution, &products).unwrap();
        let all = [release.ecosystem].into_iter();
        all.chain(release.parts)
            .chain(release.more)
            .map(|name| name.to_string())
            .collect()
    }

    #[test]
    fn releases_have_parts() {
        assert_eq!(
            asked("ubuntu", "22.04", None, &[]),
            ["Ubuntu:22.04:LTS", "Ubuntu:22.04", "Ubuntu:Pro:22.04:LTS"]
        );
        assert_eq!(asked("chainguard", "1", None, &[]), ["Chainguard", "Wolfi"]);
        assert_eq!(
            asked("dhi", "3.24.1", None, &[]),
            ["Docker Hardened Images:Alpine:3.24", "Alpine:v3.24"]
        );
        let debian = Distribution {
            id: "dhi".into(),
            version: Some("13".into()),
            like: vec!["debian".into()],
            ..Distribution::default()
        };
        let (kind, debian) = release(&debian, &[]).unwrap();
        assert_eq!(kind, PackageType::DEB);
        assert_eq!(&*debian.ecosystem, "Docker Hardened Images:Debian:13");
        assert_eq!(debian.more, ["Debian:13".into()]);
        let red_hat = asked(
            "rhel",
            "9.2",
            Some("cpe:/o:redhat:rhel_eus:9.2::baseos"),
            &[],
        );
        for name in [
            "Red Hat:enterprise_linux:9::*",
            "Red Hat:enterprise_linux:9.*",
            "Red Hat:rhel_eus:9.2::*",
        ] {
            assert!(red_hat.iter().any(|have| have == name), "{name}");
        }
        let plain = asked(
            "rhel",
            "9.4",
            Some("cpe:/o:redhat:enterprise_linux:9::baseos"),
            &[],
        );
        assert!(!plain.iter().any(|name| name.contains("eus")));
    }

    #[test]
    fn a_name_tells_the_parts_of_its_release() {
        let ubuntu = named("Ubuntu:22.04:LTS").unwrap();
        assert_eq!(ubuntu.more, ["Ubuntu:Pro:22.04:LTS".into()]);
        let suse = named("SUSE:Linux Enterprise Server 15 SP5").unwrap();
        assert_eq!(&*suse.parts[0], "SUSE:Linux Enterprise Module for * 15 SP5");
        let red_hat = named("Red Hat:enterprise_linux:9").unwrap();
        assert_eq!(&*red_hat.parts[0], "Red Hat:enterprise_linux:9::*");
        assert_eq!(named("npm"), None);
    }

    #[test]
    fn modules_that_the_system_names_are_all_that_it_has() {
        let any = "SUSE:Linux Enterprise Module for * 15 SP5";
        let unnamed = asked(
            "sles",
            "15.5",
            None,
            &["SUSE:Linux Enterprise Server 15 SP5"],
        );
        assert!(unnamed.iter().any(|name| name == any), "{unnamed:?}");
        let module = "SUSE:Linux Enterprise Module for Basesystem 15 SP5";
        let named = asked("sles", "15.5", None, &[module]);
        assert!(named.iter().any(|name| name == module));
        assert!(!named.iter().any(|name| name == any));
        let old = asked("sles", "12.5", None, &[]);
        assert!(
            old.iter()
                .any(|name| name == "SUSE:Linux Enterprise Module for * 12")
        );
    }

    #[test]
    fn makers_are_known_by_a_word() {
        assert!(is_maker(
            "Debian:12",
            "Debian Python Team <team@tracker.debian.org>"
        ));
        assert!(!is_maker("Debian:12", "Shop Inc <build@shop.example>"));
        assert!(is_maker("Red Hat:enterprise_linux:9", "Red Hat, Inc."));
        assert!(!is_maker("Rocky Linux:9", "Fedora Project"));
        assert!(!is_maker("Nothing:1", "Anybody"));
    }
}
