//! CSAF 2.0 (docs.oasis-open.org/csaf/csaf/v2.0), the VEX profile (4.5) and every other profile
//! with a product status; of 2.1 what both have in common and its list of package URLs. A product that is a component of another one (3.2.2.4) becomes a part;
//! versions that only a branch names limit the product.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::json::nullable;
use super::limits::{MAX_PRODUCTS, MAX_RELATIONSHIPS};
use super::versions::VersionRule;
use super::{Component, Product, Statement, Status, VexError, limit, timestamp};

#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(rename = "document")]
    meta: Meta,
    #[serde(default, deserialize_with = "nullable")]
    product_tree: Tree,
    #[serde(default, deserialize_with = "nullable")]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default, deserialize_with = "nullable")]
    tracking: Tracking,
}

#[derive(Default, Deserialize)]
struct Tracking {
    #[serde(default)]
    current_release_date: Option<String>,
}

#[derive(Default, Deserialize)]
struct Tree {
    #[serde(default, deserialize_with = "nullable")]
    branches: Vec<Branch>,
    #[serde(default, deserialize_with = "nullable")]
    full_product_names: Vec<FullName>,
    #[serde(default, deserialize_with = "nullable")]
    relationships: Vec<Relationship>,
    #[serde(default, deserialize_with = "nullable")]
    product_groups: Vec<Group>,
}

/// 3.1.2; nesting is bounded by the JSON reader.
#[derive(Deserialize)]
struct Branch {
    #[serde(default, deserialize_with = "nullable")]
    category: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    branches: Vec<Self>,
    #[serde(default)]
    product: Option<FullName>,
}

/// 3.1.3.
#[derive(Deserialize)]
struct FullName {
    product_id: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    product_identification_helper: Helper,
}

#[derive(Default, Deserialize)]
struct Helper {
    #[serde(default)]
    purl: Option<String>,
    /// In place of `purl` since 2.1.
    #[serde(default, deserialize_with = "nullable")]
    purls: Vec<String>,
    #[serde(default)]
    cpe: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    full_product_name: FullName,
    product_reference: String,
    relates_to_product_reference: String,
}

#[derive(Deserialize)]
struct Group {
    group_id: String,
    #[serde(default, deserialize_with = "nullable")]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    cve: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    ids: Vec<Id>,
    #[serde(default, deserialize_with = "nullable")]
    product_status: ProductStatus,
    #[serde(default, deserialize_with = "nullable")]
    flags: Vec<Remark>,
    #[serde(default, deserialize_with = "nullable")]
    threats: Vec<Remark>,
}

#[derive(Deserialize)]
struct Id {
    text: String,
}

/// 3.2.3.9. `recommended` says nothing of the vulnerability.
#[derive(Default, Deserialize)]
struct ProductStatus {
    #[serde(default, deserialize_with = "nullable")]
    known_not_affected: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    first_fixed: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    fixed: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    first_affected: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    known_affected: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    last_affected: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    under_investigation: Vec<String>,
}

/// A flag (3.2.3.5, with a label) or a threat (3.2.3.14, with category and details).
#[derive(Deserialize)]
struct Remark {
    #[serde(default, deserialize_with = "nullable")]
    label: String,
    #[serde(default, deserialize_with = "nullable")]
    category: String,
    #[serde(default, deserialize_with = "nullable")]
    details: String,
    #[serde(default, deserialize_with = "nullable")]
    product_ids: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    group_ids: Vec<String>,
}

impl ProductStatus {
    /// Within one document all is said at the same time and the last counts, so what does not
    /// suppress comes last: a product in two lists is not suppressed.
    fn lists(&self) -> [(&'static str, Status, &[String]); 7] {
        [
            (
                "known_not_affected",
                Status::NotAffected,
                &self.known_not_affected,
            ),
            ("first_fixed", Status::Fixed, &self.first_fixed),
            ("fixed", Status::Fixed, &self.fixed),
            ("first_affected", Status::Affected, &self.first_affected),
            ("known_affected", Status::Affected, &self.known_affected),
            ("last_affected", Status::Affected, &self.last_affected),
            (
                "under_investigation",
                Status::UnderInvestigation,
                &self.under_investigation,
            ),
        ]
    }
}

/// A product of the tree.
enum Node<'a> {
    Plain(Component),
    /// Part, whole, and what the relationship itself is identified by.
    Related(&'a str, &'a str, Component),
}

/// Everything that ids stand for.
struct Names<'a> {
    nodes: BTreeMap<&'a str, Node<'a>>,
    groups: BTreeMap<&'a str, &'a [String]>,
}

pub(super) fn read(document: &Document, path: &str) -> Result<Vec<Statement>, VexError> {
    let source: Arc<str> = Arc::from(path);
    let date = document.meta.tracking.current_release_date.as_deref();
    let date = timestamp(date, path, || {
        "/document/tracking/current_release_date".to_owned()
    })?;
    let names = Names::of(&document.product_tree);
    let mut statements = Vec::new();
    let mut count = 0usize;
    for (index, vulnerability) in document.vulnerabilities.iter().enumerate() {
        let pointer = format!("/vulnerabilities/{index}");
        let ids: Vec<String> = vulnerability
            .cve
            .iter()
            .chain(vulnerability.ids.iter().map(|id| &id.text))
            .filter(|id| !id.is_empty())
            .cloned()
            .collect();
        let labels = names.by_product(
            &vulnerability.flags,
            |flag| Some(&flag.label),
            &mut count,
            path,
        )?;
        let impacts = names.by_product(
            &vulnerability.threats,
            |threat| (threat.category == "impact").then_some(threat.details.as_str()),
            &mut count,
            path,
        )?;
        for (list, status, products) in vulnerability.product_status.lists() {
            let pointer = format!("{pointer}/product_status/{list}");
            count = count.saturating_add(products.len());
            limit(count, MAX_PRODUCTS, "products", path)?;
            // One statement for all products of which the same is said.
            let mut alike: BTreeMap<(Option<&str>, Option<&str>), Vec<Product>> = BTreeMap::new();
            for id in products {
                let label = labels.get(id.as_str()).or_else(|| labels.get("")).copied();
                let impact = impacts
                    .get(id.as_str())
                    .or_else(|| impacts.get(""))
                    .copied();
                alike
                    .entry((label, impact))
                    .or_default()
                    .push(names.product(id, 0));
            }
            for ((label, impact), products) in alike {
                statements.push(Statement {
                    source: source.clone(),
                    pointer: pointer.clone(),
                    ids: ids.clone(),
                    status,
                    justification: label.map(str::to_owned),
                    impact: impact.map(str::to_owned),
                    timestamp: date,
                    products,
                    sole_product: false,
                    target: None,
                });
            }
        }
    }
    Ok(statements)
}

impl<'a> Names<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut nodes = BTreeMap::new();
        for branch in &tree.branches {
            add_branch(&mut nodes, branch, None);
        }
        for name in &tree.full_product_names {
            nodes.insert(name.product_id.as_str(), Node::Plain(component(name, None)));
        }
        for relation in &tree.relationships {
            let own = component(&relation.full_product_name, None);
            nodes.insert(
                relation.full_product_name.product_id.as_str(),
                Node::Related(
                    &relation.product_reference,
                    &relation.relates_to_product_reference,
                    own,
                ),
            );
        }
        let groups = tree
            .product_groups
            .iter()
            .map(|group| (group.group_id.as_str(), group.product_ids.as_slice()))
            .collect();
        Self { nodes, groups }
    }

    /// What an id stands for. An id that the tree does not have identifies nothing.
    fn product(&self, id: &str, depth: usize) -> Product {
        match self.nodes.get(id) {
            Some(Node::Plain(component)) => Product {
                component: component.clone(),
                parts: Vec::new(),
            },
            Some(Node::Related(part, whole, own)) if depth < MAX_RELATIONSHIPS => {
                let inner = self.product(part, depth + 1);
                let mut parts = inner.parts;
                if parts.is_empty() {
                    parts.push(inner.component);
                }
                if !own.purls.is_empty() {
                    parts.push(own.clone());
                }
                Product {
                    component: self.product(whole, depth + 1).component,
                    parts,
                }
            }
            _ => Product {
                component: Component {
                    label: id.to_owned(),
                    ..Component::default()
                },
                parts: Vec::new(),
            },
        }
    }

    /// What is remarked of each product; of all, under the empty id, if a remark names none.
    fn by_product<'b>(
        &self,
        remarks: &'b [Remark],
        text: impl Fn(&'b Remark) -> Option<&'b str>,
        count: &mut usize,
        path: &str,
    ) -> Result<BTreeMap<&'b str, &'b str>, VexError>
    where
        'a: 'b,
    {
        let mut texts = BTreeMap::new();
        for remark in remarks {
            let Some(text) = text(remark).filter(|text| !text.is_empty()) else {
                continue;
            };
            if remark.product_ids.is_empty() && remark.group_ids.is_empty() {
                texts.entry("").or_insert(text);
            }
            let grouped = remark
                .group_ids
                .iter()
                .filter_map(|group| self.groups.get(group.as_str()).copied());
            for ids in grouped.chain([remark.product_ids.as_slice()]) {
                *count = count.saturating_add(ids.len());
                limit(*count, MAX_PRODUCTS, "products", path)?;
                for id in ids {
                    texts.entry(id.as_str()).or_insert(text);
                }
            }
        }
        Ok(texts)
    }
}

fn add_branch<'a>(
    nodes: &mut BTreeMap<&'a str, Node<'a>>,
    branch: &'a Branch,
    outer: Option<(&str, &'a str)>,
) {
    let versions = match branch.category.as_str() {
        "product_version" | "product_version_range" => {
            Some((branch.category.as_str(), branch.name.as_str()))
        }
        _ => outer,
    };
    if let Some(name) = &branch.product {
        nodes.insert(
            name.product_id.as_str(),
            Node::Plain(component(name, versions)),
        );
    }
    for inner in &branch.branches {
        add_branch(nodes, inner, versions);
    }
}

/// A product; `versions` are category and name of the branch that names its version.
fn component(name: &FullName, versions: Option<(&str, &str)>) -> Component {
    let helper = &name.product_identification_helper;
    let purls = || helper.purl.iter().chain(&helper.purls);
    let mut component = Component {
        label: purls().next().unwrap_or(&name.name).clone(),
        purls: purls().filter_map(|purl| purl.parse().ok()).collect(),
        cpe: helper.cpe.clone(),
        versions: Vec::new(),
    };
    if component.label.is_empty() {
        component.label.clone_from(&name.product_id);
    }
    // Some vendors write the name of the package where its version belongs.
    let is_name = |text: &str| component.purls.iter().any(|purl| text.contains(&purl.name));
    component.versions = match versions {
        Some(("product_version_range", text)) => vec![VersionRule::range(text)],
        Some((_, text)) if !text.is_empty() && !is_name(text) => {
            vec![VersionRule::Exact(text.to_owned())]
        }
        _ => Vec::new(),
    };
    component
}
