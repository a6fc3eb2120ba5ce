//! References of Conan (docs.conan.io, "Conan file references"): `name/version@user/channel#revision%time`,
//! of which user and channel are there for packages that are not of Conan's own repository.

use std::sync::Arc;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_plain};
use crate::model::gap::GapKind;
use crate::model::package::{Package, PackageType};

/// A name, a version, and who built it, if anybody but Conan's own repository.
pub(super) struct Reference<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    user: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads a reference, or what stands before the id of a package.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        if !is_plain(text) {
            return None;
        }
        let text = text.split(['#', '%', ':']).next()?;
        let (package, user) = match text.split_once('@') {
            Some((package, user)) => (package, Some(user)),
            None => (text, None),
        };
        let (name, version) = package.split_once('/')?;
        let user = user.filter(|user| !matches!(*user, "" | "_/_"));
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
        let fine = |text: &str| !text.is_empty() && text.bytes().all(known);
        let is_user = |user: &str| user.split('/').all(fine);
        (fine(name) && fine(version) && user.is_none_or(is_user)).then_some(Self {
            name,
            version,
            user,
        })
    }

    /// The package of this reference at a line; `None`, and a gap, if its version is none.
    pub(super) fn package(
        &self,
        path: &Arc<str>,
        line: u32,
        facts: &mut Facts,
        foreign: &mut Foreign,
    ) -> Option<Package> {
        // A recipe may wrap what the system has, and take a commit or a day for a version.
        if !self.version.contains(|c: char| c.is_ascii_digit()) {
            let cause = format!(
                "package {} is at {}, which is not a version",
                shown(self.name),
                shown(self.version)
            );
            facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
            return None;
        }
        let mut package = entry(PackageType::CONAN, path, line, self.name, self.version);
        if let Some(user) = self.user {
            foreign.mark(&mut package, line, &format!("the user {user}"));
        }
        Some(package)
    }
}
