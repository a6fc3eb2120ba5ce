//! Package URLs (package-url/purl-spec) from packages. Names are normalised as each type
//! demands; what the distribution does not tell is left out.

use std::fmt::Write as _;

use super::Distribution;
use crate::model::package::{Package, PackageType};

/// The package URL of a package; for those of an operating system with the distribution they
/// were found in.
///
/// ```
/// # use portcullis::inventory::purl::purl;
/// # use portcullis::model::package::{Package, PackageType};
/// let package = Package::new(PackageType::Npm, "@scope/name", "1.0.0");
/// assert_eq!(purl(&package, None), "pkg:npm/%40scope/name@1.0.0");
/// ```
pub fn purl(package: &Package, distribution: Option<&Distribution>) -> String {
    let mut text = format!("pkg:{}/", package.kind.as_str());
    if package.kind.is_os()
        && let Some(distribution) = distribution
    {
        encode(&mut text, &distribution.id.to_lowercase());
        text.push('/');
    }
    for (index, part) in name(package)
        .split('/')
        .filter(|part| !part.is_empty())
        .enumerate()
    {
        if index > 0 {
            text.push('/');
        }
        encode(&mut text, part);
    }
    if !package.version.is_empty() {
        text.push('@');
        encode(&mut text, &package.version);
    }
    // Sorted by key, as the specification demands.
    let distro = distribution
        .filter(|_| package.kind.is_os())
        .map(|distribution| match &distribution.version {
            Some(version) => format!("{}-{version}", distribution.id),
            None => distribution.id.to_string(),
        });
    let qualifiers = [
        ("arch", package.arch.as_deref().map(str::to_owned)),
        ("distro", distro),
        ("epoch", package.epoch.map(|epoch| epoch.to_string())),
        // Red Hat's qualifier for the module that a package belongs to.
        ("rpmmod", package.module.as_deref().map(str::to_owned)),
    ];
    let mut separator = '?';
    for (key, value) in qualifiers {
        if let Some(value) = value {
            text.push(separator);
            text.push_str(key);
            text.push('=');
            encode(&mut text, &value);
            separator = '&';
        }
    }
    text
}

/// The name in the form of its type (purl-spec, `types`).
fn name(package: &Package) -> String {
    match package.kind {
        PackageType::Pypi => package.name.to_lowercase().replace(['_', '.'], "-"),
        PackageType::Apk | PackageType::Composer | PackageType::Deb | PackageType::Golang => {
            package.name.to_lowercase()
        }
        PackageType::Cargo | PackageType::Gem | PackageType::Npm | PackageType::Rpm => {
            package.name.to_string()
        }
    }
}

/// Percent-encodes all but letters, digits, `.-_~` and the colon.
fn encode(text: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':') {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(id: &str, version: &str) -> Distribution {
        Distribution {
            id: id.into(),
            version: (!version.is_empty()).then(|| version.into()),
            ..Distribution::default()
        }
    }

    #[test]
    fn operating_systems() {
        let mut deb = Package::new(PackageType::Deb, "openssl", "1:3.0.11-1~deb12u2+b1");
        deb.arch = Some("amd64".into());
        assert_eq!(
            purl(&deb, Some(&distribution("debian", "12"))),
            "pkg:deb/debian/openssl@1:3.0.11-1~deb12u2%2Bb1?arch=amd64&distro=debian-12"
        );
        let mut rpm = Package::new(PackageType::Rpm, "libX11", "1.7.0-7.el9");
        rpm.epoch = Some(2);
        assert_eq!(
            purl(&rpm, Some(&distribution("almalinux", "9.2"))),
            "pkg:rpm/almalinux/libX11@1.7.0-7.el9?distro=almalinux-9.2&epoch=2"
        );
        let mut modular = Package::new(PackageType::Rpm, "npm", "9-1.module_el9.2.0+29+de");
        modular.module = Some("nodejs:18:9020020230327152102:rhel9".into());
        assert_eq!(
            purl(&modular, Some(&distribution("almalinux", "9.2"))),
            "pkg:rpm/almalinux/npm@9-1.module_el9.2.0%2B29%2Bde?distro=almalinux-9.2\
             &rpmmod=nodejs:18:9020020230327152102:rhel9"
        );
        let apk = Package::new(PackageType::Apk, "libstdc++", "12-r1");
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
                PackageType::Npm,
                "@Scope/Name",
                "1.0.0-a+b",
                "pkg:npm/%40Scope/Name@1.0.0-a%2Bb",
            ),
            (
                PackageType::Golang,
                "github.com/A/b",
                "v1.0.0",
                "pkg:golang/github.com/a/b@v1.0.0",
            ),
            (
                PackageType::Pypi,
                "Foo_Bar.baz",
                "1!2.0",
                "pkg:pypi/foo-bar-baz@1%212.0",
            ),
            (
                PackageType::Cargo,
                "serde_json",
                "1.0.0",
                "pkg:cargo/serde_json@1.0.0",
            ),
            (PackageType::Gem, "rails", "7.0.0", "pkg:gem/rails@7.0.0"),
            (
                PackageType::Composer,
                "Vendor/x",
                "1",
                "pkg:composer/vendor/x@1",
            ),
            (PackageType::Npm, "é/../ a", "1", "pkg:npm/%C3%A9/../%20a@1"),
        ] {
            assert_eq!(purl(&Package::new(kind, name, version), None), expected);
        }
    }
}
