//! OpenVEX 0.2.0 (github.com/openvex/spec, "OpenVEX Specification v0.2.0") as written by the
//! author or inside an in-toto statement; the string forms of 0.0.x are understood, too.

use std::sync::Arc;

use serde::Deserialize;

use super::json::{FromId, OrId, nullable};
use super::limits::MAX_PRODUCTS;
use super::{Component, Product, Statement, Status, VexError, limit, timestamp};

/// "The OpenVEX Data Structure": the document.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    statements: Vec<RawStatement>,
}

/// An in-toto statement (github.com/in-toto/attestation, `spec/v1/statement.md`).
#[derive(Deserialize)]
pub(super) struct Attestation {
    pub(super) predicate: Document,
}

#[derive(Deserialize)]
struct RawStatement {
    vulnerability: OrId<Vulnerability>,
    #[serde(default, deserialize_with = "nullable")]
    products: Vec<OrId<RawProduct>>,
    #[serde(default, deserialize_with = "nullable")]
    subcomponents: Vec<OrId<RawComponent>>,
    status: String,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    impact_statement: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(rename = "@id", default, deserialize_with = "nullable")]
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct RawProduct {
    #[serde(rename = "@id", default, deserialize_with = "nullable")]
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    identifiers: Identifiers,
    #[serde(default, deserialize_with = "nullable")]
    subcomponents: Vec<OrId<RawComponent>>,
}

#[derive(Deserialize)]
struct RawComponent {
    #[serde(rename = "@id", default, deserialize_with = "nullable")]
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    identifiers: Identifiers,
}

#[derive(Default, Deserialize)]
struct Identifiers {
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    cpe22: Option<String>,
    #[serde(default)]
    cpe23: Option<String>,
}

impl FromId for Vulnerability {
    fn from_id(name: String) -> Self {
        Self {
            id: String::new(),
            name,
            aliases: Vec::new(),
        }
    }
}

impl FromId for RawProduct {
    fn from_id(id: String) -> Self {
        Self {
            id,
            identifiers: Identifiers::default(),
            subcomponents: Vec::new(),
        }
    }
}

impl FromId for RawComponent {
    fn from_id(id: String) -> Self {
        Self {
            id,
            identifiers: Identifiers::default(),
        }
    }
}

/// The statements; `root` is the pointer to the document.
pub(super) fn read(document: Document, path: &str, root: &str) -> Result<Vec<Statement>, VexError> {
    let source: Arc<str> = Arc::from(path);
    let pointer = |key: &'static str| move || format!("{root}/{key}");
    let issued = timestamp(document.timestamp.as_deref(), path, pointer("timestamp"))?;
    let updated = timestamp(
        document.last_updated.as_deref(),
        path,
        pointer("last_updated"),
    )?;
    let mut statements = Vec::with_capacity(document.statements.len());
    let mut products = 0usize;
    for (index, raw) in document.statements.into_iter().enumerate() {
        let pointer = format!("{root}/statements/{index}");
        let at = |key: &'static str| {
            let pointer = &pointer;
            move || format!("{pointer}/{key}")
        };
        let status = status(&raw.status).ok_or_else(|| VexError::Invalid {
            path: path.to_owned(),
            pointer: at("status")(),
            cause: format!("{:?} is not a status", raw.status),
        })?;
        let ids = ids(raw.vulnerability.0);
        if ids.is_empty() {
            return Err(VexError::Invalid {
                path: path.to_owned(),
                pointer: at("vulnerability")(),
                cause: "the vulnerability has no name".to_owned(),
            });
        }
        // "Inheritance Flow": what a statement lacks, it takes from its document.
        let said = timestamp(raw.last_updated.as_deref(), path, at("last_updated"))?
            .or(timestamp(raw.timestamp.as_deref(), path, at("timestamp"))?)
            .or(updated)
            .or(issued);
        // Counted before anything is copied: shared subcomponents belong to every product.
        for OrId(product) in &raw.products {
            products = products
                .saturating_add(1)
                .saturating_add(product.subcomponents.len())
                .saturating_add(raw.subcomponents.len());
        }
        limit(products, MAX_PRODUCTS, "products", path)?;
        let shared: Vec<Component> = raw.subcomponents.iter().map(component).collect();
        let listed = raw
            .products
            .iter()
            .map(|OrId(raw)| product(raw, &shared))
            .collect();
        statements.push(Statement {
            source: source.clone(),
            pointer,
            ids,
            status,
            justification: raw.justification.filter(|text| !text.is_empty()),
            impact: raw.impact_statement.filter(|text| !text.is_empty()),
            timestamp: said,
            products: listed,
            sole_product: false,
            target: None,
        });
    }
    Ok(statements)
}

fn status(label: &str) -> Option<Status> {
    [
        Status::NotAffected,
        Status::Affected,
        Status::Fixed,
        Status::UnderInvestigation,
    ]
    .into_iter()
    .find(|status| status.as_str() == label)
}

/// Name, aliases, and the last segment of an `@id` that is a page such as
/// `https://nvd.nist.gov/vuln/detail/CVE-2023-12345`.
fn ids(vulnerability: Vulnerability) -> Vec<String> {
    let page = vulnerability.id.rsplit('/').next().unwrap_or_default();
    let mut ids = vec![vulnerability.name];
    ids.extend(vulnerability.aliases);
    ids.push(page.to_owned());
    ids.retain(|id| !id.is_empty());
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

fn product(raw: &RawProduct, shared: &[Component]) -> Product {
    let own = raw.subcomponents.iter().map(component);
    Product {
        component: identified(&raw.id, &raw.identifiers),
        parts: own.chain(shared.iter().cloned()).collect(),
    }
}

fn component(raw: &OrId<RawComponent>) -> Component {
    identified(&raw.0.id, &raw.0.identifiers)
}

fn identified(id: &str, identifiers: &Identifiers) -> Component {
    let mut component = Component::of_id(id);
    if let Some(purl) = &identifiers.purl {
        if component.label.is_empty() {
            component.label.clone_from(purl);
        }
        component.purls.extend(
            purl.parse()
                .ok()
                .filter(|purl| !component.purls.contains(purl)),
        );
    }
    component.cpe = identifiers
        .cpe23
        .clone()
        .or_else(|| identifiers.cpe22.clone());
    component
}
