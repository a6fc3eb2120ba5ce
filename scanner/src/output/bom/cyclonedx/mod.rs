//! CycloneDX as JSON (cyclonedx.org/docs/1.6/json, cyclonedx.org/docs/1.7/json).

use std::collections::BTreeMap;
use std::io::{self, Write};

use db_sync::ecosystem::Namespace;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Item, gaps, items, put, time, uuid};
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::{Package, Scope};
use crate::model::report::{Report, Target};
use crate::output::serial;
use crate::properties;

mod vulnerabilities;

/// The versions that are written. What we say is said in the same way in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Version {
    /// 1.6 (2024).
    V1_6,
    /// 1.7 (2025).
    V1_7,
}

impl Version {
    const fn as_str(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// Writes the bill.
pub(in super::super) fn write(
    version: Version,
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    let items = items(report);
    let several = report.targets.len() > 1;
    let mut components = Vec::new();
    if several {
        let targets = report.targets.iter().enumerate();
        components.extend(targets.map(|(number, target)| of_target(number, target)));
    }
    components.extend(items.iter().map(component));
    let version = version.as_str();
    let bill = Bill {
        schema: format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
        bom_format: "CycloneDX",
        spec_version: version,
        serial_number: format!("urn:uuid:{}", uuid(report, &items)),
        version: 1,
        metadata: metadata(report),
        components,
        dependencies: dependencies(report, &items),
        compositions: compositions(report),
        vulnerabilities: vulnerabilities::all(report, &items),
    };
    serial::write(&bill, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    #[serde(rename = "$schema")]
    schema: String,
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
    let gaps = gaps(report);
    let properties = gaps.iter().map(|gap| property(properties::GAP, gap));
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
    let properties = properties::of_target(target);
    let properties = properties.iter().map(|(name, value)| property(name, value));
    let mut component = json!({
        "type": kind,
        "bom-ref": target_reference(number),
        "name": target.id,
        "properties": properties.collect::<Vec<_>>(),
    });
    if let Some(digest) = &target.digest {
        put(&mut component, "version", digest.as_str());
        if let Some(digest) = Checksum::named(digest) {
            put(&mut component, "hashes", vec![hash(&digest)]);
        }
    }
    component
}

fn hash(checksum: &Checksum) -> Value {
    let algorithm = match checksum.algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha384 => "SHA-384",
        Algorithm::Sha512 => "SHA-512",
    };
    json!({"alg": algorithm, "content": &*checksum.value})
}

fn component(item: &Item<'_>) -> Value {
    let package = item.package;
    let properties = item.properties();
    let properties = properties.iter().map(|(name, value)| property(name, value));
    let mut properties: Vec<Value> = properties.collect();
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
            properties.push(property(properties::LAYER_DIGEST, &layer.digest));
            properties.push(property(properties::LAYER_DIFF_ID, &layer.diff_id));
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
    if let Some(scope) = scope(package) {
        put(&mut component, "scope", scope);
    }
    if let Some(vendor) = &package.vendor {
        put(&mut component, "supplier", json!({"name": &**vendor}));
    }
    let (own, _) = properties::checksums(package);
    if !own.is_empty() {
        let hashes = own.into_iter().map(hash);
        put(&mut component, "hashes", hashes.collect::<Vec<_>>());
    }
    component
}

/// What the format calls the scope: what is not there at run time is excluded.
fn scope(package: &Package) -> Option<&'static str> {
    Some(match package.scope? {
        Scope::Runtime => "required",
        Scope::Optional | Scope::Peer => "optional",
        Scope::Build | Scope::Dev => "excluded",
    })
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

/// Whether the bill lists all components that there are: what could not be compared with advisories, or
/// not be evaluated, is listed nevertheless.
fn compositions(report: &Report) -> Vec<Value> {
    let targets = (0..report.targets.len()).map(|number| {
        let aggregate = if super::is_whole(report, number) {
            "complete"
        } else {
            "incomplete"
        };
        json!({"aggregate": aggregate, "assemblies": [target_reference(number)]})
    });
    targets.collect()
}
