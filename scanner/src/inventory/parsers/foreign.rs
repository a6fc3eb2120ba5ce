//! Packages of a lockfile that do not come from the public registry of their ecosystem. They are
//! listed without an ecosystem, so that no advisory for a namesake is taken for theirs, and each
//! place that they come from is one gap of the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::model::gap::GapKind;
use crate::model::package::Package;

/// What came from one place.
struct Source {
    line: u32,
    first: Arc<str>,
    count: usize,
}

/// By the place that they come from.
#[derive(Default)]
pub(super) struct Foreign {
    sources: BTreeMap<String, Source>,
}

impl Foreign {
    /// Marks a package as one from elsewhere.
    pub(super) fn mark(&mut self, package: &mut Package, line: u32, source: &str) {
        package.ecosystem = None;
        package.public = false;
        self.note(&package.name, line, source);
    }

    /// Notes what comes from elsewhere and is no package of the ecosystem at all.
    pub(super) fn note(&mut self, name: &str, line: u32, source: &str) {
        let source = &without_user(source);
        if let Some(known) = self.sources.get_mut(source) {
            known.count = known.count.saturating_add(1);
            return;
        }
        let first = Source {
            line,
            first: shown(name).into(),
            count: 1,
        };
        self.sources.insert(source.clone(), first);
    }

    /// One gap for each place.
    pub(super) fn close(self, path: &str, facts: &mut Facts) {
        for (source, Source { line, first, count }) in self.sources {
            let source = shown(&source);
            let cause = if count == 1 {
                format!("{first} comes from {source}, which public advisories do not cover")
            } else {
                format!(
                    "{count} packages, {first} first, come from {source}, which public advisories do not cover"
                )
            };
            facts.gap(path, Some(line), GapKind::ForeignPackage, cause);
        }
    }
}

/// A text without the user and password in an address: they may be secret.
fn without_user(text: &str) -> String {
    let address = text.split_once("://").map(|(before, address)| {
        let host = address.split('/').next().unwrap_or(address);
        let user = host.rfind('@').map_or(0, |at| at.saturating_add(1));
        (before, address.get(user..).unwrap_or_default())
    });
    match address {
        Some((before, address)) => format!("{before}://{address}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_secrets_left_out() {
        let mut foreign = Foreign::default();
        foreign.note("b", 7, "the registry https://me:secret@host.example/a@b");
        foreign.note("a", 9, "the registry https://host.example/a@b");
        foreign.note("c", 9, "the JSR registry");
        let mut facts = Facts::default();
        foreign.close("f", &mut facts);
        assert_eq!(facts.gaps.len(), 2);
        let gap = &facts.gaps[1];
        assert_eq!(gap.location.start_line(), Some(7));
        assert!(
            gap.cause
                .starts_with("2 packages, b first, come from the registry https://host.")
        );
    }
}
