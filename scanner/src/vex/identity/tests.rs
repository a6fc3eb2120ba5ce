//! Which package URLs speak of which packages.

use std::sync::Arc;

use super::*;
use crate::model::package::SourcePackage;

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
            PackageType::NPM,
            "@angular/core",
            "1.0.0",
            "pkg:npm/%40angular/core@1.0.0",
        ),
        (
            PackageType::NPM,
            "JSONStream",
            "1.0.0",
            "pkg:npm/jsonstream",
        ),
        (
            PackageType::PYPI,
            "Foo_Bar",
            "1.0",
            "pkg:pypi/foo.bar@1.0.0",
        ),
        (
            PackageType::GOLANG,
            "golang.org/x/text",
            "v0.3.0",
            "pkg:golang/golang.org%2Fx%2Ftext@0.3.0",
        ),
        (
            PackageType::GOLANG,
            "github.com/BurntSushi/toml",
            "v1.0.0",
            "pkg:golang/github.com/burntsushi/toml@v1.0.0",
        ),
        (
            PackageType::COMPOSER,
            "Symfony/yaml",
            "v1.0",
            "pkg:composer/symfony/yaml@1.0",
        ),
        (
            PackageType::CARGO,
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
        (PackageType::NPM, "jsonstream", "pkg:npm/JSONStream"),
        (PackageType::CARGO, "a-b", "pkg:cargo/a_b"),
        (PackageType::CARGO, "a", "pkg:cargo/x/a"),
        (PackageType::CARGO, "a", "pkg:npm/a"),
        (PackageType::CARGO, "a", "pkg:unheard/a"),
        (PackageType::CARGO, "a", "not a purl"),
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
    let mut curl = os(PackageType::DEB, "curl", "1:7.88-1+deb12u5", "Debian:12");
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
        PackageType::RPM,
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
