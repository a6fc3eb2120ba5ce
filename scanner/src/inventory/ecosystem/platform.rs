//! A release of a distribution under the names that package URLs and CPEs give it, compared with
//! the OSV ecosystem of its packages. What cannot be compared does not agree. The names are in
//! `table`.

use super::records;
use super::table::{CODENAMES, Records};
use crate::model::purl;

/// A distribution, from the ecosystem of its packages (`Debian:12`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Platform<'a> {
    ecosystem: &'a str,
    name: &'a str,
}

impl<'a> Platform<'a> {
    pub(crate) fn of(ecosystem: &'a str) -> Self {
        let (name, _) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
        Self { ecosystem, name }
    }

    fn row(self) -> Option<&'static Records> {
        records(self.name).filter(|row| !row.namespaces.is_empty())
    }

    /// The namespace of its package URLs.
    pub(crate) fn namespace(self) -> String {
        match self.row().and_then(|row| row.namespaces.first()) {
            Some(namespace) => (*namespace).to_owned(),
            None => plain(self.name),
        }
    }

    /// The qualifier `distro` as we write it, where the ecosystem has a version.
    pub(crate) fn qualifier(self) -> Option<String> {
        Some(format!("{}-{}", self.namespace(), self.version()?))
    }

    /// Whether a namespace or an id in `distro` is its own.
    pub(crate) fn is_named(self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        match self.row() {
            Some(row) => row.namespaces.contains(&id.as_str()),
            None => id == plain(self.name),
        }
    }

    /// Whether the qualifier `distro` speaks of it: `debian-12`, `debian-12.5`, `bookworm`,
    /// `alpine-3.19.1`.
    pub(crate) fn has_qualifier(self, value: &str) -> bool {
        let value = value.to_ascii_lowercase();
        let codename = CODENAMES.iter().find(|(name, code, _)| {
            *name == self.name
                && value
                    .strip_prefix(&self.namespace())
                    .unwrap_or(&value)
                    .trim_start_matches('-')
                    == *code
        });
        if let Some((_, _, version)) = codename {
            return self.has_version(version);
        }
        match value.rsplit_once('-') {
            Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                // A rolling release has no version to differ in; some write a date.
                self.is_named(id) && (self.version().is_none() || self.has_version(version))
            }
            _ => self.is_named(&value) && self.version().is_none(),
        }
    }

    /// Whether a CPE (2.2 URI or 2.3 string) speaks of it: `cpe:/o:redhat:enterprise_linux:9`.
    pub(crate) fn has_cpe(self, cpe: &str) -> bool {
        let body = cpe
            .strip_prefix("cpe:2.3:")
            .or_else(|| cpe.strip_prefix("cpe:/"));
        let Some(body) = body else {
            return false;
        };
        let unescaped = purl::decode(&body.replace('\\', "")).unwrap_or_default();
        let mut parts = unescaped.split(':').skip(1);
        let product = format!(
            "{}:{}",
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default()
        );
        if !self
            .row()
            .is_some_and(|row| row.products.contains(&product.as_str()))
        {
            return false;
        }
        let version = parts.next().unwrap_or_default();
        let update = parts.next().and_then(|update| update.strip_prefix("sp"));
        match (version, update) {
            ("" | "*", _) => true,
            (version, Some(pack)) => self.has_version(&format!("{version}.{pack}")),
            (version, None) => self.has_version(version),
        }
    }

    /// Whether one of two versions is a prefix of the other, number by number: `12` and `12.5`.
    fn has_version(self, given: &str) -> bool {
        self.version().is_some_and(|own| {
            own.split('.')
                .zip(given.split('.'))
                .all(|(own, given)| own.trim_start_matches('0') == given.trim_start_matches('0'))
        })
    }

    /// The first number after the name: `12`, `3.19` of `v3.19`, `15.5` of `15 SP5`.
    fn version(self) -> Option<String> {
        let suffix = self.ecosystem.get(self.name.len()..)?;
        let start = suffix.find(|c: char| c.is_ascii_digit())?;
        let tail = suffix.get(start..)?;
        let end = tail
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(tail.len());
        let (number, rest) = tail.split_at_checked(end)?;
        let number = number.trim_end_matches('.');
        match rest.strip_prefix(" SP") {
            Some(pack) => Some(format!("{number}.{pack}")),
            None => Some(number.to_owned()),
        }
    }
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_ecosystems() {
        for (ecosystem, qualifier) in [
            ("Debian:12", Some("debian-12")),
            ("Alpine:v3.19", Some("alpine-3.19")),
            ("Ubuntu:Pro:18.04:LTS", Some("ubuntu-18.04")),
            ("Red Hat:enterprise_linux:9", Some("redhat-9")),
            ("SUSE:Linux Enterprise Server 15 SP5", Some("suse-15.5")),
            ("openSUSE:Leap 15.6", Some("opensuse-15.6")),
            ("Wolfi", None),
            ("Some Linux:7", Some("somelinux-7")),
        ] {
            assert_eq!(Platform::of(ecosystem).qualifier().as_deref(), qualifier);
        }
    }

    #[test]
    fn qualifiers_that_agree_and_others() {
        let debian = Platform::of("Debian:12");
        for value in [
            "debian-12",
            "debian-12.5",
            "bookworm",
            "debian-bookworm",
            "Debian-12",
        ] {
            assert!(debian.has_qualifier(value), "{value}");
        }
        for value in [
            "debian-1",
            "debian-13",
            "trixie",
            "ubuntu-12",
            "jammy",
            "debian",
            "",
            "12",
        ] {
            assert!(!debian.has_qualifier(value), "{value}");
        }
        assert!(Platform::of("Wolfi").has_qualifier("wolfi"));
        assert!(Platform::of("Wolfi").has_qualifier("wolfi-20230201"));
        assert!(!Platform::of("Wolfi").has_qualifier("chainguard-20230201"));
        assert!(Platform::of("Ubuntu:22.04:LTS").has_qualifier("ubuntu-22.04"));
        assert!(Platform::of("Red Hat:enterprise_linux:9").has_qualifier("rhel-9.2"));
    }

    #[test]
    fn platforms_by_cpe() {
        let nine = Platform::of("Red Hat:enterprise_linux:9");
        for (cpe, agrees) in [
            ("cpe:/o:redhat:enterprise_linux:9", true),
            ("cpe:/a:redhat:enterprise_linux:9::appstream", true),
            ("cpe:2.3:o:redhat:enterprise_linux:9:*:*:*:*:*:*:*", true),
            ("cpe:/o:redhat:enterprise_linux", true),
            ("cpe:/o:redhat:enterprise_linux:8", false),
            ("cpe:/a:redhat:openshift:4.9::el9", false),
            ("cpe:/o:redhat", false),
            ("redhat", false),
        ] {
            assert_eq!(nine.has_cpe(cpe), agrees, "{cpe}");
        }
        let service_pack = Platform::of("SUSE:Linux Enterprise Server 15 SP5");
        assert!(service_pack.has_cpe("cpe:/o:suse:sles:15:sp5"));
        assert!(!service_pack.has_cpe("cpe:/o:suse:sles:15:sp4"));
        assert!(!Platform::of("Wolfi").has_cpe("cpe:/o:wolfi:wolfi:1"));
    }
}
