//! VEX (Vulnerability Exploitability eXchange): reads OpenVEX, CSAF and CycloneDX documents into
//! one shape, applies their statements to a report, and writes a report's suppressions as
//! OpenVEX. A statement that does not surely speak of a finding does not suppress it, and every
//! statement that fitted nothing is told with the reason.

mod apply;
mod csaf;
mod cyclonedx;
mod error;
mod identity;
mod index;
mod json;
pub mod limits;
mod openvex;
mod product;
mod versions;
mod write;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

pub use apply::apply;
pub use error::VexError;
pub use write::write_openvex;

use crate::model::purl::Purl;
use versions::VersionRule;

pub use crate::model::suppression::Status;
use crate::named;

/// One statement of one document: vulnerability × products × status.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The document, as named by the user.
    pub source: Arc<str>,
    /// JSON pointer to the statement.
    pub pointer: String,
    /// Ids of the vulnerability; the first is the one to show.
    pub ids: Vec<String>,
    /// What it says.
    pub status: Status,
    /// Label that says why it is not affected.
    pub justification: Option<String>,
    /// The same in prose.
    pub impact: Option<String>,
    /// When it was said; `None` is older than any time.
    pub timestamp: Option<Timestamp>,
    /// What it speaks of.
    pub products: Vec<Product>,
    /// Whether all statements of its document speak of one and the same product, so that a user
    /// who gives the document for a target without a name of its own means that target.
    pub sole_product: bool,
    /// The only target that it can speak of, by its index: the document was attached to this image.
    /// What the user gives counts before it.
    pub target: Option<usize>,
}

/// A product, or parts of it.
#[derive(Clone, Debug)]
pub struct Product {
    /// The product.
    pub component: Component,
    /// The parts the statement speaks of; empty: the product itself.
    pub parts: Vec<Component>,
}

/// Something identified.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Id or name to show.
    pub label: String,
    /// Package URLs, any of which identifies it.
    pub purls: Vec<Purl>,
    /// CPE 2.2 or 2.3 name.
    pub cpe: Option<String>,
    /// Versions the statement is limited to, if the package URL has none; empty: all.
    pub versions: Vec<VersionRule>,
}

impl Component {
    /// A component known by its id alone, which may be a package URL.
    pub(crate) fn of_id(id: &str) -> Self {
        Self {
            label: id.to_owned(),
            purls: id.parse().into_iter().collect(),
            ..Self::default()
        }
    }
}

/// Reads a document from a file; the format is told by its content.
pub fn load(path: &Path) -> Result<Vec<Statement>, VexError> {
    let shown = shown(path);
    let unreadable = |source| VexError::Unreadable {
        path: shown.clone(),
        source,
    };
    let file = named::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits::MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    parse(&bytes, &shown)
}

/// Reads a document from memory; `path` is its name in errors and reasons.
pub fn parse(bytes: &[u8], path: &str) -> Result<Vec<Statement>, VexError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    json::check_size(bytes, path)?;
    let mut statements = match json::format(bytes, path)? {
        json::VexFormat::OpenVex => openvex::read(json::typed(bytes, path)?, path, ""),
        json::VexFormat::Attested => {
            let attested: openvex::Attestation = json::typed(bytes, path)?;
            openvex::read(attested.predicate, path, "/predicate")
        }
        json::VexFormat::Csaf => csaf::read(&json::typed(bytes, path)?, path),
        json::VexFormat::CycloneDx => cyclonedx::read(&json::typed(bytes, path)?, path),
    }?;
    limit(statements.len(), limits::MAX_STATEMENTS, "statements", path)?;
    mark_sole_product(&mut statements);
    Ok(statements)
}

/// The path as shown: as given if relative, else the file name.
fn shown(path: &Path) -> String {
    let name = path.file_name().filter(|_| path.is_absolute());
    let text = name.unwrap_or(path.as_os_str()).to_string_lossy();
    text.replace('\\', "/")
}

/// Refuses a count above its limit.
fn limit(count: usize, limit: usize, what: &'static str, path: &str) -> Result<(), VexError> {
    if count <= limit {
        return Ok(());
    }
    Err(VexError::Limit {
        path: path.to_owned(),
        what,
        limit: limit as u64,
    })
}

fn mark_sole_product(statements: &mut [Statement]) {
    let mut labels = statements
        .iter()
        .flat_map(|statement| &statement.products)
        .map(|product| &product.component.label);
    let first = labels.next();
    let sole = labels.all(|label| Some(label) == first);
    for statement in statements {
        statement.sole_product = sole;
    }
}

/// The time of a document: RFC 3339, or a date or time without zone, which is taken as UTC.
fn timestamp(
    text: Option<&str>,
    path: &str,
    pointer: impl FnOnce() -> String,
) -> Result<Option<Timestamp>, VexError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let zoned = text.parse::<Timestamp>().or_else(|error| {
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| error)?;
        Ok::<_, jiff::Error>(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
    });
    zoned.map(Some).map_err(|_| VexError::Invalid {
        path: path.to_owned(),
        pointer: pointer(),
        cause: format!("{text:?} is not a time"),
    })
}

#[cfg(test)]
mod tests;
