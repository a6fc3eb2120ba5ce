//! CycloneDX 1.4 to 1.6 as JSON: `vulnerabilities` with an analysis, and the components or
//! BOM-Links they affect. Vulnerabilities without an analysis are no statements.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::json::nullable;
use super::limits::MAX_PRODUCTS;
use super::versions::VersionRule;
use super::{Component, Product, Statement, Status, VexError, limit, timestamp};
use crate::model::purl;

#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(rename = "serialNumber", default, deserialize_with = "nullable")]
    serial: String,
    #[serde(default, deserialize_with = "nullable")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "nullable")]
    components: Vec<RawComponent>,
    #[serde(default, deserialize_with = "nullable")]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    component: Option<RawComponent>,
}

/// Nesting is bounded by the JSON reader.
#[derive(Deserialize)]
struct RawComponent {
    #[serde(rename = "bom-ref", default, deserialize_with = "nullable")]
    bom_ref: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    cpe: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    components: Vec<Self>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default, deserialize_with = "nullable")]
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    references: Vec<Reference>,
    #[serde(default)]
    updated: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    analysis: Analysis,
    #[serde(default, deserialize_with = "nullable")]
    affects: Vec<Affected>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default, deserialize_with = "nullable")]
    id: String,
}

#[derive(Default, Deserialize)]
struct Analysis {
    #[serde(default, deserialize_with = "nullable")]
    state: String,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(rename = "firstIssued", default)]
    first_issued: Option<String>,
    #[serde(rename = "lastUpdated", default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default, deserialize_with = "nullable")]
    versions: Vec<AffectedVersion>,
}

#[derive(Deserialize)]
struct AffectedVersion {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    range: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

pub(super) fn read(document: &Document, path: &str) -> Result<Vec<Statement>, VexError> {
    let source: Arc<str> = Arc::from(path);
    let issued = document.metadata.timestamp.as_deref();
    let issued = timestamp(issued, path, || "/metadata/timestamp".to_owned())?;
    let bom = Bom::of(document);
    let mut statements = Vec::new();
    let mut count = 0usize;
    for (index, vulnerability) in document.vulnerabilities.iter().enumerate() {
        let pointer = format!("/vulnerabilities/{index}");
        let analysis = &vulnerability.analysis;
        let state = state(&analysis.state, path, &pointer)?;
        let mut said = None;
        for (key, text) in [
            ("analysis/lastUpdated", &analysis.last_updated),
            ("analysis/firstIssued", &analysis.first_issued),
            ("updated", &vulnerability.updated),
        ] {
            let read = timestamp(text.as_deref(), path, || format!("{pointer}/{key}"))?;
            said = said.or(read);
        }
        let mut by_status: BTreeMap<(Status, bool), Vec<Product>> = BTreeMap::new();
        for affected in &vulnerability.affects {
            count = count
                .saturating_add(1)
                .saturating_add(affected.versions.len());
            limit(count, MAX_PRODUCTS, "products", path)?;
            for (status, own, rules) in by_version(affected, state) {
                let product = bom.product(&affected.reference, rules);
                by_status.entry((status, own)).or_default().push(product);
            }
        }
        let ids: Vec<String> = std::iter::once(&vulnerability.id)
            .chain(
                vulnerability
                    .references
                    .iter()
                    .map(|reference| &reference.id),
            )
            .filter(|id| !id.is_empty())
            .cloned()
            .collect();
        // What the analysis itself says of no product is told as unmatched.
        if let (Some(status), true) = (state, vulnerability.affects.is_empty()) {
            by_status.insert((status, true), Vec::new());
        }
        for ((status, own), products) in by_status {
            let why = |text: &Option<String>| text.clone().filter(|text| own && !text.is_empty());
            statements.push(Statement {
                source: source.clone(),
                pointer: pointer.clone(),
                ids: ids.clone(),
                status,
                justification: why(&analysis.justification),
                impact: why(&analysis.detail),
                timestamp: said.or(issued),
                products,
                sole_product: false,
                target: None,
            });
        }
    }
    Ok(statements)
}

/// `analysis.state`; absent: no analysis.
fn state(text: &str, path: &str, pointer: &str) -> Result<Option<Status>, VexError> {
    Ok(Some(match text {
        "" => return Ok(None),
        "resolved" | "resolved_with_pedigree" => Status::Fixed,
        "exploitable" => Status::Affected,
        "in_triage" => Status::UnderInvestigation,
        "false_positive" | "not_affected" => Status::NotAffected,
        other => {
            return Err(VexError::Invalid {
                path: path.to_owned(),
                pointer: format!("{pointer}/analysis/state"),
                cause: format!("{other:?} is not a state"),
            });
        }
    }))
}

/// The versions of one product by status; the flag tells whether it is the analysis' status.
fn by_version(affected: &Affected, state: Option<Status>) -> Vec<(Status, bool, Vec<VersionRule>)> {
    if affected.versions.is_empty() {
        return state
            .map(|status| (status, true, Vec::new()))
            .into_iter()
            .collect();
    }
    let mut groups: BTreeMap<(Status, bool), Vec<VersionRule>> = BTreeMap::new();
    for entry in &affected.versions {
        let key = match entry.status.as_deref() {
            None => state.map(|status| (status, true)),
            Some("unaffected") => Some((Status::NotAffected, false)),
            Some("affected") => Some((Status::Affected, false)),
            Some(_) => Some((Status::UnderInvestigation, false)),
        };
        let rule = match (&entry.version, &entry.range) {
            (Some(version), _) => VersionRule::Exact(version.clone()),
            (None, Some(range)) => VersionRule::range(range),
            (None, None) => VersionRule::Unreadable(String::new()),
        };
        if let Some(key) = key {
            groups.entry(key).or_default().push(rule);
        }
    }
    groups
        .into_iter()
        .map(|((status, own), rules)| (status, own, rules))
        .collect()
}

/// The components of the document by reference.
struct Bom<'a> {
    serial: &'a str,
    by_ref: BTreeMap<&'a str, Component>,
    /// The image that the document is about, if it is one.
    image: Option<Component>,
}

impl<'a> Bom<'a> {
    fn of(document: &'a Document) -> Self {
        let mut by_ref = BTreeMap::new();
        let root = document.metadata.component.as_ref();
        for raw in root.into_iter().chain(&document.components) {
            add(&mut by_ref, raw);
        }
        let image = root.map(component).filter(|root| {
            root.purls
                .iter()
                .any(|purl| matches!(purl.kind.as_str(), "oci" | "docker"))
        });
        Self {
            serial: &document.serial,
            by_ref,
            image,
        }
    }

    /// What a reference stands for, limited to the versions of `rules` if there are any.
    fn product(&self, reference: &str, rules: Vec<VersionRule>) -> Product {
        let mut component = self.component(reference);
        if !rules.is_empty() {
            // The component in the document is but one of the versions spoken of.
            for purl in &mut component.purls {
                purl.version = None;
            }
            component.versions = rules;
        }
        match &self.image {
            Some(image) if image.label != component.label => Product {
                component: image.clone(),
                parts: vec![component],
            },
            _ => Product {
                component,
                parts: Vec::new(),
            },
        }
    }

    /// A `bom-ref` of this document, a BOM-Link (`urn:cdx:serial/version#bom-ref`) or a package
    /// URL. A BOM-Link into another document stands for what its `bom-ref` says, which is a
    /// package URL by habit.
    fn component(&self, reference: &str) -> Component {
        if let Some(component) = self.by_ref.get(reference) {
            return component.clone();
        }
        let Some(link) = reference.strip_prefix("urn:cdx:") else {
            return Component::of_id(reference);
        };
        let (document, fragment) = link.split_once('#').unwrap_or((link, ""));
        let serial = document.split('/').next().unwrap_or_default();
        let own = self
            .serial
            .strip_prefix("urn:uuid:")
            .is_some_and(|own| own == serial);
        let decoded = purl::decode(fragment).unwrap_or_default();
        for bom_ref in [decoded.as_str(), fragment] {
            if let Some(component) = self.by_ref.get(bom_ref).filter(|_| own) {
                return component.clone();
            }
        }
        let mut component = Component::of_id(&decoded);
        if component.purls.is_empty() {
            component = Component::of_id(fragment);
        }
        reference.clone_into(&mut component.label);
        component
    }
}

fn add<'a>(by_ref: &mut BTreeMap<&'a str, Component>, raw: &'a RawComponent) {
    if !raw.bom_ref.is_empty() {
        by_ref.insert(&raw.bom_ref, component(raw));
    }
    for inner in &raw.components {
        add(by_ref, inner);
    }
}

fn component(raw: &RawComponent) -> Component {
    Component {
        label: raw.purl.clone().unwrap_or_else(|| raw.name.clone()),
        purls: raw
            .purl
            .iter()
            .filter_map(|purl| purl.parse().ok())
            .collect(),
        cpe: raw.cpe.clone(),
        versions: Vec::new(),
    }
}
