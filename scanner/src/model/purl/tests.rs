//! Package URLs read, written and made.

use super::*;
use crate::model::facts::Distribution;
use crate::model::package::{Package, PackageType};

fn purl(package: &Package, distribution: Option<&Distribution>) -> String {
    Purl::of(package, distribution).to_string()
}

#[test]
fn reads_and_writes_all_parts() {
    for (text, written, namespace, name, version) in [
        (
            "pkg:cargo/rand@0.8.5",
            "pkg:cargo/rand@0.8.5",
            None,
            "rand",
            Some("0.8.5"),
        ),
        (
            "PKG://NPM/%40scope/a@1.0?#",
            "pkg:npm/%40scope/a@1.0",
            Some("@scope"),
            "a",
            Some("1.0"),
        ),
        (
            "pkg:npm/@scope/a",
            "pkg:npm/%40scope/a",
            Some("@scope"),
            "a",
            None,
        ),
        (
            "pkg:npm/@scope/a@2",
            "pkg:npm/%40scope/a@2",
            Some("@scope"),
            "a",
            Some("2"),
        ),
        (
            "pkg:deb/debian/x@1%3a2-3~a%2Bb?Distro=debian-12&arch=amd64&empty=",
            "pkg:deb/debian/x@1:2-3~a%2Bb?arch=amd64&distro=debian-12",
            Some("debian"),
            "x",
            Some("1:2-3~a+b"),
        ),
        (
            "pkg:golang/golang.org%2Fx%2Ftext@v0.3.0#./unicode/../norm",
            "pkg:golang/golang.org%2Fx%2Ftext@v0.3.0#unicode/norm",
            None,
            "golang.org/x/text",
            Some("v0.3.0"),
        ),
        (
            "pkg:oci/app@sha256:abc?repository_url=ghcr.io/o/app",
            "pkg:oci/app@sha256:abc?repository_url=ghcr.io%2Fo%2Fapp",
            None,
            "app",
            Some("sha256:abc"),
        ),
    ] {
        let purl: Purl = text.parse().expect(text);
        assert_eq!(purl.to_string(), written);
        assert_eq!(purl.namespace.as_deref(), namespace, "{text}");
        assert_eq!(purl.name, name, "{text}");
        assert_eq!(purl.version.as_deref(), version, "{text}");
        assert_eq!(written.parse::<Purl>().as_ref(), Ok(&purl));
    }
}

#[test]
fn refuses_what_is_none() {
    for (text, error) in [
        ("", PurlError::Scheme),
        ("CVE-2024-1", PurlError::Scheme),
        ("https://example.com/a", PurlError::Scheme),
        ("pkg:cargo", PurlError::Name),
        ("pkg:cargo/", PurlError::Name),
        ("pkg:4a/b", PurlError::Type),
        ("pkg:a b/c", PurlError::Type),
        ("pkg:cargo/a%2", PurlError::Encoding),
        ("pkg:cargo/a%zz", PurlError::Encoding),
        ("pkg:cargo/%ff", PurlError::Encoding),
        ("pkg:cargo/a?b", PurlError::Qualifier),
        ("pkg:cargo/a?=b", PurlError::Qualifier),
        ("pkg:cargo/a?b=1&B=2", PurlError::Qualifier),
    ] {
        assert_eq!(text.parse::<Purl>(), Err(error), "{text}");
    }
    let long = format!("pkg:cargo/{}", "a".repeat(MAX_PURL));
    assert_eq!(long.parse::<Purl>(), Err(PurlError::Length));
}

fn distribution(id: &str, version: &str) -> Distribution {
    Distribution {
        id: id.into(),
        version: (!version.is_empty()).then(|| version.into()),
        ..Distribution::default()
    }
}

#[test]
fn operating_systems() {
    let mut deb = Package::new(PackageType::DEB, "openssl", "1:3.0.11-1~deb12u2+b1");
    deb.arch = Some("amd64".into());
    assert_eq!(
        purl(&deb, Some(&distribution("debian", "12"))),
        "pkg:deb/debian/openssl@1:3.0.11-1~deb12u2%2Bb1?arch=amd64&distro=debian-12"
    );
    let mut rpm = Package::new(PackageType::RPM, "libX11", "1.7.0-7.el9");
    rpm.epoch = Some(2);
    assert_eq!(
        purl(&rpm, Some(&distribution("almalinux", "9.2"))),
        "pkg:rpm/almalinux/libX11@1.7.0-7.el9?distro=almalinux-9.2&epoch=2"
    );
    let mut modular = Package::new(PackageType::RPM, "npm", "9-1.module_el9.2.0+29+de");
    modular.module = Some("nodejs:18:9020020230327152102:rhel9".into());
    assert_eq!(
        purl(&modular, Some(&distribution("almalinux", "9.2"))),
        "pkg:rpm/almalinux/npm@9-1.module_el9.2.0%2B29%2Bde?distro=almalinux-9.2\
         &rpmmod=nodejs:18:9020020230327152102:rhel9"
    );
    let apk = Package::new(PackageType::APK, "libstdc++", "12-r1");
    assert_eq!(
        purl(&apk, Some(&distribution("wolfi", ""))),
        "pkg:apk/wolfi/libstdc%2B%2B@12-r1?distro=wolfi"
    );
    assert_eq!(purl(&apk, None), "pkg:apk/libstdc%2B%2B@12-r1");
}

#[test]
fn languages() {
    for (kind, name, version, expected) in [
        (
            PackageType::NPM,
            "@Scope/Name",
            "1.0.0-a+b",
            "pkg:npm/%40Scope/Name@1.0.0-a%2Bb",
        ),
        (
            PackageType::GOLANG,
            "github.com/A/b",
            "v1.0.0",
            "pkg:golang/github.com/a/b@v1.0.0",
        ),
        (
            PackageType::PYPI,
            "Foo_Bar.baz",
            "1!2.0",
            "pkg:pypi/foo-bar-baz@1%212.0",
        ),
        (
            PackageType::CARGO,
            "serde_json",
            "1.0.0",
            "pkg:cargo/serde_json@1.0.0",
        ),
        (PackageType::GEM, "rails", "7.0.0", "pkg:gem/rails@7.0.0"),
        (
            PackageType::COMPOSER,
            "Vendor/x",
            "1",
            "pkg:composer/vendor/x@1",
        ),
        (
            PackageType::MAVEN,
            "org.apache:commons",
            "1",
            "pkg:maven/org.apache/commons@1",
        ),
        (PackageType::NUGET, "A.B", "1", "pkg:nuget/A.B@1"),
        (
            PackageType::COCOAPODS,
            "Alpha/Core",
            "1.0",
            "pkg:cocoapods/Alpha@1.0#Core",
        ),
        (
            PackageType::TERRAFORM,
            "registry.terraform.io/acme/x",
            "1.0.0",
            "pkg:terraform/registry.terraform.io/acme/x@1.0.0",
        ),
        (PackageType::NPM, "é/../ a", "1", "pkg:npm/%C3%A9/../%20a@1"),
    ] {
        assert_eq!(purl(&Package::new(kind, name, version), None), expected);
    }
}
