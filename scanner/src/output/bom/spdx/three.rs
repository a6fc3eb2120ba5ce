//! SPDX 3.0 as JSON-LD (spdx.github.io/spdx-spec/v3.0.1), in the compact form that its JSON schema
//! describes: one graph of elements, each with an id of its own, and relationships as elements. What
//! the model has no field for are properties of its extension for those of CycloneDX.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::super::{Item, gaps, items, put, time, uuid};
use crate::model::hash::Checksum;
use crate::model::report::{Report, Target};
use crate::output::serial;
use crate::properties::{self, Property};

/// The context that gives the short names their meaning.
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

/// The id of what is said of the making of all elements.
const CREATION: &str = "_:creation";

/// Writes the bill.
pub(in super::super::super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let items = items(report);
    let graph = Graph {
        namespace: format!(
            "https://spdx.org/spdxdocs/portcullis-{}#",
            uuid(report, &items)
        ),
    };
    serial::write(
        &json!({"@context": CONTEXT, "@graph": graph.elements(report, &items)}),
        out,
    )
}

struct Graph {
    /// What the ids of all elements begin with.
    namespace: String,
}

impl Graph {
    fn elements(&self, report: &Report, items: &[Item<'_>]) -> Vec<Value> {
        let mut elements = Vec::new();
        let targets: Vec<String> = (0..report.targets.len())
            .map(|number| self.numbered("target", number))
            .collect();
        for (target, id) in report.targets.iter().zip(&targets) {
            elements.push(target_element(target, id));
        }
        let ids: Vec<String> = (0..items.len())
            .map(|number| self.numbered("package", number))
            .collect();
        let vendors = self.vendors(items);
        elements.extend(vendors.iter().map(|(name, id)| {
            let mut vendor = element("Organization", id);
            put(&mut vendor, "name", *name);
            vendor
        }));
        for (item, id) in items.iter().zip(&ids) {
            elements.push(package(item, id, &vendors));
        }
        for (number, from) in targets.iter().enumerate() {
            let held = items.iter().zip(&ids);
            let held = held.filter(|(item, _)| item.target == number);
            let held: Vec<&str> = held.map(|(_, id)| id.as_str()).collect();
            let is_whole = super::super::is_whole(report, number);
            let completeness = if is_whole { "complete" } else { "incomplete" };
            let id = self.numbered("contains", number);
            elements.extend(relation(&id, from, "contains", &held, completeness));
        }
        let numbers = items.iter().zip(&ids);
        let by_reference: BTreeMap<&str, &str> = numbers
            .map(|(item, id)| (item.reference.as_str(), id.as_str()))
            .collect();
        for (number, (item, from)) in items.iter().zip(&ids).enumerate() {
            let below = item.depends_on.iter();
            let below = below.filter_map(|other| by_reference.get(other.as_str()).copied());
            let below: Vec<&str> = below.collect();
            let id = self.numbered("dependencies", number);
            // A file may know more of what it locks than it says.
            elements.extend(relation(&id, from, "dependsOn", &below, "noAssertion"));
        }
        let mut all = self.head(report, &targets, &elements);
        all.extend(elements);
        all
    }

    /// The document, the bill in it, and their maker. `below` is all that they hold.
    fn head(&self, report: &Report, targets: &[String], below: &[Value]) -> Vec<Value> {
        let (document, bill) = (self.id("document"), self.id("bill"));
        let (agent, tool) = (self.id("agent"), self.id("tool"));
        let creation = json!({
            "type": "CreationInfo",
            "@id": CREATION,
            "specVersion": "3.0.1",
            "created": time(report),
            "createdBy": [agent],
            "createdUsing": [tool],
        });
        let mut agent = element("SoftwareAgent", &agent);
        put(&mut agent, "name", env!("CARGO_PKG_NAME"));
        let mut tool = element("Tool", &tool);
        let name = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));
        put(&mut tool, "name", name);
        let below = below.iter().filter_map(|one| one.get("spdxId"));
        let below: Vec<&Value> = below.collect();
        let gaps = gaps(report);
        let comment = super::comment(report, &gaps);
        let gaps: Vec<Property> = gaps.into_iter().map(|gap| (properties::GAP, gap)).collect();
        let name = match report.targets.as_slice() {
            [target] => target.id.as_str(),
            _ => "scan",
        };
        let mut held = element("software_Sbom", &bill);
        put(&mut held, "software_sbomType", json!(["analyzed"]));
        put(&mut held, "profileConformance", json!(["core", "software"]));
        put(&mut held, "rootElement", json!(targets));
        put(&mut held, "element", json!(below));
        let mut whole = element("SpdxDocument", &document);
        put(&mut whole, "name", name);
        put(&mut whole, "comment", comment);
        put(
            &mut whole,
            "dataLicense",
            "https://spdx.org/licenses/CC0-1.0",
        );
        let profiles = json!(["core", "software", "extension"]);
        put(&mut whole, "profileConformance", profiles);
        put(&mut whole, "rootElement", json!([bill]));
        extend(&mut whole, &gaps);
        vec![creation, agent, tool, whole, held]
    }

    /// Who made packages, each with an id.
    fn vendors<'i>(&self, items: &[Item<'i>]) -> BTreeMap<&'i str, String> {
        let names = items
            .iter()
            .filter_map(|item| item.package.vendor.as_deref());
        let names: std::collections::BTreeSet<&str> = names.collect();
        let numbered = names.into_iter().enumerate();
        numbered
            .map(|(number, name)| (name, self.numbered("vendor", number)))
            .collect()
    }

    fn id(&self, name: &str) -> String {
        format!("{}{name}", self.namespace)
    }

    fn numbered(&self, name: &str, number: usize) -> String {
        format!("{}{name}-{number}", self.namespace)
    }
}

fn target_element(target: &Target, id: &str) -> Value {
    let mut package = element("software_Package", id);
    put(&mut package, "name", target.id.as_str());
    let purpose = if target.kind.is_image() {
        "container"
    } else {
        "source"
    };
    put(&mut package, "software_primaryPurpose", purpose);
    if let Some(digest) = &target.digest {
        put(&mut package, "software_packageVersion", digest.as_str());
        let own = Checksum::named(digest);
        verify(&mut package, own.iter());
    }
    extend(&mut package, &properties::of_target(target));
    package
}

fn package(item: &Item<'_>, id: &str, vendors: &BTreeMap<&str, String>) -> Value {
    let mut package = element("software_Package", id);
    put(&mut package, "name", &*item.package.name);
    let version = &*item.package.version;
    put(&mut package, "software_packageVersion", version);
    put(&mut package, "software_packageUrl", item.purl.as_str());
    put(&mut package, "software_sourceInfo", super::source(item));
    let vendor = item.package.vendor.as_deref();
    if let Some(vendor) = vendor.and_then(|vendor| vendors.get(vendor)) {
        put(&mut package, "suppliedBy", vendor.as_str());
    }
    let (own, _) = properties::checksums(item.package);
    verify(&mut package, own.into_iter());
    let mut all = item.properties();
    let places = item.package.locations.iter();
    all.extend(places.map(|place| (properties::LOCATION, properties::of_location(place))));
    extend(&mut package, &all);
    package
}

/// A relationship to at least one element.
fn relation(id: &str, from: &str, kind: &str, to: &[&str], completeness: &str) -> Option<Value> {
    if to.is_empty() {
        return None;
    }
    let mut relation = element("Relationship", id);
    put(&mut relation, "from", from);
    put(&mut relation, "relationshipType", kind);
    put(&mut relation, "to", json!(to));
    put(&mut relation, "completeness", completeness);
    Some(relation)
}

fn element(kind: &str, id: &str) -> Value {
    json!({"type": kind, "spdxId": id, "creationInfo": CREATION})
}

fn verify<'c>(package: &mut Value, checksums: impl Iterator<Item = &'c Checksum>) {
    let all = checksums.map(|one| {
        let algorithm = one.algorithm.as_str();
        json!({"type": "Hash", "algorithm": algorithm, "hashValue": &*one.value})
    });
    let all: Vec<Value> = all.collect();
    if !all.is_empty() {
        put(package, "verifiedUsing", all);
    }
}

fn extend(element: &mut Value, all: &[Property]) {
    if all.is_empty() {
        return;
    }
    let entries = all.iter().map(|(name, value)| {
        json!({
            "type": "extension_CdxPropertyEntry",
            "extension_cdxPropName": name,
            "extension_cdxPropValue": value,
        })
    });
    let extension = json!([{
        "type": "extension_CdxPropertiesExtension",
        "extension_cdxProperty": entries.collect::<Vec<_>>(),
    }]);
    put(element, "extension", extension);
}
