//! CycloneDX (cyclonedx.org/docs/1.6/json): components, at any depth, and their edges. Our own
//! properties, and those by which Trivy names source packages, are understood.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::Node;

use super::Bill;
use crate::inventory::ParseError;
use crate::inventory::collect::shown;
use crate::model::location::{Layer, Location, Region};
use crate::model::package::{Package, Scope, SourcePackage};

/// Components within components.
const MAX_DEPTH: usize = 32;

/// Types of components that are no package of a package manager.
const OTHER: [&str; 7] = [
    "device",
    "firmware",
    "file",
    "machine-learning-model",
    "data",
    "container",
    "platform",
];

pub(super) fn read(document: &Node<'_>, bill: &mut Bill) -> Result<(), ParseError> {
    let version = document.text_at("specVersion").unwrap_or_default();
    if !version.starts_with("1.") {
        let cause = match version {
            "" => "CycloneDX without specVersion".to_owned(),
            version => format!("CycloneDX {} is not read: only 1", shown(version)),
        };
        return Err(ParseError::unknown_format(None, cause));
    }
    let mut found = Vec::new();
    components(document.items_at("components")?, 0, bill, &mut found)?;
    // Edges name references; a package names its dependencies.
    let names: BTreeMap<&str, String> = found
        .iter()
        .filter_map(|(reference, package, _)| {
            Some((
                (*reference)?,
                format!("{}@{}", package.name, package.version),
            ))
        })
        .collect();
    let mut edges: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
    for item in document.items_at("dependencies")? {
        let Some(reference) = item.text_at("ref") else {
            continue; // an edge from nowhere says nothing
        };
        let below = item.items_at("dependsOn")?.iter().filter_map(Node::text);
        let below = below.filter_map(|below| names.get(below).map(|name| Arc::from(name.as_str())));
        edges.entry(reference).or_default().extend(below);
    }
    let packages: Vec<(Package, u32)> = found
        .into_iter()
        .map(|(reference, mut package, line)| {
            let below = reference.and_then(|reference| edges.remove(reference));
            package.dependencies = below.unwrap_or_default();
            (package, line)
        })
        .collect();
    for (package, line) in packages {
        bill.add(package, line);
    }
    Ok(())
}

type Found<'n> = (Option<&'n str>, Package, u32);

fn components<'n>(
    items: &'n [Node<'_>],
    depth: usize,
    bill: &mut Bill,
    found: &mut Vec<Found<'n>>,
) -> Result<(), ParseError> {
    if depth > MAX_DEPTH {
        let cause = format!("more than {MAX_DEPTH} components within each other");
        return Err(ParseError::limit(None, cause));
    }
    for item in items {
        let kind = item.text_at("type").unwrap_or_default();
        let name = item.text_at("name").unwrap_or_default();
        match item.text_at("purl") {
            Some(purl) => {
                if let Some(mut package) = bill.package(purl, item.line) {
                    describe(item, &mut package);
                    found.push((item.text_at("bom-ref"), package, item.line));
                }
            }
            None if kind == "operating-system" => bill.found_in(name, item.text_at("version")),
            // Our own bills have the targets of a run as applications.
            None if OTHER.contains(&kind) || is_target(item) => {}
            None => bill.unnamed(item, name),
        }
        components(
            item.items_at("components")?,
            depth.saturating_add(1),
            bill,
            found,
        )?;
    }
    Ok(())
}

fn properties<'n>(item: &'n Node<'_>) -> impl Iterator<Item = (&'n str, &'n str)> {
    let all = item.get("properties").map_or(&[][..], Node::items);
    let named = |one: &'n Node<'_>| Some((one.text_at("name")?, one.text_at("value")?));
    all.iter().filter_map(named)
}

fn is_target(item: &Node<'_>) -> bool {
    properties(item).any(|(name, _)| name == "portcullis:target:kind")
}

/// What properties and evidence say of a package.
fn describe(item: &Node<'_>, package: &mut Package) {
    let (mut source, mut source_version, mut source_release) = (None, None, None);
    let mut layers: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for (name, value) in properties(item) {
        match name {
            "portcullis:package:source" => {
                if let Some((name, version)) = value.split_once(' ') {
                    (source, source_version) = (Some(name), Some(version.to_owned()));
                }
            }
            "aquasecurity:trivy:SrcName" => source = Some(value),
            "aquasecurity:trivy:SrcVersion" => source_version = Some(value.to_owned()),
            "aquasecurity:trivy:SrcRelease" => source_release = Some(value),
            "portcullis:package:owned-by" => package.owner = Some(value.into()),
            "portcullis:package:direct" => package.direct = Some(value == "true"),
            "portcullis:package:scope" => {
                let all = [
                    Scope::Runtime,
                    Scope::Optional,
                    Scope::Peer,
                    Scope::Build,
                    Scope::Dev,
                ];
                package.scope = all.into_iter().find(|scope| scope.as_str() == value);
            }
            "portcullis:package:candidate" => package.candidates.push(value.into()),
            "portcullis:layer:digest" => layers.push((value.into(), value.into())),
            "portcullis:layer:diff-id" => {
                if let Some((_, diff_id)) = layers.last_mut() {
                    *diff_id = value.into();
                }
            }
            _ => {}
        }
    }
    if let Some(name) = source {
        let version = source_version.unwrap_or_else(|| package.version.to_string());
        let version = match source_release {
            Some(release) => format!("{version}-{release}"),
            None => version,
        };
        package.source = Some(SourcePackage {
            name: name.into(),
            version: version.into(),
        });
    }
    let evidence = item.get("evidence");
    let occurrences = evidence.and_then(|evidence| evidence.get("occurrences"));
    let mut layers = layers.into_iter();
    for place in occurrences.map_or(&[][..], Node::items) {
        let Some(path) = place.text_at("location") else {
            continue; // no place is named
        };
        let number = |key: &str| place.get(key).and_then(Node::scalar)?.parse::<u32>().ok();
        let context = place.text_at("additionalContext").unwrap_or_default();
        let index = context
            .strip_prefix("layer ")
            .and_then(|rest| rest.split(' ').next());
        let index = index.and_then(|index| index.parse().ok());
        let layer = index.and_then(|index| {
            let (digest, diff_id) = layers.next()?;
            Some(Arc::new(Layer {
                index,
                digest,
                diff_id,
            }))
        });
        package.locations.push(Location {
            region: number("line").map(Region::line),
            layer,
            ..Location::file(path)
        });
    }
}
