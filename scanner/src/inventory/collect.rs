//! Adding to [`Facts`] within the limits: what does not fit is counted, and becomes a gap at the
//! end of the file. Parsers add only through these functions.

use std::sync::Arc;

use super::{Facts, Include, Owned, limits};
use crate::model::gap::{Gap, GapClass, GapKind, GapSeverity, Stage};
use crate::model::location::Location;
use crate::model::package::Package;

impl Facts {
    /// Adds a package; one with an empty or overlong name or version, or one that no ecosystem
    /// allows, becomes a gap.
    pub fn add(&mut self, mut package: Package) {
        let location = package
            .locations
            .first()
            .cloned()
            .unwrap_or_else(|| Location::file(""));
        if package.name.is_empty() {
            return self.push_gap(&location, GapKind::Malformed, "package without a name");
        }
        if package.version.is_empty() {
            let cause = format!("package {} has no version", shown(&package.name));
            return self.push_gap(&location, GapKind::Malformed, cause);
        }
        if package.name.len() > limits::NAME_BYTES || too_long(&package) {
            let cause = format!(
                "package {} has a name or version longer than {} and {} bytes",
                shown(&package.name),
                limits::NAME_BYTES,
                limits::VERSION_BYTES
            );
            return self.push_gap(&location, GapKind::Limit, cause);
        }
        if let Some((what, text)) = [("name", &package.name), ("version", &package.version)]
            .into_iter()
            .find(|(_, text)| !is_word(text))
        {
            let cause = format!("{:?} is not a {what} of a package", shown(text));
            return self.push_gap(&location, GapKind::Malformed, cause);
        }
        if self.packages.len() >= limits::PACKAGES_PER_FILE {
            self.left_out.packages = self.left_out.packages.saturating_add(1);
            return;
        }
        package.dependencies.sort();
        package.dependencies.dedup();
        if package.dependencies.len() > limits::DEPENDENCIES_PER_PACKAGE {
            package
                .dependencies
                .truncate(limits::DEPENDENCIES_PER_PACKAGE);
            let cause = format!(
                "package {} has more than {} dependencies",
                shown(&package.name),
                limits::DEPENDENCIES_PER_PACKAGE
            );
            self.push_gap(&location, GapKind::Limit, cause);
        }
        package.checksums.sort();
        package.checksums.dedup();
        if package.checksums.len() > limits::CHECKSUMS_PER_PACKAGE {
            package.checksums.truncate(limits::CHECKSUMS_PER_PACKAGE);
            let cause = format!(
                "package {} has more than {} checksums",
                shown(&package.name),
                limits::CHECKSUMS_PER_PACKAGE
            );
            self.push_gap(&location, GapKind::Limit, cause);
        }
        self.packages.push(package);
    }

    /// Adds the package that was being read, if there is one.
    pub fn extend(&mut self, package: Option<Package>) {
        if let Some(package) = package {
            self.add(package);
        }
    }

    /// Adds a file that a package owns, if any parser of installed packages wants it. The
    /// directory may be absolute.
    pub fn own(&mut self, package: &Arc<str>, directory: &str, name: &str) {
        self.own_summed(package, directory, name, || None);
    }

    /// Adds such a file with the checksum that it had when the package brought it, which is only
    /// made for files that count.
    pub fn own_summed(
        &mut self,
        package: &Arc<str>,
        directory: &str,
        name: &str,
        digest: impl FnOnce() -> Option<Arc<str>>,
    ) {
        let directory = directory.strip_prefix('.').unwrap_or(directory);
        let directory = directory.trim_matches('/');
        if !super::dispatch::is_package_file(directory, name) {
            return;
        }
        let long = directory.len().saturating_add(name.len()) > limits::PATH_BYTES;
        if long || self.owned.len() >= limits::OWNED_PER_FILE {
            self.left_out.owned = self.left_out.owned.saturating_add(1);
            return;
        }
        self.owned.push(Owned {
            package: Arc::clone(package),
            path: format!("{directory}/{name}").into(),
            digest: digest(),
        });
    }

    /// Adds a file that this one includes.
    pub fn include(&mut self, include: Include) {
        if self.includes.len() >= limits::INCLUDES_PER_FILE {
            self.left_out.includes = self.left_out.includes.saturating_add(1);
            return;
        }
        self.includes.push(include);
    }

    /// Notes a gap that is known whole.
    pub fn note(&mut self, gap: Gap) {
        if self.gaps.len() >= limits::GAPS_PER_FILE {
            self.left_out.gaps = self.left_out.gaps.saturating_add(1);
            return;
        }
        self.gaps.push(gap);
    }

    /// Notes what is not as its format says.
    pub fn malformed(&mut self, path: &str, line: Option<u32>, cause: impl Into<Arc<str>>) {
        self.push_gap(&place(path, line), GapKind::Malformed, cause);
    }

    /// Notes a gap of any kind.
    pub fn gap(
        &mut self,
        path: &str,
        line: Option<u32>,
        kind: GapKind,
        cause: impl Into<Arc<str>>,
    ) {
        self.push_gap(&place(path, line), kind, cause);
    }

    /// Notes that the whole file could not be read, or only a part of it: what it lists is not
    /// known.
    pub fn unjudged(
        &mut self,
        path: &str,
        line: Option<u32>,
        kind: GapKind,
        cause: impl Into<Arc<str>>,
    ) {
        self.push(&place(path, line), kind, GapClass::Unjudged, cause);
    }

    fn push_gap(&mut self, location: &Location, kind: GapKind, cause: impl Into<Arc<str>>) {
        self.push(location, kind, kind.class(), cause);
    }

    fn push(
        &mut self,
        location: &Location,
        kind: GapKind,
        class: GapClass,
        cause: impl Into<Arc<str>>,
    ) {
        let severity = match kind {
            GapKind::Malformed | GapKind::Syntax | GapKind::Internal => GapSeverity::Error,
            _ => GapSeverity::Warning,
        };
        self.note(Gap {
            location: location.clone(),
            stage: Stage::Inventory,
            kind,
            class,
            severity,
            cause: cause.into(),
        });
    }

    /// Turns the counts of what was left out into gaps.
    pub(super) fn close(&mut self, path: &str) {
        let left_out = std::mem::take(&mut self.left_out);
        for (count, limit, what) in [
            (
                left_out.packages,
                limits::PACKAGES_PER_FILE,
                "packages of one file",
            ),
            (
                left_out.owned,
                limits::OWNED_PER_FILE,
                "owned paths of one file, or longer ones",
            ),
            (left_out.gaps, limits::GAPS_PER_FILE, "gaps of one file"),
            (
                left_out.includes,
                limits::INCLUDES_PER_FILE,
                "includes of one file",
            ),
        ] {
            if count > 0 {
                let cause = format!("more than {limit} {what}: {count} left out");
                let place = Location::file(path);
                let gap = Gap::warning(Stage::Inventory, GapKind::Limit, place, cause);
                self.gaps.push(gap.unjudged());
            }
        }
    }
}

/// Whether a name or version has only characters that some ecosystem allows. Each of them allows
/// less, but none has blanks, control or invisible characters, quotes or brackets of mappings: with
/// one of these it would be compared with no advisory, and pass.
fn is_word(text: &str) -> bool {
    // Without an early end, so that several bytes are looked at at once.
    let refused = text.bytes().fold(0, |refused, byte| {
        let mark = matches!(
            byte,
            b'"' | b'#' | b'$' | b'%' | b'&' | b',' | b';' | b'<'..=b'?' | b'[' | b'\\' | b']' | b'`' | b'{'..=b'}'
        );
        refused | u8::from(mark) | u8::from(!byte.is_ascii_graphic())
    });
    refused == 0
}

fn too_long(package: &Package) -> bool {
    let source = package.source.as_ref().is_some_and(|s| {
        s.name.len() > limits::NAME_BYTES || s.version.len() > limits::VERSION_BYTES
    });
    let long = |text: &Option<Arc<str>>| {
        text.as_ref()
            .is_some_and(|text| text.len() > limits::VERSION_BYTES)
    };
    source
        || package.version.len() > limits::VERSION_BYTES
        || long(&package.arch)
        || long(&package.module)
        || long(&package.vendor)
}

fn place(path: &str, line: Option<u32>) -> Location {
    match line {
        Some(line) => Location::line(path, line),
        None => Location::file(path),
    }
}

/// At most the first 80 characters of a text from a file, for a message.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hash::{Algorithm, Checksum};
    use crate::model::package::PackageType;

    fn package(name: &str, version: &str) -> Package {
        Package::new(PackageType::NPM, name, version).at(Location::line("f", 3))
    }

    #[test]
    fn long_and_empty_names_and_versions_are_gaps() {
        let mut facts = Facts::default();
        facts.add(package(&"n".repeat(limits::NAME_BYTES), "1"));
        facts.add(package(&"n".repeat(limits::NAME_BYTES + 1), "1"));
        facts.add(package("a", &"1".repeat(limits::VERSION_BYTES + 1)));
        facts.add(package("", "1"));
        facts.add(package("a", ""));
        assert_eq!(facts.packages.len(), 1);
        let kinds: Vec<_> = facts.gaps.iter().map(|gap| gap.kind).collect();
        assert_eq!(
            kinds,
            [
                GapKind::Limit,
                GapKind::Limit,
                GapKind::Malformed,
                GapKind::Malformed
            ]
        );
        assert_eq!(facts.gaps[0].location.start_line(), Some(3));
    }

    #[test]
    fn what_no_ecosystem_allows_is_a_gap() {
        for good in [
            "@scope/a.b",
            "golang.org/x/crypto",
            "a'(b)!",
            "1!2.0+x~y^z:1-2_3*",
        ] {
            let mut facts = Facts::default();
            facts.add(package(good, good));
            assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 0), "{good}");
        }
        for bad in [
            "a b",
            "a\0",
            "a\u{200b}",
            "\u{feff}a",
            "ä",
            "a\"",
            "[a",
            "a#",
            "a\t",
            "a\u{7f}",
        ] {
            for (name, version) in [(bad, "1"), ("a", bad)] {
                let mut facts = Facts::default();
                facts.add(package(name, version));
                assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{bad:?}");
                assert_eq!(facts.gaps[0].kind, GapKind::Malformed);
            }
        }
    }

    #[test]
    fn counts_are_limited_and_reported() {
        let mut facts = Facts::default();
        let one = package("a", "1");
        for _ in 0..limits::PACKAGES_PER_FILE + 7 {
            facts.add(one.clone());
        }
        for line in 0..150 {
            facts.malformed("f", Some(line), "bad");
        }
        let owner: Arc<str> = "o".into();
        for _ in 0..=limits::OWNED_PER_FILE {
            facts.own(&owner, "./usr/lib/python3/dist-packages", "a.egg-info");
        }
        for line in 0..1010 {
            facts.include(Include {
                path: "x".into(),
                line,
                parser: "p",
                family: "p",
                is_certain: true,
            });
        }
        facts.close("f");
        assert_eq!(facts.includes.len(), limits::INCLUDES_PER_FILE);
        assert!(facts.gaps.iter().any(|gap| gap.cause.contains(": 10 left")));
        assert_eq!(facts.packages.len(), limits::PACKAGES_PER_FILE);
        assert_eq!(facts.owned.len(), limits::OWNED_PER_FILE);
        assert_eq!(facts.gaps.len(), limits::GAPS_PER_FILE + 4);
        assert!(facts.gaps.iter().any(|gap| gap.cause.contains(": 7 left")));
        assert!(facts.gaps.iter().any(|gap| gap.cause.contains(": 50 left")));
    }

    #[test]
    fn dependencies_are_limited() {
        let mut facts = Facts::default();
        let mut one = package("a", "1");
        for index in 0..=limits::DEPENDENCIES_PER_PACKAGE {
            one.dependencies.push(index.to_string().into());
        }
        facts.add(one);
        assert_eq!(
            facts.packages[0].dependencies.len(),
            limits::DEPENDENCIES_PER_PACKAGE
        );
        assert_eq!(facts.gaps[0].kind, GapKind::Limit);
    }

    #[test]
    fn checksums_are_limited() {
        let mut facts = Facts::default();
        let mut one = package("a", "1");
        for index in 0..=limits::CHECKSUMS_PER_PACKAGE {
            let sum = Checksum::hexadecimal(Algorithm::Md5, &format!("{index:032x}")).unwrap();
            one.checksums.extend([sum.clone(), sum]);
        }
        facts.add(one);
        let kept = &facts.packages[0].checksums;
        assert_eq!(kept.len(), limits::CHECKSUMS_PER_PACKAGE);
        assert_eq!(facts.gaps[0].kind, GapKind::Limit);
    }

    #[test]
    fn shown_cuts_at_characters() {
        assert_eq!(shown("ä"), "ä");
        assert_eq!(shown(&"ä".repeat(90)), format!("{}…", "ä".repeat(80)));
    }
}
