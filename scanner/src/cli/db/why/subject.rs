//! The package of a question: from a package URL, or word by word. Refuses what cannot be looked
//! up, rather than to answer for something else.

use crate::cli::failure::Failure;
use portcullis::inventory::{Distribution, ecosystem};
use portcullis::model::package::PackageType;
use portcullis::model::purl::Purl;

/// What is looked up, and what it was made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// With its suffix.
    pub(super) ecosystem: String,
    /// As advisories name it.
    pub(super) name: String,
    /// As advisories compare it.
    pub(super) version: String,
    /// The module stream that an rpm was built in, or its whole label.
    pub(super) module: Option<String>,
    /// The package URL that was given or found.
    pub(super) purl: Option<String>,
    /// What else the reader should know, one sentence each.
    pub(super) notes: Vec<String>,
    /// The digest of the database that a report was made with.
    pub(super) reported_digest: Option<String>,
}

impl Subject {
    /// `PURL`, or `ECOSYSTEM NAME VERSION`.
    pub(super) fn given(words: &[String]) -> Result<Self, Failure> {
        match words {
            [purl] => Self::of_purl(purl),
            [ecosystem, name, version] => Ok(Self {
                ecosystem: ecosystem.clone(),
                name: name.clone(),
                version: version.clone(),
                ..Self::default()
            }),
            _ => Err(Failure::new("the package is not complete")
                .hint("portcullis db why ID PURL, or ID ECOSYSTEM NAME VERSION")),
        }
    }

    fn of_purl(text: &str) -> Result<Self, Failure> {
        let refused = |cause: String| {
            Failure::new(format!("{text} cannot be looked up: {cause}"))
                .hint("write it in words: portcullis db why ID ECOSYSTEM NAME VERSION")
        };
        let purl: Purl = text.parse().map_err(|error| refused(format!("{error}")))?;
        let kind = PackageType::known(&purl.kind)
            .ok_or_else(|| refused(format!("packages of type {} are not known", purl.kind)))?;
        let Some(version) = purl.version.clone() else {
            return Err(refused("it has no version".to_owned()));
        };
        let mut subject = Self {
            purl: Some(text.to_owned()),
            version,
            ..Self::default()
        };
        if let Some(ecosystem) = kind.ecosystem() {
            ecosystem.clone_into(&mut subject.ecosystem);
            subject.name = purl.full_name();
            if kind == PackageType::GOLANG {
                subject.notes.push(
                    "package URLs write Go modules in lower case, advisories as they are: write one with capitals in words".to_owned(),
                );
            }
            return Ok(subject);
        }
        let (of_kind, ecosystem) = distribution(&purl)
            .as_ref()
            .and_then(ecosystem::of)
            .ok_or_else(|| {
                refused("its distribution (distro=debian-12) is not known".to_owned())
            })?;
        if of_kind != kind {
            return Err(refused(format!("{ecosystem} has no packages of this type")));
        }
        subject.ecosystem = ecosystem;
        subject.name.clone_from(&purl.name);
        if kind == PackageType::RPM {
            subject.module = module(&purl);
            if let Some(epoch) = purl.qualifiers.get("epoch").filter(|epoch| *epoch != "0") {
                subject.version = format!("{epoch}:{}", subject.version);
            }
        } else {
            subject.take_source(&purl);
        }
        Ok(subject)
    }

    /// Debian's and Alpine's advisories name source packages.
    fn take_source(&mut self, purl: &Purl) {
        if let Some(upstream) = purl.qualifiers.get("upstream") {
            let (name, version) = match upstream.split_once('@') {
                Some((name, version)) => (name, Some(version)),
                None => (upstream.as_str(), None),
            };
            name.clone_into(&mut self.name);
            if let Some(version) = version {
                version.clone_into(&mut self.version);
            }
        } else {
            self.notes.push(format!(
                "{} was taken for the name of the source package, which advisories of {} use; a report (--report) knows it",
                self.name, self.ecosystem
            ));
        }
    }
}

/// The module stream that a package URL of an rpm names.
pub(super) fn module(purl: &Purl) -> Option<String> {
    purl.qualifiers.get("rpmmod").cloned()
}

/// The distribution that a package URL names: `debian` and `12` of `distro=debian-12`.
fn distribution(purl: &Purl) -> Option<Distribution> {
    let distro = purl.qualifiers.get("distro");
    let (id, version) = match distro.map(String::as_str) {
        Some(text) => match text.rsplit_once('-') {
            Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                (id, Some(version))
            }
            _ => (text, None),
        },
        None => (purl.namespace.as_deref()?, None),
    };
    Some(Distribution {
        id: id.into(),
        version: version.map(Into::into),
        ..Distribution::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(purl: &str) -> Option<(String, String, String)> {
        let subject = Subject::of_purl(purl).ok()?;
        Some((subject.ecosystem, subject.name, subject.version))
    }

    #[test]
    fn a_package_url_names_what_advisories_name() {
        for (purl, expected) in [
            (
                "pkg:cargo/time@0.1.42",
                Some(("crates.io", "time", "0.1.42")),
            ),
            ("pkg:npm/%40a/b@1.0.0", Some(("npm", "@a/b", "1.0.0"))),
            (
                "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl",
                Some(("Debian:12", "openssl", "3.0.9-1")),
            ),
            (
                "pkg:rpm/almalinux/bash@5.1-1.el9?distro=almalinux-9.2&epoch=2",
                Some(("AlmaLinux:9", "bash", "2:5.1-1.el9")),
            ),
            (
                "pkg:rpm/opensuse-leap/bash@5-1?distro=opensuse-leap-15.5",
                Some(("openSUSE:Leap 15.5", "bash", "5-1")),
            ),
            ("pkg:apk/wolfi/bash@5-r1", Some(("Wolfi", "bash", "5-r1"))),
            ("pkg:deb/debian/bash@5", None),
            ("pkg:rpm/debian/bash@5?distro=debian-12", None),
            ("pkg:cargo/time", None),
            ("pkg:generic/time@1", None),
            ("time", None),
        ] {
            let expected = expected
                .map(|(ecosystem, name, version)| (ecosystem.into(), name.into(), version.into()));
            assert_eq!(of(purl), expected, "{purl}");
        }
    }
}
