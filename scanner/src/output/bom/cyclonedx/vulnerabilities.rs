//! The vulnerabilities of a bill: what was found, by whom it is known, and why a suppressed one does not
//! count. Findings in infrastructure code have no place here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::finding::{Finding, FindingKind, Vulnerability};
use crate::model::package::Package;
use crate::model::report::Report;
use crate::model::suppression::{Status, Suppression};
use crate::output::bom::{Item, put};

/// The first of several findings, and what all of them affect.
type Same<'r> = (&'r Finding, &'r Vulnerability, Vec<&'r str>);

/// One entry for each vulnerability and what the findings of it have in common; a suppressed finding is
/// one of its own, since its analysis speaks of it alone.
pub(super) fn all(report: &Report, items: &[Item<'_>]) -> Vec<Value> {
    let places: BTreeMap<(usize, *const Package), &str> = items
        .iter()
        .map(|item| {
            (
                (item.target, std::ptr::from_ref(item.package)),
                item.reference.as_str(),
            )
        })
        .collect();
    // By the id and the reason of a suppression.
    let mut all: BTreeMap<(String, Option<String>), Same<'_>> = BTreeMap::new();
    for finding in &report.findings {
        let FindingKind::Vulnerability(found) = &finding.kind else {
            continue; // a bill has no place for it
        };
        let package = std::ptr::from_ref(&*found.package);
        let reference = places.get(&(finding.target, package)).copied();
        let reason = finding.suppressed.as_ref().map(ToString::to_string);
        let entry = all
            .entry((finding.rule.to_string(), reason))
            .or_insert_with(|| (finding, found, Vec::new()));
        entry.2.extend(reference);
    }
    let entries = all.into_values();
    entries
        .map(|(finding, found, mut affects)| {
            affects.sort_unstable();
            affects.dedup();
            vulnerability(finding, found, &affects)
        })
        .collect()
}

fn vulnerability(finding: &Finding, found: &Vulnerability, affects: &[&str]) -> Value {
    let affects: Vec<Value> = affects.iter().map(|one| json!({"ref": one})).collect();
    let mut rating = json!({"severity": finding.severity.as_str().to_ascii_lowercase()});
    if let Some(score) = finding.score {
        put(&mut rating, "score", score);
    }
    let mut entry = json!({
        "id": &*finding.rule,
        "description": &*finding.title,
        "ratings": [rating],
        "affects": affects,
        "references": finding.aliases.iter().map(|alias| json!({
            "id": alias, "source": {"name": source(alias)},
        })).collect::<Vec<_>>(),
    });
    if let Some(fixed) = found.fixed.first() {
        put(&mut entry, "recommendation", format!("upgrade to {fixed}"));
    }
    if let Some(suppressed) = &finding.suppressed {
        put(&mut entry, "analysis", analysis(suppressed));
    }
    entry
}

/// Who gives ids of this form.
fn source(id: &str) -> &'static str {
    match id.split('-').next().unwrap_or_default() {
        "CVE" => "NVD",
        "GHSA" => "GitHub",
        "RUSTSEC" => "RustSec",
        _ => "OSV",
    }
}

fn analysis(suppressed: &Suppression) -> Value {
    let state = match suppressed.status {
        Status::NotAffected => "not_affected",
        Status::Fixed => "resolved",
        Status::UnderInvestigation => "in_triage",
        Status::Affected | Status::Accepted => "exploitable",
    };
    let mut analysis = json!({"state": state, "detail": suppressed.to_string()});
    if suppressed.status == Status::Accepted {
        put(&mut analysis, "response", json!(["will_not_fix"]));
    }
    analysis
}
