//! Writes a report's suppressed vulnerabilities as OpenVEX 0.2.0. Deterministic: the id is a
//! digest of the content and the only time is the report's date. Leaves out what is suppressed
//! in one place of a product only, since a statement would speak of all places.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Status, identity, product};
use crate::model::finding::{Finding, FindingKind};
use crate::model::package::Package;
use crate::model::purl::Purl;
use crate::model::report::{Report, Target};
use crate::model::suppression::Suppression;
use crate::output::serial;

/// The justification labels of OpenVEX, "Status Justifications".
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// CycloneDX's labels that mean one of OpenVEX's.
const TRANSLATED: [(&str, &str); 3] = [
    ("code_not_present", "vulnerable_code_not_present"),
    ("code_not_reachable", "vulnerable_code_not_in_execute_path"),
    (
        "protected_by_mitigating_control",
        "inline_mitigations_already_exist",
    ),
];

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: &'a str,
    timestamp: &'a str,
    version: u32,
    tooling: &'static str,
    statements: &'a [Statement<'a>],
}

#[derive(Serialize)]
struct Statement<'a> {
    vulnerability: Vulnerability<'a>,
    timestamp: &'a str,
    products: Vec<Product>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
    #[serde(rename = "impact_statement", skip_serializing_if = "Option::is_none")]
    impact: Option<String>,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aliases: &'a [String],
}

#[derive(Serialize)]
struct Product {
    #[serde(rename = "@id")]
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Subcomponent>,
}

#[derive(Serialize)]
struct Subcomponent {
    #[serde(rename = "@id")]
    id: String,
}

/// Vulnerability, image (empty if there is none) and package.
type Spot<'a> = (&'a str, String, String);

/// What is said in one statement: vulnerability, status, justification, impact statement.
type Said<'a> = (&'a str, Status, Option<String>, Option<String>);

/// Writes the suppressed findings. In an image of known digest the product is the image and the
/// package its subcomponent; elsewhere, where the product has no package URL, it is the package.
pub fn write_openvex(report: &Report, author: &str, out: &mut dyn Write) -> io::Result<()> {
    let timestamp = format!("{}T00:00:00Z", report.date);
    let mut counted: BTreeSet<Spot<'_>> = BTreeSet::new();
    for (finding, package) in
        vulnerabilities(report).filter(|(finding, _)| finding.suppressed.is_none())
    {
        if let Some((rule, image, package)) = place(report, finding, package) {
            // A statement about the package alone would speak of it inside an image, too.
            counted.insert((rule, String::new(), package.clone()));
            counted.insert((rule, image, package));
        }
    }
    let mut aliases: BTreeMap<&str, &[String]> = BTreeMap::new();
    let mut said: BTreeMap<Said<'_>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (finding, package) in vulnerabilities(report) {
        let Some(by) = &finding.suppressed else {
            continue;
        };
        let Some(place) = place(report, finding, package) else {
            continue;
        };
        if counted.contains(&place) {
            continue;
        }
        aliases.entry(&finding.rule).or_insert(&finding.aliases);
        let (status, justification, impact) = explain(by);
        let products = said
            .entry((&finding.rule, status, justification, impact))
            .or_default();
        products.entry(place.1).or_default().insert(place.2);
    }
    let statements: Vec<Statement<'_>> = said
        .into_iter()
        .map(
            |((name, status, justification, impact), products)| Statement {
                vulnerability: Vulnerability {
                    name,
                    aliases: aliases.get(name).copied().unwrap_or_default(),
                },
                timestamp: &timestamp,
                products: products.into_iter().flat_map(listed).collect(),
                status: status.as_str(),
                justification,
                impact,
            },
        )
        .collect();
    let document = Document {
        context: "https://openvex.dev/ns/v0.2.0",
        id: id(author, &timestamp, &statements)?,
        author,
        timestamp: &timestamp,
        version: 1,
        tooling: "portcullis",
        statements: &statements,
    };
    serial::write_pretty(&document, out)
}

fn vulnerabilities(report: &Report) -> impl Iterator<Item = (&Finding, &Package)> {
    report
        .findings
        .iter()
        .filter_map(|finding| match &finding.kind {
            FindingKind::Vulnerability(found) => Some((finding, &*found.package)),
            FindingKind::Misconfiguration(_) | FindingKind::EndOfLife(_) => None,
        })
}

/// `None` for a package without a name, of which nothing can be said.
fn place<'a>(report: &Report, finding: &'a Finding, package: &Package) -> Option<Spot<'a>> {
    let image = report.targets.get(finding.target).and_then(image);
    Some((
        &*finding.rule,
        image.map(|purl| purl.to_string()).unwrap_or_default(),
        identity::purl_of(package)?.to_string(),
    ))
}

/// The package URL of an image, by purl-spec's type `oci`.
fn image(target: &Target) -> Option<Purl> {
    let digest = target.digest.clone()?;
    let arch = target
        .platform
        .as_deref()
        .and_then(|platform| platform.split('/').nth(1));
    Some(Purl {
        kind: "oci".to_owned(),
        namespace: None,
        name: product::name(target).unwrap_or("image").to_lowercase(),
        version: Some(digest),
        qualifiers: arch
            .map(|arch| ("arch".to_owned(), arch.to_owned()))
            .into_iter()
            .collect(),
        subpath: None,
    })
}

fn listed((image, packages): (String, BTreeSet<String>)) -> Vec<Product> {
    if image.is_empty() {
        let alone = |id| Product {
            id,
            subcomponents: Vec::new(),
        };
        return packages.into_iter().map(alone).collect();
    }
    vec![Product {
        id: image,
        subcomponents: packages.into_iter().map(|id| Subcomponent { id }).collect(),
    }]
}

/// Status, justification and impact statement of a suppression. Only `not_affected` has the
/// latter two, and needs one of them.
fn explain(by: &Suppression) -> (Status, Option<String>, Option<String>) {
    if by.status == Status::Fixed {
        return (Status::Fixed, None, None);
    }
    let label = by.justification.as_deref().map(|label| {
        let translated = TRANSLATED.iter().find(|(from, _)| *from == label);
        translated.map_or(label, |(_, to)| *to)
    });
    let known = label.filter(|label| JUSTIFICATIONS.contains(label));
    let impact = match (label, known, by.reason.as_deref()) {
        (Some(label), None, Some(impact)) => Some(format!("{label}: {impact}")),
        (Some(label), None, None) => Some(label.to_owned()),
        (None, _, None) => Some("no justification was given".to_owned()),
        (_, _, impact) => impact.map(str::to_owned),
    };
    (by.status, known.map(str::to_owned), impact)
}

fn id(author: &str, timestamp: &str, statements: &[Statement<'_>]) -> io::Result<String> {
    let content = serde_json::to_vec(&(author, timestamp, statements))?;
    let digest = hex::encode(Sha256::digest(&content));
    Ok(format!("https://openvex.dev/docs/public/vex-{digest}"))
}
