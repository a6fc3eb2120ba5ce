//! SPDX 3.0 as JSON-LD (spdx.github.io/spdx-spec/v3.0.1), in the compact form of its JSON schema: a graph
//! of elements under the short names of SPDX's own context. Packages count with their package URLs, and
//! so do `dependsOn` relationships between them. Other forms of JSON-LD are not read.

use std::collections::BTreeMap;

use document::Node;

use super::graph::{Edge, Graph};
use super::{Bill, supplied};
use crate::inventory::ParseError;
use crate::inventory::collect::shown;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::{Package, Scope};
use crate::properties::{self, Told};

/// What the addresses of SPDX's contexts begin with, before the version.
const CONTEXT: &str = "https://spdx.org/rdf/";

/// Purposes of what is no package of a package manager.
const OTHER: [&str; 7] = [
    "container",
    "device",
    "deviceDriver",
    "diskImage",
    "file",
    "filesystemImage",
    "firmware",
];

/// The version of SPDX's context, if a document has one.
pub(super) fn version<'n>(document: &'n Node<'_>) -> Option<&'n str> {
    let context = document.get("@context")?;
    let all = std::iter::once(context).chain(context.items());
    let mut versions = all.filter_map(|one| one.text()?.strip_prefix(CONTEXT)?.split('/').next());
    versions.next()
}

pub(super) fn read(document: &Node<'_>, bill: &mut Bill) -> Result<(), ParseError> {
    let version = version(document).unwrap_or_default();
    if !version.starts_with("3.0") {
        let cause = format!("SPDX {} is not read: only 2 and 3.0", shown(version));
        return Err(ParseError::unknown_format(None, cause));
    }
    if document.get("@graph").is_none() {
        let cause = "SPDX 3 without a @graph of elements";
        return Err(ParseError::unknown_format(None, cause));
    }
    let elements = document.items_at("@graph")?;
    let mut graph = Graph::default();
    let mut roots: Vec<&str> = Vec::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for item in elements {
        let kind = item.text_at("type").unwrap_or_default();
        match kind {
            "Relationship" | "LifecycleScopedRelationship" => {
                relation(item, &mut graph, &mut roots)?;
            }
            "SpdxDocument" | "Bom" | "software_Sbom" => {
                let all = item.items_at("rootElement")?.iter();
                roots.extend(all.filter_map(Node::text));
                for (name, value) in told(item)? {
                    if name == properties::GAP {
                        bill.told_gap(value, item.line);
                    }
                }
            }
            "" => {
                let cause = "an element without a type".to_owned();
                bill.facts
                    .malformed(&bill.path.clone(), Some(item.line), cause);
            }
            _ if kind.contains("://") => {
                let cause = "SPDX 3 with types that are whole addresses";
                return Err(ParseError::unknown_format(Some(item.line), cause));
            }
            // Agents that packages are supplied by; of the rest nothing is asked.
            _ => {
                let id = item.text_at("spdxId").zip(item.text_at("name"));
                names.extend(id);
            }
        }
    }
    let packages = elements.iter();
    for item in packages.filter(|item| item.text_at("type") == Some("software_Package")) {
        let id = item.text_at("spdxId").unwrap_or_default();
        let name = item.text_at("name").unwrap_or_default();
        let purpose = item.text_at("software_primaryPurpose").unwrap_or_default();
        let version = item.text_at("software_packageVersion");
        let is_root = roots.contains(&id);
        let told = told(item)?;
        bill.target(told.iter().copied());
        let purls = purls(item)?;
        if purls.is_empty() {
            if purpose == "operatingSystem" {
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
                let supplier = item.text_at("suppliedBy").and_then(|id| names.get(id));
                supplied(&mut package, supplier.copied());
                describe(item, &told, &mut package)?;
                graph.add(id, package, item.line);
            }
        }
    }
    graph.close(bill);
    Ok(())
}

fn relation<'n>(
    item: &'n Node<'_>,
    graph: &mut Graph<'n>,
    roots: &mut Vec<&'n str>,
) -> Result<(), ParseError> {
    let Some(from) = item.text_at("from") else {
        return Ok(()); // half a relation says nothing
    };
    let to = item.items_at("to")?.iter().filter_map(Node::text);
    let kind = item.text_at("relationshipType").unwrap_or_default();
    let scope = match item.text_at("scope") {
        Some("runtime") => Some(Scope::Runtime),
        Some("build") => Some(Scope::Build),
        Some("development" | "test") => Some(Scope::Dev),
        _ => None,
    };
    let scope = match kind {
        "dependsOn" | "hasPrerequisite" | "hasStaticLink" | "hasDynamicLink" => scope,
        "hasOptionalDependency" => scope.or(Some(Scope::Optional)),
        "hasProvidedDependency" => scope.or(Some(Scope::Peer)),
        "describes" => {
            roots.extend(to);
            return Ok(());
        }
        // Files, licences, agents.
        _ => return Ok(()),
    };
    let edges = graph.edges.entry(from).or_default();
    edges.extend(to.map(|to| Edge { to, scope }));
    Ok(())
}

/// The package URLs of a package, each once: its own field, and identifiers of that type.
fn purls<'n>(item: &'n Node<'_>) -> Result<Vec<&'n str>, ParseError> {
    let mut purls: Vec<&str> = item.text_at("software_packageUrl").into_iter().collect();
    for one in item.items_at("externalIdentifier")? {
        let is_purl = one.text_at("externalIdentifierType") == Some("packageUrl");
        let purl = one.text_at("identifier").filter(|_| is_purl);
        purls.extend(purl.filter(|purl| !purls.contains(purl)));
    }
    Ok(purls)
}

/// The properties of an element.
fn told<'n>(item: &'n Node<'_>) -> Result<Vec<(&'n str, &'n str)>, ParseError> {
    let mut all = Vec::new();
    for one in item.items_at("extension")? {
        for entry in one.items_at("extension_cdxProperty")? {
            let name = entry.text_at("extension_cdxPropName");
            all.extend(name.zip(entry.text_at("extension_cdxPropValue")));
        }
    }
    Ok(all)
}

fn describe(
    item: &Node<'_>,
    told: &[(&str, &str)],
    package: &mut Package,
) -> Result<(), ParseError> {
    for one in item.items_at("verifiedUsing")? {
        let algorithm = one.text_at("algorithm").and_then(Algorithm::of);
        let value = one.text_at("hashValue").unwrap_or_default();
        let checksum = algorithm.and_then(|algorithm| Checksum::hexadecimal(algorithm, value));
        package.checksums.extend(checksum);
    }
    let mut all = Told::default();
    for (name, value) in told {
        all.take(package, name, value);
    }
    all.finish(package);
    Ok(())
}
