//! SPDX 2.x (spdx.github.io/spdx-spec/v2.3): packages with their package URLs, and what they depend on.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::Node;

use super::Bill;
use crate::inventory::ParseError;
use crate::model::package::Package;

/// Purposes of what is no package of a package manager.
const OTHER: [&str; 2] = ["OPERATING-SYSTEM", "FILE"];

pub(super) fn read(document: &Node<'_>, bill: &mut Bill) -> Result<(), ParseError> {
    let relations = document.items_at("relationships")?;
    let described = relations.iter().filter_map(|one| {
        let is = one.text_at("relationshipType") == Some("DESCRIBES");
        one.text_at("relatedSpdxElement").filter(|_| is)
    });
    let listed = document.items_at("documentDescribes")?.iter();
    let described: Vec<&str> = described.chain(listed.filter_map(Node::text)).collect();
    let mut found: Vec<(&str, Package, u32)> = Vec::new();
    for item in document.items_at("packages")? {
        let id = item.text_at("SPDXID").unwrap_or_default();
        let purpose = item.text_at("primaryPackagePurpose").unwrap_or_default();
        let references = item.items_at("externalRefs")?.iter();
        let mut purls = references.filter_map(|one| {
            let is_purl = one.text_at("referenceType") == Some("purl");
            one.text_at("referenceLocator").filter(|_| is_purl)
        });
        match purls.next() {
            Some(purl) => {
                if let Some(package) = bill.package(purl, item.line) {
                    found.push((id, package, item.line));
                }
            }
            None if OTHER.contains(&purpose) || described.contains(&id) => {}
            None => bill.unnamed(item, item.text_at("name").unwrap_or_default()),
        }
    }
    let names: BTreeMap<&str, String> = found
        .iter()
        .map(|(id, package, _)| (*id, format!("{}@{}", package.name, package.version)))
        .collect();
    let mut edges: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
    for one in relations {
        let (Some(from), Some(to)) = (
            one.text_at("spdxElementId"),
            one.text_at("relatedSpdxElement"),
        ) else {
            continue; // half a relation says nothing
        };
        let (from, to) = match one.text_at("relationshipType") {
            Some("DEPENDS_ON") => (from, to),
            Some("DEPENDENCY_OF") => (to, from),
            _ => continue,
        };
        if let Some(name) = names.get(to) {
            edges.entry(from).or_default().push(name.as_str().into());
        }
    }
    let packages: Vec<(Package, u32)> = found
        .into_iter()
        .map(|(id, mut package, line)| {
            package.dependencies = edges.remove(id).unwrap_or_default();
            (package, line)
        })
        .collect();
    for (package, line) in packages {
        bill.add(package, line);
    }
    Ok(())
}
