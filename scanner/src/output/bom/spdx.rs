//! SPDX 2.3 as JSON (spdx.github.io/spdx-spec/v2.3).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Item, gaps, items, put, time, uuid};
use crate::model::report::{Report, Target};
use crate::output::serial;

/// Writes the bill.
pub(in super::super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let items = items(report);
    let name = match report.targets.as_slice() {
        [target] => target.id.as_str(),
        _ => "scan",
    };
    let mut packages = Vec::new();
    let mut relationships = Vec::new();
    for (number, target) in report.targets.iter().enumerate() {
        packages.push(of_target(number, target));
        let id = target_id(number);
        relationships.push(relation("SPDXRef-DOCUMENT", "DESCRIBES", &id));
    }
    let ids: Vec<String> = (0..items.len()).map(package_id).collect();
    for (item, id) in items.iter().zip(&ids) {
        packages.push(package(item, id));
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
    let all: Vec<String> = gaps(report).collect();
    let comment = match all.as_slice() {
        [] => "complete: nothing was left out".to_owned(),
        gaps => format!("incomplete:\n{}", gaps.join("\n")),
    };
    let bill = Bill {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: "SPDXRef-DOCUMENT",
        name,
        document_namespace: format!(
            "https://spdx.org/spdxdocs/portcullis-{}",
            uuid(report, &items)
        ),
        comment,
        creation_info: json!({
            "created": time(report),
            "creators": [concat!("Tool: ", env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"))],
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
    creation_info: Value,
    packages: Vec<Value>,
    relationships: Vec<Value>,
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

fn of_target(number: usize, target: &Target) -> Value {
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
    });
    if let Some(digest) = &target.digest {
        put(&mut package, "versionInfo", digest.as_str());
        if let Some(hex) = digest.strip_prefix("sha256:") {
            put(
                &mut package,
                "checksums",
                json!([{"algorithm": "SHA256", "checksumValue": hex}]),
            );
        }
    }
    package
}

fn package(item: &Item<'_>, id: &str) -> Value {
    let places = item.package.locations.iter().map(|location| {
        let layer = location.layer.as_ref();
        let layer = layer.map_or_else(String::new, |layer| format!(" (layer {})", layer.digest));
        format!("{}{layer}", location.path)
    });
    let places: Vec<String> = places.collect();
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
        "sourceInfo": format!("found in {}", places.join(", ")),
    });
    if let Some(vendor) = &item.package.vendor {
        put(&mut package, "supplier", format!("Organization: {vendor}"));
    }
    package
}
