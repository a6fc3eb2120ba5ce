//! Packages that somebody else than their maker rebuilt with fixes: Root, `TuxCare` and Echo, and
//! Red Hat's layered products. `os-release` and registries are those of what they were built from;
//! names and versions tell. Their version numbers cannot be compared with the fixes of others, so
//! that only the supplier's own advisories are asked.

use std::borrow::Cow;

use db_sync::ecosystem::normalise_name;

use super::Distribution;
use crate::model::package::{Package, PackageType, Release};

/// How Root names what it rebuilt: Debian and Alpine packages, Python's, npm's and Maven's.
const ROOT_NAMES: [&str; 3] = ["rootio-", "@rootio/", "io.root."];

/// The supplier's release that a package belongs to, if somebody rebuilt it.
pub(crate) fn supplier(package: &Package, distribution: Option<&Distribution>) -> Option<Release> {
    let version = package.version.to_ascii_lowercase();
    let by_root = is_root(package.kind, &version);
    let name = match package.kind.ecosystem() {
        Some(own) => normalise_name(own, &package.name),
        None => Cow::Borrowed(&*package.name),
    };
    if by_root || ROOT_NAMES.iter().any(|start| name.starts_with(start)) {
        let mut release = rebuilt("Root", package.kind, distribution)?;
        // A name alone is no proof that the registry's advisories do not mean it.
        release.more = match package.kind.ecosystem() {
            Some(own) if !by_root => vec![own.into()],
            _ => Vec::new(),
        };
        return Some(release);
    }
    if is_tuxcare(package.kind, &version) {
        return rebuilt("TuxCare", package.kind, distribution);
    }
    if let Some(own) = package.kind.ecosystem()
        && version.contains("+echo.")
    {
        return Some(release(format!("Echo:{own}")));
    }
    if package.kind == PackageType::RPM
        && distribution.is_some_and(|distribution| distribution.id.eq_ignore_ascii_case("rhel"))
        && let Some((product, platform)) = layered(&version)
    {
        return Some(release(format!("Red Hat:openshift:{product}::{platform}")));
    }
    None
}

/// `.root.io.3`, `+root.io.3`, `-root.io.3`; for apk `-r00071`: the revision, 007, a number.
fn is_root(kind: PackageType, version: &str) -> bool {
    if version.contains("root.io") {
        return true;
    }
    kind == PackageType::APK
        && version.rsplit_once("-r").is_some_and(|(_, revision)| {
            revision.len() > 4
                && revision.bytes().all(|byte| byte.is_ascii_digit())
                && revision.get(1..4) == Some("007")
        })
}

fn is_tuxcare(kind: PackageType, version: &str) -> bool {
    let numbered = version.split_once(".els").is_some_and(|(_, rest)| {
        rest.is_empty() || rest.starts_with(|first: char| first.is_ascii_digit())
    });
    version.contains("tuxcare")
        || kind == PackageType::RPM && (version.contains(".cloudlinux") || numbered)
}

/// `4.15` and `el9` of `1.rhaos4.15.el9`, as `OpenShift`'s builds have it.
fn layered(version: &str) -> Option<(&str, &str)> {
    let (_, rest) = version.split_once(".rhaos")?;
    let (product, platform) = rest.split_once(".el")?;
    let end = platform
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(platform.len());
    let digits = platform.get(..end).filter(|digits| !digits.is_empty())?;
    let start = rest.len().checked_sub(platform.len())?.checked_sub(2)?;
    let platform = rest.get(start..start.checked_add(2)?.checked_add(digits.len())?)?;
    Some((product, platform))
}

fn release(ecosystem: String) -> Release {
    Release {
        ecosystem: ecosystem.into(),
        ..Release::default()
    }
}

/// `Root:Debian:12`, `TuxCare:AlmaLinux:9.2`, `Root:PyPI`.
fn rebuilt(
    supplier: &str,
    kind: PackageType,
    distribution: Option<&Distribution>,
) -> Option<Release> {
    if let Some(own) = kind.ecosystem() {
        return Some(release(format!("{supplier}:{own}")));
    }
    let distribution = distribution?;
    let name = name(&distribution.id.to_ascii_lowercase())?;
    let version = distribution.version.as_deref()?;
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next()?, numbers.next());
    let short = minor.map(|minor| format!("{major}.{minor}"));
    // Root writes Alpine's versions without their `v`.
    let first = match (name, &short) {
        ("Alpine" | "AlmaLinux" | "Ubuntu", Some(short)) => short.as_str(),
        _ => major,
    };
    let mut all = release(format!("{supplier}:{name}:{first}"));
    let others = [Some(version), short.as_deref(), Some(major)];
    for other in others.into_iter().flatten() {
        let other = format!("{supplier}:{name}:{other}");
        if *other != *all.ecosystem && !all.parts.iter().any(|have| **have == *other) {
            all.parts.push(other.into());
        }
    }
    Some(all)
}

/// The distributions that are rebuilt, as the records write them.
fn name(id: &str) -> Option<&'static str> {
    Some(match id {
        "almalinux" => "AlmaLinux",
        "alpine" => "Alpine",
        "centos" => "CentOS",
        "cloudlinux" => "CloudLinux",
        "debian" => "Debian",
        "ol" => "OracleLinux",
        "rhel" => "RHEL",
        "rocky" => "Rocky Linux",
        "ubuntu" => "Ubuntu",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: PackageType, name: &str, version: &str, release: (&str, &str)) -> Option<String> {
        let distribution = Distribution {
            id: release.0.into(),
            version: Some(release.1.into()),
            ..Distribution::default()
        };
        let package = Package::new(kind, name, version);
        supplier(&package, Some(&distribution)).map(|release| release.ecosystem.to_string())
    }

    #[test]
    fn names_and_versions_tell_who_rebuilt_a_package() {
        for (kind, name, version, release, expected) in [
            (
                PackageType::DEB,
                "rootio-jq",
                "1.6-2.1.root.io.1",
                ("debian", "12"),
                Some("Root:Debian:12"),
            ),
            (
                PackageType::DEB,
                "jq",
                "1.6-2.1.root.io.1",
                ("debian", "12.5"),
                Some("Root:Debian:12"),
            ),
            (
                PackageType::DEB,
                "rootio-patch",
                "2.7.6-7",
                ("ubuntu", "22.04"),
                Some("Root:Ubuntu:22.04"),
            ),
            (
                PackageType::APK,
                "libuv",
                "1.44.2-r20071",
                ("alpine", "3.18.4"),
                Some("Root:Alpine:3.18"),
            ),
            (
                PackageType::APK,
                "libuv",
                "1.44.2-r20",
                ("alpine", "3.18.4"),
                None,
            ),
            (
                PackageType::APK,
                "libuv",
                "1.44.2-r0007",
                ("alpine", "3.18.4"),
                None,
            ),
            (
                PackageType::PYPI,
                "rootio-x",
                "1.0",
                ("debian", "12"),
                Some("Root:PyPI"),
            ),
            (
                PackageType::NPM,
                "@rootio/json-schema",
                "0.2.3-root.io.1",
                ("", ""),
                Some("Root:npm"),
            ),
            (
                PackageType::NPM,
                "json-schema",
                "0.2.3-root.io.1",
                ("", ""),
                Some("Root:npm"),
            ),
            (PackageType::NPM, "json-schema", "0.2.3", ("", ""), None),
            (
                PackageType::PYPI,
                "x",
                "1.0+echo.1",
                ("debian", "12"),
                Some("Echo:PyPI"),
            ),
            (
                PackageType::RPM,
                "binutils",
                "2.35.2-37.el9.tuxcare.els1",
                ("almalinux", "9.2"),
                Some("TuxCare:AlmaLinux:9.2"),
            ),
            (
                PackageType::RPM,
                "glibc",
                "2.12-1.2126_10.4.cloudlinux.els",
                ("centos", "6"),
                Some("TuxCare:CentOS:6"),
            ),
            (
                PackageType::RPM,
                "glibc",
                "2.12-1.el6.els2",
                ("centos", "6"),
                Some("TuxCare:CentOS:6"),
            ),
            (
                PackageType::DEB,
                "openssl",
                "1.0.2g-1ubuntu4.20+tuxcare.els1",
                ("ubuntu", "16.04"),
                Some("TuxCare:Ubuntu:16.04"),
            ),
            (
                PackageType::RPM,
                "glibc",
                "2.34-60.el9",
                ("almalinux", "9.2"),
                None,
            ),
            (
                PackageType::RPM,
                "glibc",
                "2.34-60.el9.tuxcare.els1",
                ("fedora", "40"),
                None,
            ),
            (
                PackageType::RPM,
                "skopeo",
                "1.14.4-1.rhaos4.15.el9",
                ("rhel", "9.4"),
                Some("Red Hat:openshift:4.15::el9"),
            ),
            (
                PackageType::RPM,
                "skopeo",
                "1.14.4-1.rhaos4.15.el9_4",
                ("rhel", "9.4"),
                Some("Red Hat:openshift:4.15::el9"),
            ),
            (
                PackageType::RPM,
                "skopeo",
                "1.14.4-1.el9",
                ("rhel", "9.4"),
                None,
            ),
        ] {
            assert_eq!(
                of(kind, name, version, release).as_deref(),
                expected,
                "{name} {version}"
            );
        }
    }

    #[test]
    fn a_name_alone_leaves_the_registry_in() {
        let named = Package::new(PackageType::PYPI, "rootio_x", "1.0");
        assert_eq!(supplier(&named, None).unwrap().more, ["PyPI".into()]);
        let built = Package::new(PackageType::PYPI, "rootio-x", "1.0+root.io.1");
        assert!(supplier(&built, None).unwrap().more.is_empty());
    }
}
