//! Crates whose version was yanked from crates.io: findings of the informational kind `yanked`,
//! under one rule of our own, since no advisory has an id for them. UNKNOWN in severity like
//! every other informational kind: seen and counted, and no reason to fail unless asked for.

use std::sync::Arc;

use super::Matched;
use crate::model::finding::{Finding, FindingKind, RuleInfo, Vulnerability};
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::rating::Rated;

/// The rule's id: in reports, suppressions and VEX statements. It never changes.
pub(crate) const RULE: &str = "crates-io-yanked";
/// The informational kind.
const KIND: &str = "yanked";
const TITLE: &str = "The version was yanked from crates.io";
const HELP: &str = "The publisher of a crate can yank a version: no new lockfile will choose it, \
and old ones keep it. The reason is not recorded; it is often a serious bug or a vulnerability without an \
advisory yet. Run `cargo update -p CRATE` to move to a version that was not yanked.\n";
const URL: &str = "https://doc.rust-lang.org/cargo/commands/cargo-yank.html";

/// Adds a finding for each place of a yanked package.
pub(super) fn add(matched: &mut Matched, package: &Arc<Package>) {
    let rule: Arc<str> = Arc::from(RULE);
    matched
        .rules
        .entry(rule.clone())
        .or_insert_with(|| RuleInfo {
            id: rule.clone(),
            record: rule.clone(),
            title: TITLE.to_owned(),
            help: HELP.to_owned(),
            url: Some(URL.to_owned()),
            tags: ["security", "vulnerability", KIND]
                .map(str::to_owned)
                .into(),
        });
    let rated = Arc::new(Rated {
        reason: "no source rates yanked versions".into(),
        ..Rated::default()
    });
    let nowhere = [Location::file("")];
    let places = match package.locations.as_slice() {
        [] => nowhere.as_slice(),
        places => places,
    };
    for location in places {
        let kind = FindingKind::from(Vulnerability {
            merged: vec![RULE.to_owned()],
            informational: Some(KIND.to_owned()),
            rated: rated.clone(),
            ..Vulnerability::new(package.clone(), rule.clone())
        });
        matched.findings.push(Finding {
            title: TITLE.into(),
            message: format!(
                "{} {} is yanked: its publisher withdrew this version from crates.io",
                package.name, package.version
            ),
            ..Finding::new(rule.clone(), location.clone(), kind)
        });
    }
}
