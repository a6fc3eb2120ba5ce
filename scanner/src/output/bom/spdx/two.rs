//! SPDX 2.3 as JSON (spdx.github.io/spdx-spec/v2.3).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::super::{Item, gaps, items, put, time, uuid};
use crate::model::hash::Checksum;
use crate::model::report::{Report, Target};
use crate::output::serial;
use crate::properties::{self, Property};

/// Writes the bill.
pub(in super::super::super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let items = items(report);
    let name = match report.targets.as_slice() {
        [target] => target.id.as_str(),
        _ => "scan",
    };
    let mut packages = Vec::new();
    let mut relationships = Vec::new();
    for (number, target) in report.targets.iter().enumerate() {
        packages.push(of_target(number, target, report));
        let id = target_id(number);
        relationships.push(relation(DOCUMENT, "DESCRIBES", &id));
    }
    let ids: Vec<String> = (0..items.len()).map(package_id).collect();
    for (item, id) in items.iter().zip(&ids) {
        packages.push(package(item, id, report));
        relationships.push(relation(&target_id(item.target), "CONTAINS", id));
    }
    let by_reference: std::collections::BTreeMap<&str, &String> = items
        .iter()
        .zip(&ids)
        .map(|(item, id)| (item.reference.as_str(), id))
        .collect();
    for (item, id) in items.iter().zip(&ids) {
        for other in &item.depends_on {
            if let Some(other) = by_reference.get(other.as_str()) {
                relationships.push(relation(id, "DEPENDS_ON", other));
            }
        }
    }
    let gaps = gaps(report);
    let comment = super::comment(report, &gaps);
    let gaps: Vec<Property> = gaps.into_iter().map(|gap| (properties::GAP, gap)).collect();
    let bill = Bill {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name,
        document_namespace: format!(
            "https://spdx.org/spdxdocs/portcullis-{}",
            uuid(report, &items)
        ),
        comment,
        annotations: annotations(&gaps, report),
        creation_info: json!({
            "created": time(report),
            "creators": [TOOL],
        }),
        packages,
        relationships,
    };
    serial::write(&bill, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bill<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'a str,
    document_namespace: String,
    comment: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Value>,
    creation_info: Value,
    packages: Vec<Value>,
    relationships: Vec<Value>,
}

/// The document's own id.
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

/// Who made it.
const TOOL: &str = concat!(
    "Tool: ",
    env!("CARGO_PKG_NAME"),
    "-",
    env!("CARGO_PKG_VERSION")
);

/// Properties as the comment of an annotation, for which the format has no other place.
fn annotations(all: &[Property], report: &Report) -> Vec<Value> {
    if all.is_empty() {
        return Vec::new();
    }
    let comment = json!({properties::ANNOTATION: all});
    vec![json!({
        "annotationDate": time(report),
        "annotationType": "OTHER",
        "annotator": TOOL,
        "comment": comment.to_string(),
    })]
}

fn checksum(one: &Checksum) -> Value {
    let algorithm = one.algorithm.as_str().to_ascii_uppercase();
    json!({"algorithm": algorithm, "checksumValue": &*one.value})
}

fn target_id(number: usize) -> String {
    format!("SPDXRef-Target-{number}")
}

fn package_id(number: usize) -> String {
    format!("SPDXRef-Package-{number}")
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

fn of_target(number: usize, target: &Target, report: &Report) -> Value {
    let purpose = if target.kind.is_image() {
        "CONTAINER"
    } else {
        "SOURCE"
    };
    let mut package = json!({
        "SPDXID": target_id(number),
        "name": target.id,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "primaryPackagePurpose": purpose,
        "annotations": annotations(&properties::of_target(target), report),
    });
    if let Some(digest) = &target.digest {
        put(&mut package, "versionInfo", digest.as_str());
        if let Some(digest) = Checksum::named(digest) {
            put(&mut package, "checksums", vec![checksum(&digest)]);
        }
    }
    package
}

fn package(item: &Item<'_>, id: &str, report: &Report) -> Value {
    let mut properties = item.properties();
    let places = item.package.locations.iter();
    properties.extend(places.map(|place| (properties::LOCATION, properties::of_location(place))));
    let mut package = json!({
        "SPDXID": id,
        "name": &*item.package.name,
        "versionInfo": &*item.package.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": item.purl,
        }],
        "sourceInfo": super::source(item),
        "annotations": annotations(&properties, report),
    });
    if let Some(vendor) = &item.package.vendor {
        put(&mut package, "supplier", format!("Organization: {vendor}"));
    }
    let (own, _) = properties::checksums(item.package);
    if !own.is_empty() {
        let checksums: Vec<Value> = own.into_iter().map(checksum).collect();
        put(&mut package, "checksums", checksums);
    }
    package
}
