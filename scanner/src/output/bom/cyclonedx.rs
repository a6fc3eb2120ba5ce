//! CycloneDX 1.6 as JSON (cyclonedx.org/docs/1.6/json).

use std::collections::BTreeMap;
use std::io::{self, Write};

use db_sync::ecosystem::Namespace;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Item, gaps, items, put, time, uuid};
use crate::model::finding::{Finding, FindingKind, Vulnerability};
use crate::model::report::{Report, Target};
use crate::model::suppression::{Status, Suppression};
use crate::output::serial;

/// Writes the bill.
pub(in super::super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let items = items(report);
    let several = report.targets.len() > 1;
    let mut components = Vec::new();
    if several {
        let targets = report.targets.iter().enumerate();
        components.extend(targets.map(|(number, target)| of_target(number, target)));
    }
    components.extend(items.iter().map(component));
    let bill = Bill {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", uuid(report, &items)),
        version: 1,
        metadata: metadata(report),
        components,
        dependencies: dependencies(report, &items),
        compositions: compositions(report),
        vulnerabilities: vulnerabilities(report, &items),
    };
    serial::write(&bill, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Value,
    components: Vec<Value>,
    dependencies: Vec<Value>,
    compositions: Vec<Value>,
    vulnerabilities: Vec<Value>,
}

fn metadata(report: &Report) -> Value {
    let root = match report.targets.as_slice() {
        [target] => of_target(0, target),
        _ => json!({"type": "application", "bom-ref": ROOT, "name": "scan"}),
    };
    let properties = gaps(report).map(|gap| property("portcullis:gap", &gap));
    json!({
        "timestamp": time(report),
        "tools": {"components": [{
            "type": "application", "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"),
        }]},
        "component": root,
        "properties": properties.collect::<Vec<_>>(),
    })
}

/// The reference of a run over several targets.
const ROOT: &str = "scan";

fn target_reference(number: usize) -> String {
    format!("target-{number}")
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn of_target(number: usize, target: &Target) -> Value {
    let kind = if target.kind.is_image() {
        "container"
    } else {
        "application"
    };
    let mut properties = vec![property("portcullis:target:kind", target.kind.as_str())];
    if let Some(platform) = &target.platform {
        properties.push(property("portcullis:target:platform", platform));
    }
    if let Some(name) = target
        .distribution
        .as_ref()
        .and_then(|one| one.name.as_ref())
    {
        properties.push(property("portcullis:target:distribution", name));
    }
    let mut component = json!({
        "type": kind,
        "bom-ref": target_reference(number),
        "name": target.id,
        "properties": properties,
    });
    if let Some(digest) = &target.digest {
        put(&mut component, "version", digest.as_str());
    }
    component
}

fn component(item: &Item<'_>) -> Value {
    let package = item.package;
    let mut properties = vec![property("portcullis:package:type", package.kind.as_str())];
    let mut add = |name: &str, value: &str| properties.push(property(name, value));
    if let Some(source) = &package.source {
        add(
            "portcullis:package:source",
            &format!("{} {}", source.name, source.version),
        );
    }
    if let Some(owner) = &package.owner {
        add("portcullis:package:owned-by", owner);
    }
    if let Some(scope) = package.scope {
        add("portcullis:package:scope", scope.as_str());
    }
    if let Some(direct) = package.direct {
        add(
            "portcullis:package:direct",
            if direct { "true" } else { "false" },
        );
    }
    for name in &package.candidates {
        add("portcullis:package:candidate", name);
    }
    let mut occurrences = Vec::new();
    for location in &package.locations {
        let mut place = json!({"location": &*location.path});
        if let Some(line) = location.start_line() {
            put(&mut place, "line", line);
        }
        if let Some(layer) = &location.layer {
            put(
                &mut place,
                "additionalContext",
                format!("layer {} {}", layer.index, layer.digest),
            );
            add("portcullis:layer:digest", &layer.digest);
            add("portcullis:layer:diff-id", &layer.diff_id);
        }
        occurrences.push(place);
    }
    let (group, name) = match package.name.rsplit_once([':', '/']) {
        Some((group, name)) if package.kind.namespace() != Namespace::Distribution => {
            (Some(group), name)
        }
        _ => (None, &*package.name),
    };
    let mut component = json!({
        "type": "library",
        "bom-ref": item.reference,
        "name": name,
        "version": &*package.version,
        "purl": item.purl,
        "properties": properties,
        "evidence": {"occurrences": occurrences},
    });
    if let Some(group) = group {
        put(&mut component, "group", group);
    }
    component
}

fn dependencies(report: &Report, items: &[Item<'_>]) -> Vec<Value> {
    let mut all = Vec::new();
    let targets = || (0..report.targets.len()).map(target_reference);
    if report.targets.len() > 1 {
        all.push(json!({"ref": ROOT, "dependsOn": targets().collect::<Vec<_>>()}));
    }
    let mut held: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for item in items {
        // What is only there because something else needs it hangs below that.
        if item.package.direct != Some(false) {
            held.entry(item.target).or_default().push(&item.reference);
        }
    }
    for (number, reference) in targets().enumerate() {
        let below = held.remove(&number).unwrap_or_default();
        all.push(json!({"ref": reference, "dependsOn": below}));
    }
    let edges = items.iter().filter(|item| !item.depends_on.is_empty());
    all.extend(edges.map(|item| json!({"ref": item.reference, "dependsOn": item.depends_on})));
    all
}

/// Whether the bill holds all that there is.
fn compositions(report: &Report) -> Vec<Value> {
    let targets = (0..report.targets.len()).map(|number| {
        let is_whole = !report
            .gaps
            .iter()
            .any(|gap| gap.target.is_none_or(|of| of == number));
        let aggregate = if is_whole { "complete" } else { "incomplete" };
        json!({"aggregate": aggregate, "assemblies": [target_reference(number)]})
    });
    targets.collect()
}

/// The first of several findings, and what all of them affect.
type Same<'r> = (&'r Finding, &'r Vulnerability, Vec<&'r str>);

/// One entry for each vulnerability and what the findings of it have in common; a suppressed finding is
/// one of its own, since its analysis speaks of it alone.
fn vulnerabilities(report: &Report, items: &[Item<'_>]) -> Vec<Value> {
    let places: BTreeMap<(usize, *const crate::model::package::Package), &str> = items
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
