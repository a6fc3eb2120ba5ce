//! Questions without a database; the answers are tested with one in `tests/all`.

use super::*;
use crate::model::package::SourcePackage;

fn package(kind: PackageType, name: &str, version: &str, source: Option<(&str, &str)>) -> Package {
    let mut package = Package::new(kind, name, version);
    package.source = source.map(|(name, version)| SourcePackage {
        name: name.into(),
        version: version.into(),
    });
    package
}

fn asked(package: &Package, ecosystem: &str) -> Vec<String> {
    let scope = Scope {
        rank: 1,
        ecosystem: ecosystem.into(),
    };
    let questions = questions(package, &[scope]).into_iter();
    questions
        .map(|question| {
            let version = match question.version {
                Version::Exact(version) => version,
                Version::Source { version, epoch } => format!("{version} ({epoch})"),
            };
            format!("{} {version}", question.name)
        })
        .collect()
}

#[test]
fn every_ecosystem_is_asked_for_the_names_of_its_records() {
    let mut headless = package(
        PackageType::RPM,
        "java-11-headless",
        "11-1",
        Some(("java-11", "11-1")),
    );
    headless.epoch = Some(1);
    let mut main = package(PackageType::RPM, "java-11", "11-1", None);
    main.epoch = Some(1);
    for (package, ecosystem, expected) in [
        (&headless, "AlmaLinux:9", &["java-11-headless 1:11-1"][..]),
        (
            &headless,
            "Red Hat:enterprise_linux:9::baseos",
            &["java-11-headless 1:11-1"],
        ),
        (&headless, "Rocky Linux:9", &["java-11 11-1 (1)"]),
        (&main, "Rocky Linux:9", &["java-11 1:11-1"]),
        (
            &headless,
            "SUSE:Linux Enterprise Server 15 SP5",
            &["java-11 11-1 (1)"],
        ),
        (&main, "openSUSE:Leap 15.6", &["java-11 11-1 (1)"]),
        (&headless, "openEuler:22.03-LTS", &["java-11 11-1 (1)"]),
        (&headless, "Mageia:9", &["java-11 11-1 (1)"]),
        (&headless, "Azure Linux:3", &["java-11 11-1 (1)"]),
        (
            &headless,
            "Photon OS:5.0",
            &["java-11-headless 1:11-1", "java-11 11-1 (1)"],
        ),
        (
            &headless,
            "TuxCare:AlmaLinux:9.2",
            &["java-11-headless 1:11-1"],
        ),
        (
            &package(PackageType::DEB, "libssl3", "3+b1", Some(("openssl", "3"))),
            "Debian:12",
            &["openssl 3"],
        ),
        (
            &package(PackageType::DEB, "jq", "1", None),
            "Root:Debian:12",
            &["rootio-jq 1"],
        ),
        (
            &package(
                PackageType::DEB,
                "rootio-libjq",
                "1",
                Some(("rootio-jq", "1")),
            ),
            "Root:Debian:12",
            &["rootio-libjq 1", "rootio-jq 1"],
        ),
        (
            &package(PackageType::NPM, "a", "1", None),
            "Root:npm",
            &["@rootio/a 1"],
        ),
        (&package(PackageType::NPM, "a", "1", None), "npm", &["a 1"]),
        (
            &package(
                PackageType::APK,
                "libcrypto3",
                "3-r0",
                Some(("openssl", "3-r0")),
            ),
            "Alpine:v3.18",
            &["openssl 3-r0"],
        ),
        (
            &package(
                PackageType::APK,
                "libcrypto3",
                "3-r0",
                Some(("openssl", "3-r0")),
            ),
            "Wolfi",
            &["libcrypto3 3-r0", "openssl 3-r0"],
        ),
    ] {
        assert_eq!(asked(package, ecosystem), expected, "{ecosystem}");
    }
}

#[test]
fn epochs_are_read_from_versions() {
    assert_eq!(epoch_of("2:1.0-1"), 2);
    assert_eq!(epoch_of("1.0-1"), 0);
    assert_eq!(epoch_of("a:1"), 0);
    assert_eq!(with_epoch("1-1", 0), "1-1");
    assert_eq!(with_epoch("1-1", 3), "3:1-1");
}
