//! CycloneDX (cyclonedx.org/docs/1.7/json; JSON since 1.2): components, at any depth, and their edges. The
//! component that the bill is about counts as well, if its package URL says what it is. A bill that
//! calls itself incomplete is a gap.

use document::Node;

use super::graph::{Edge, Graph};
use super::{Bill, word};
use crate::inventory::ParseError;
use crate::inventory::collect::shown;
use crate::model::gap::GapKind;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::location::{Layer, Location, Region};
use crate::model::package::{Package, Scope};
use crate::properties::{self, Told};

/// Components within components.
const MAX_DEPTH: usize = 32;

/// Types of components that are no package of a package manager.
const OTHER: [&str; 9] = [
    "device",
    "device-driver",
    "firmware",
    "file",
    "machine-learning-model",
    "data",
    "container",
    "platform",
    "cryptographic-asset",
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
    let mut reader = Reader {
        graph: Graph::default(),
        bill,
    };
    for item in document.items_at("dependencies")? {
        let Some(reference) = item.text_at("ref") else {
            continue; // an edge from nowhere says nothing
        };
        let below = item.items_at("dependsOn")?.iter().filter_map(Node::text);
        let edges = below.map(|to| Edge { to, scope: None });
        reader
            .graph
            .edges
            .entry(reference)
            .or_default()
            .extend(edges);
    }
    if let Some(metadata) = document.get("metadata") {
        for (name, value) in properties(metadata) {
            if name == properties::GAP {
                reader.bill.told_gap(value, metadata.line);
            }
        }
        if let Some(about) = metadata.get("component") {
            reader.about(about)?;
        }
    }
    reader.components(document.items_at("components")?, 0)?;
    let Reader { graph, bill } = reader;
    graph.close(bill);
    incomplete(document, bill)
}

struct Reader<'n, 'b> {
    graph: Graph<'n>,
    bill: &'b mut Bill,
}

impl<'n> Reader<'n, '_> {
    /// What the bill is about: a target of ours, a project, or a package that somebody publishes.
    fn about(&mut self, item: &'n Node<'_>) -> Result<(), ParseError> {
        self.bill.target(properties(item));
        let kind = item.text_at("type").unwrap_or_default();
        let purl = item.text_at("purl").filter(|_| !OTHER.contains(&kind));
        if let Some(purl) = purl
            && let Some(mut package) = self.bill.root(purl, item.text_at("version"), item.line)
        {
            describe(item, &mut package);
            let reference = item.text_at("bom-ref").unwrap_or_default();
            self.graph.add(reference, package, item.line);
        }
        self.components(item.items_at("components")?, 1)
    }

    fn components(&mut self, items: &'n [Node<'_>], depth: usize) -> Result<(), ParseError> {
        if depth > MAX_DEPTH {
            let cause = format!("more than {MAX_DEPTH} components within each other");
            return Err(ParseError::limit(None, cause));
        }
        for item in items {
            let kind = item.text_at("type").unwrap_or_default();
            let name = item.text_at("name").unwrap_or_default();
            let version = item.text_at("version");
            match item.text_at("purl") {
                Some(purl) => {
                    if let Some(mut package) = self.bill.package(purl, version, item.line) {
                        describe(item, &mut package);
                        let reference = item.text_at("bom-ref").unwrap_or_default();
                        self.graph.add(reference, package, item.line);
                    }
                }
                None if kind == "operating-system" => self.bill.found_in(name, version),
                None if is_target(item) => self.bill.target(properties(item)),
                None if OTHER.contains(&kind) || self.is_group(item) => {}
                None => self.bill.unnamed(item, name),
            }
            self.components(item.items_at("components")?, depth.saturating_add(1))?;
        }
        Ok(())
    }

    /// Whether a component only holds others together: Trivy writes a lockfile as an application.
    fn is_group(&self, item: &Node<'_>) -> bool {
        let reference = item.text_at("bom-ref").unwrap_or_default();
        let has_edges = self
            .graph
            .edges
            .get(reference)
            .is_some_and(|all| !all.is_empty());
        let has_parts = item
            .get("components")
            .is_some_and(|all| !all.items().is_empty());
        item.text_at("type") == Some("application")
            && item.text_at("version").is_none_or(str::is_empty)
            && (has_edges || has_parts)
    }
}

/// Notes that a bill of others says of itself that it lacks components; our own say which.
fn incomplete(document: &Node<'_>, bill: &mut Bill) -> Result<(), ParseError> {
    for one in document.items_at("compositions")? {
        let aggregate = one.text_at("aggregate").unwrap_or_default();
        let has = |key: &str| one.get(key).is_some_and(|all| !all.items().is_empty());
        // Where only edges lack, every component is there.
        let is_of_edges = has("dependencies") && !has("assemblies");
        if aggregate.starts_with("incomplete") && !is_of_edges && !bill.has_told_gaps {
            let cause = format!("the bill calls its list of components {}", word(aggregate));
            let (path, line) = (bill.path.clone(), Some(one.line));
            bill.facts.unjudged(&path, line, GapKind::NotRead, cause);
            return Ok(());
        }
    }
    Ok(())
}

fn properties<'n>(item: &'n Node<'_>) -> impl Iterator<Item = (&'n str, &'n str)> {
    let all = item.get("properties").map_or(&[][..], Node::items);
    let named = |one: &'n Node<'_>| Some((one.text_at("name")?, one.text_at("value")?));
    all.iter().filter_map(named)
}

fn is_target(item: &Node<'_>) -> bool {
    properties(item).any(|(name, _)| name == properties::TARGET_KIND)
}

/// What fields, properties and evidence say of a package.
fn describe(item: &Node<'_>, package: &mut Package) {
    package.scope = match item.text_at("scope") {
        Some("required") => Some(Scope::Runtime),
        Some("optional") => Some(Scope::Optional),
        Some("excluded") => Some(Scope::Dev),
        _ => None,
    };
    let supplier = item.get("supplier");
    super::supplied(
        package,
        supplier.and_then(|supplier| supplier.text_at("name")),
    );
    let hashes = item.get("hashes").map_or(&[][..], Node::items).iter();
    package.checksums.extend(hashes.filter_map(|hash| {
        let algorithm = Algorithm::of(hash.text_at("alg")?)?;
        Checksum::hexadecimal(algorithm, hash.text_at("content")?)
    }));
    let mut told = Told::default();
    for (name, value) in properties(item) {
        told.take(package, name, value);
    }
    told.finish(package);
    let evidence = item.get("evidence");
    let occurrences = evidence.and_then(|evidence| evidence.get("occurrences"));
    let mut layers = told.layers.into_iter();
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
            Some(std::sync::Arc::new(Layer {
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
