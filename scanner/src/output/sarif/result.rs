//! One result in SARIF's words: a message whose first sentence says it all, a place, a
//! fingerprint, and whether it was suppressed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use db_sync::FixState;

use super::level::{self, level};
use super::model::{LogicalLocation, PropertyBag, Result as SarifResult, Suppression, plain};
use super::place;
use super::row::Row;
use crate::model::finding::{FindingKind, Severity};
use crate::model::suppression::{self, Origin};
use crate::output::escape::{message, truncate};
use crate::phrase;

/// Most characters of one part of a message; code scanning shows far less.
const PART_LIMIT: usize = 1_000;

/// The result of a row.
pub(crate) fn result(row: &Row<'_>, rule_index: usize) -> SarifResult {
    let finding = row.finding;
    let mut logical = vec![subject(row)];
    logical.extend(finding.location.layer.as_deref().map(place::layer));
    let fingerprints = BTreeMap::from([
        ("portcullis/v2", finding.fingerprint.clone()),
        ("primaryLocationLineHash", row.mark.clone()),
    ]);
    let mut properties = BTreeMap::from([
        ("severity".to_owned(), finding.severity.as_str().into()),
        (
            "severity_source".to_owned(),
            part(&finding.severity_source).into(),
        ),
    ]);
    if let Some(origin) = row.origin {
        properties.insert("origin".to_owned(), origin.as_str().into());
    }
    if let FindingKind::Vulnerability(found) = &finding.kind {
        if let Some(kind) = &found.informational {
            properties.insert("informational".to_owned(), part(kind).into());
        }
        if let Some(condition) = phrase::condition(&found.scope) {
            properties.insert("limited_to".to_owned(), part(&condition).into());
        }
        properties.insert(
            "severity_reason".to_owned(),
            part(&found.rated.reason).into(),
        );
        properties.insert("fix_state".to_owned(), found.fix.as_str().into());
        if let Some(doubt) = &found.doubt {
            properties.insert("doubt".to_owned(), doubt.kind.as_str().into());
        }
        let said = &found.exploitation;
        let mut say = |name: &str, value: Option<serde_json::Value>| {
            properties.extend(value.map(|value| (name.to_owned(), value)));
        };
        say(
            "epss",
            said.epss.and_then(|epss| serde_json::to_value(epss).ok()),
        );
        say(
            "kev",
            said.kev.and_then(|kev| serde_json::to_value(kev).ok()),
        );
    }
    if let FindingKind::EndOfLife(found) = &finding.kind {
        properties.insert("ended".to_owned(), part(&found.ended).into());
        let extended = found.extended.as_deref();
        properties.extend(extended.map(|day| ("extended_until".to_owned(), part(day).into())));
    }
    SarifResult {
        level: level(level::severity(finding).0),
        locations: [place::location(&row.uri, Some(row.region), logical)],
        message: plain(text(row)),
        partial_fingerprints: fingerprints,
        properties: PropertyBag {
            additional: properties,
            ..PropertyBag::default()
        },
        rule_id: row.rule.clone(),
        rule_index,
        suppressions: finding
            .suppressed
            .as_ref()
            .map(suppression)
            .into_iter()
            .collect(),
    }
}

fn suppression(by: &suppression::Suppression) -> Suppression {
    Suppression {
        justification: part(&by.to_string()),
        kind: match by.origin {
            Origin::Vex => "external",
            Origin::Comment => "inSource",
        },
        status: "accepted",
    }
}

/// The package or resource as a logical place.
fn subject(row: &Row<'_>) -> LogicalLocation {
    let (kind, name) = match &row.finding.kind {
        FindingKind::Vulnerability(found) => ("package", &found.package.name),
        FindingKind::Misconfiguration(found) => ("resource", &found.resource),
        FindingKind::EndOfLife(found) => ("product", &found.name),
    };
    LogicalLocation {
        fully_qualified_name: row.name.clone(),
        kind,
        name: part(name),
    }
}

/// Untrusted text in a message: one line, no links, not endless.
fn part(text: &str) -> String {
    message(&truncate(text, PART_LIMIT))
}

fn text(row: &Row<'_>) -> String {
    let finding = row.finding;
    let title = part(&finding.title);
    let title = title.trim_end_matches('.');
    let mut text = match &finding.kind {
        FindingKind::Vulnerability(found) => {
            let name = part(&found.package.name);
            let installed = part(&found.package.full_version());
            let title = part(&phrase::title(found, title));
            let text = match found.fixed.first() {
                Some(fixed) => format!("{name} {installed} → {}: {title}.", part(fixed)),
                None if found.fix == FixState::WontFix => {
                    format!("{name} {installed} (will not be fixed): {title}.")
                }
                None => format!("{name} {installed} (no fix known): {title}."),
            };
            match &found.doubt {
                Some(doubt) => {
                    format!(
                        "{text} Not certain ({}): {}.",
                        doubt.kind.as_str(),
                        part(&doubt.reason)
                    )
                }
                None => text,
            }
        }
        FindingKind::EndOfLife(_) => format!("{}.", part(&finding.message)),
        FindingKind::Misconfiguration(found) => {
            let said = part(&finding.message);
            let said = if said.is_empty() {
                title
            } else {
                said.trim_end_matches('.')
            };
            let mut text = format!("{}: {said}.", part(&found.resource));
            if let Some(fix) = &found.fix {
                let _ = write!(text, " Write {} instead.", part(fix));
            }
            text
        }
    };
    if finding.severity == Severity::Unknown {
        text.push_str(" Severity UNKNOWN: no source rates it.");
    }
    if let Some(layer) = &finding.location.layer {
        let _ = write!(text, " In {}.", part(&phrase::layer(layer)));
    }
    text
}
