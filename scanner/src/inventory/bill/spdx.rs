//! SPDX 2.2 and 2.3 (spdx.github.io/spdx-spec/v2.3): packages with their package URLs, and what they
//! depend on. A package with several package URLs is every package that they name.

use document::Node;

use super::graph::{Edge, Graph};
use super::{Bill, supplied};
use crate::inventory::ParseError;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::{Package, Scope};
use crate::properties::{self, Told};

/// Purposes of what is no package of a package manager.
const OTHER: [&str; 4] = ["FILE", "CONTAINER", "DEVICE", "FIRMWARE"];

pub(super) fn read(document: &Node<'_>, bill: &mut Bill) -> Result<(), ParseError> {
    for (name, value) in told(document)? {
        if name == properties::GAP {
            bill.told_gap(&value, document.line);
        }
    }
    let relations = document.items_at("relationships")?;
    let mut graph = Graph::default();
    let mut described = Vec::new();
    for one in relations {
        let (Some(from), Some(to)) = (
            one.text_at("spdxElementId"),
            one.text_at("relatedSpdxElement"),
        ) else {
            continue; // half a relation says nothing
        };
        let kind = one.text_at("relationshipType").unwrap_or_default();
        match kind {
            "DESCRIBES" => described.push(to),
            "DESCRIBED_BY" => described.push(from),
            _ => {}
        }
        if let Some((scope, is_turned)) = dependency(kind) {
            let (from, to) = if is_turned { (to, from) } else { (from, to) };
            let edges = graph.edges.entry(from).or_default();
            edges.push(Edge { to, scope });
        }
    }
    let listed = document.items_at("documentDescribes")?.iter();
    described.extend(listed.filter_map(Node::text));
    for item in document.items_at("packages")? {
        let id = item.text_at("SPDXID").unwrap_or_default();
        let name = item.text_at("name").unwrap_or_default();
        let purpose = item.text_at("primaryPackagePurpose").unwrap_or_default();
        let version = item.text_at("versionInfo");
        let is_root = described.contains(&id);
        let properties = told(item)?;
        bill.target(properties.iter().map(|(name, value)| (&**name, &**value)));
        let purls = purls(item)?;
        if purls.is_empty() {
            if purpose == "OPERATING-SYSTEM" {
                bill.found_in(name, version);
            } else if !OTHER.contains(&purpose) && !is_root {
                bill.unnamed(item, name);
            }
        }
        for purl in purls {
            let package = if is_root {
                bill.root(purl, version, item.line)
            } else {
                bill.package(purl, version, item.line)
            };
            if let Some(mut package) = package {
                describe(item, &properties, &mut package);
                graph.add(id, package, item.line);
            }
        }
    }
    graph.close(bill);
    Ok(())
}

/// Whether a relationship is a dependency, what for, and whether it is told from its other end.
fn dependency(kind: &str) -> Option<(Option<Scope>, bool)> {
    Some(match kind {
        "DEPENDS_ON" | "HAS_PREREQUISITE" | "STATIC_LINK" | "DYNAMIC_LINK" => (None, false),
        "DEPENDENCY_OF" | "PREREQUISITE_FOR" => (None, true),
        "RUNTIME_DEPENDENCY_OF" => (Some(Scope::Runtime), true),
        "OPTIONAL_DEPENDENCY_OF" => (Some(Scope::Optional), true),
        "PROVIDED_DEPENDENCY_OF" => (Some(Scope::Peer), true),
        "BUILD_DEPENDENCY_OF" | "BUILD_TOOL_OF" => (Some(Scope::Build), true),
        "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" | "DEV_TOOL_OF" | "TEST_TOOL_OF" => {
            (Some(Scope::Dev), true)
        }
        // Files, licences, documents.
        _ => return None,
    })
}

/// The package URLs of a package, each once. RDF's name for the type of the reference is an address.
fn purls<'n>(item: &'n Node<'_>) -> Result<Vec<&'n str>, ParseError> {
    let mut purls: Vec<&str> = Vec::new();
    for one in item.items_at("externalRefs")? {
        let kind = one.text_at("referenceType").unwrap_or_default();
        let purl = one.text_at("referenceLocator").unwrap_or_default();
        if (kind == "purl" || kind.ends_with("/purl")) && !purls.contains(&purl) {
            purls.push(purl);
        }
    }
    Ok(purls)
}

/// Our properties in the annotations of an element.
fn told(item: &Node<'_>) -> Result<Vec<(String, String)>, ParseError> {
    let mut all = Vec::new();
    for one in item.items_at("annotations")? {
        let comment = one.text_at("comment").unwrap_or_default();
        // What others annotate is prose, or JSON of their own.
        if let Ok(node) = document::json(comment) {
            let pairs = node
                .get(properties::ANNOTATION)
                .map_or(&[][..], Node::items);
            for pair in pairs {
                if let [name, value] = pair.items()
                    && let (Some(name), Some(value)) = (name.text(), value.text())
                {
                    all.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    Ok(all)
}

fn describe(item: &Node<'_>, properties: &[(String, String)], package: &mut Package) {
    let supplier = item
        .text_at("supplier")
        .and_then(|text| text.split_once(": "));
    supplied(package, supplier.map(|(_, name)| name));
    let checksums = item.get("checksums").map_or(&[][..], Node::items).iter();
    package.checksums.extend(checksums.filter_map(|one| {
        let algorithm = Algorithm::of(one.text_at("algorithm")?)?;
        Checksum::hexadecimal(algorithm, one.text_at("checksumValue")?)
    }));
    let mut told = Told::default();
    for (name, value) in properties {
        told.take(package, name, value);
    }
    told.finish(package);
}
