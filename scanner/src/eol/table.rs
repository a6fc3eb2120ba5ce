//! The table of releases and when their support ends, as TOML: ours, or a file of the user's in its
//! place. What cannot be read is an error with its line; nothing of such a table counts.

use std::sync::Arc;

use document::Node;
use jiff::civil::Date;

use crate::model::facts::{Distribution, Runtime};

/// The table of this program.
const OURS: &str = include_str!("releases.toml");

/// Bytes of a table; ours has 20 KB.
pub const MAX_BYTES: u64 = 4 << 20;

/// Numbers of a version that can name a release.
const MAX_PARTS: usize = 4;

/// Why a table cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct TableError {
    /// 1-based.
    pub line: u32,
    /// One sentence.
    pub cause: String,
}

/// What a product is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductKind {
    /// A distribution: everything in it.
    Distribution,
    /// A runtime of a language.
    Runtime,
}

/// The last day of support of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// As its makers write it: `3.18`.
    pub cycle: Arc<str>,
    /// With security updates for everybody; `None` where no end has been announced.
    pub ends: Option<Arc<str>>,
    /// Of support that has to be bought.
    pub extended: Option<Arc<str>>,
}

/// A product with its releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Kebab-case: `alpine`.
    pub id: Arc<str>,
    /// As its makers write it.
    pub name: Arc<str>,
    /// What it is.
    pub kind: ProductKind,
    /// `ID` of its `os-release`, or the name of the runtime: any of them.
    ids: Vec<Arc<str>>,
    /// How its `PRETTY_NAME` begins, where an id alone does not tell it.
    named: Option<Arc<str>>,
    /// Who builds it, where several do; empty: anybody.
    makers: Vec<Arc<str>>,
    /// How many numbers of a version name a release.
    parts: usize,
    /// Where its makers publish the dates.
    pub page: Option<Arc<str>>,
    /// The name of support that has to be bought.
    pub extended: Option<Arc<str>>,
    releases: Vec<Release>,
}

/// All products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The day on which the dates were compared with what the makers publish.
    pub checked: Arc<str>,
    products: Vec<Product>,
}

impl Table {
    /// The table of this program.
    pub fn ours() -> Result<Self, TableError> {
        Self::parse(OURS)
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = document::toml(text).map_err(|error| TableError {
            line: error.line.unwrap_or(1),
            cause: error.cause,
        })?;
        let mut checked = None;
        let mut products = Vec::new();
        for entry in document.entries() {
            if entry.key == "checked" {
                checked = Some(date(&entry.node)?);
            } else if entry.node.is_table() {
                products.push(product(&entry.key, &entry.node)?);
            } else {
                let cause = format!(
                    "{} is neither a product nor the day of the table",
                    entry.key
                );
                return Err(fault(entry.line, cause));
            }
        }
        let Some(checked) = checked else {
            return Err(fault(1, "the table has no day (`checked`)"));
        };
        Ok(Self { checked, products })
    }

    /// The products that a distribution may be, the closest ones only.
    pub(super) fn of_distribution(&self, found: &Distribution) -> Vec<&Product> {
        let all = self.products.iter();
        let fits: Vec<&Product> = all
            .filter(|product| {
                product.kind == ProductKind::Distribution && product.is_called(&found.id)
            })
            .collect();
        let pretty = found.name.as_deref().unwrap_or_default();
        let is_named = |product: &&Product| {
            let named = product.named.as_deref();
            named.is_some_and(|named| pretty.starts_with(named))
        };
        let (named, others): (Vec<_>, Vec<_>) = fits.into_iter().partition(is_named);
        if !named.is_empty() {
            return named;
        }
        // Bills of materials and files of one line have no name: of one product alone the id says
        // enough.
        let enough = pretty.is_empty() && others.len() == 1;
        let others = others.into_iter();
        others
            .filter(|product| enough || product.named.is_none())
            .collect()
    }

    /// The products that a runtime may be.
    pub(super) fn of_runtime(&self, found: &Runtime) -> Vec<&Product> {
        let all = self.products.iter();
        all.filter(|product| {
            let made = product.makers.is_empty()
                || found
                    .maker
                    .as_ref()
                    .is_some_and(|maker| product.makers.contains(maker));
            product.kind == ProductKind::Runtime && product.is_called(&found.name) && made
        })
        .collect()
    }
}

impl Product {
    fn is_called(&self, id: &str) -> bool {
        self.ids.iter().any(|own| own.eq_ignore_ascii_case(id))
    }

    /// The release that a version is of.
    pub(super) fn release(&self, version: &str) -> Option<&Release> {
        let numbers = numbers(version, self.parts)?;
        let mut all = self.releases.iter();
        all.find(|release| self::numbers(&release.cycle, self.parts).as_ref() == Some(&numbers))
    }
}

/// The first numbers of a version, without zeros at the end; `None` for what is no release.
fn numbers(version: &str, parts: usize) -> Option<Vec<u64>> {
    let version = version.strip_prefix('v').unwrap_or(version);
    // `3.21_alpha20240807` comes before all releases that it could be named by.
    if ["_alpha", "_beta", "_pre", "_rc"]
        .iter()
        .any(|mark| version.contains(mark))
    {
        return None;
    }
    let mut numbers = Vec::new();
    for part in version.split('.').take(parts) {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let digits = part.get(..end)?;
        if digits.is_empty() {
            break;
        }
        numbers.push(digits.parse().ok()?);
        if end < part.len() {
            break;
        }
    }
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    (!numbers.is_empty()).then_some(numbers)
}

fn fault(line: u32, cause: impl Into<String>) -> TableError {
    TableError {
        line,
        cause: cause.into(),
    }
}

const KEYS: [&str; 9] = [
    "name",
    "kind",
    "os-release",
    "runtime",
    "named",
    "makers",
    "parts",
    "page",
    "extended",
];

fn product(id: &str, node: &Node<'_>) -> Result<Product, TableError> {
    for entry in node.entries() {
        if entry.key != "releases" && !KEYS.contains(&entry.key.as_ref()) {
            let cause = format!("{id}: the key {} is not known", entry.key);
            return Err(fault(entry.line, cause));
        }
    }
    let text = |key: &str| node.get(key).map(|node| self::text(node)).transpose();
    let needed = |key: &str| {
        let missing = || fault(node.line, format!("{id} has no {key}"));
        text(key)?.ok_or_else(missing)
    };
    let texts = |key: &str| match node.get(key) {
        None => Ok(Vec::new()),
        Some(list) => list.items().iter().map(self::text).collect(),
    };
    let (kind, ids) = match &*needed("kind")? {
        "distribution" => (ProductKind::Distribution, texts("os-release")?),
        "runtime" => (ProductKind::Runtime, text("runtime")?.into_iter().collect()),
        other => {
            let cause = format!("{id}: {other} is neither distribution nor runtime");
            return Err(fault(node.line, cause));
        }
    };
    if ids.is_empty() {
        let cause = format!("{id}: nothing says what it is called (`os-release` or `runtime`)");
        return Err(fault(node.line, cause));
    }
    let parts = node.get("parts").and_then(Node::scalar);
    let parts = parts.and_then(|parts| parts.parse().ok());
    let Some(parts) = parts.filter(|parts| (1..=MAX_PARTS).contains(parts)) else {
        let cause = format!("{id}: `parts` is not a number from 1 to {MAX_PARTS}");
        return Err(fault(node.line, cause));
    };
    let list = node.get("releases").map(Node::items).unwrap_or_default();
    let mut releases: Vec<Release> = Vec::new();
    for one in list {
        let one = release(id, one, parts)?;
        releases.push(one);
    }
    if releases.is_empty() {
        return Err(fault(node.line, format!("{id} has no releases")));
    }
    Ok(Product {
        id: id.into(),
        name: needed("name")?,
        kind,
        ids,
        named: text("named")?,
        makers: texts("makers")?,
        parts,
        page: text("page")?,
        extended: text("extended")?,
        releases,
    })
}

/// `["3.18", "2025-05-09"]`, with a second day for support that has to be bought.
fn release(id: &str, node: &Node<'_>, parts: usize) -> Result<Release, TableError> {
    let (cycle, ends, extended) = match node.items() {
        [cycle, ends] => (cycle, ends, None),
        [cycle, ends, extended] => (cycle, ends, Some(extended)),
        _ => {
            let cause = format!("{id}: a release is a list of its name and one or two days");
            return Err(fault(node.line, cause));
        }
    };
    let cycle = text(cycle)?;
    if numbers(&cycle, parts).is_none() {
        let cause = format!("{id}: {cycle} is not the name of a release");
        return Err(fault(node.line, cause));
    }
    let ends = match &*text(ends)? {
        "-" => None,
        _ => Some(date(ends)?),
    };
    let extended = extended.map(date).transpose()?;
    if ends.is_none() && extended.is_some() || extended < ends && extended.is_some() {
        let cause = format!("{id}: extended support of {cycle} ends before the support itself");
        return Err(fault(node.line, cause));
    }
    Ok(Release {
        cycle,
        ends,
        extended,
    })
}

fn text(node: &Node<'_>) -> Result<Arc<str>, TableError> {
    let text = node.text().filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| fault(node.line, "not a text"))?;
    Ok(text.into())
}

/// `2026-08-22`, as text or as TOML's own date.
fn date(node: &Node<'_>) -> Result<Arc<str>, TableError> {
    let text = node.scalar().unwrap_or_default();
    let is_day = text.len() == 10 && text.parse::<Date>().is_ok();
    if !is_day {
        let cause = format!("{text:?} is not a date: YYYY-MM-DD");
        return Err(fault(node.line, cause));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(id: &str, name: &str) -> Distribution {
        Distribution {
            id: id.into(),
            name: Some(name.into()),
            ..Distribution::default()
        }
    }

    #[test]
    fn our_table_can_be_read_and_is_sound() {
        let table = Table::ours().unwrap();
        assert!(table.products.len() > 25);
        for product in &table.products {
            let mut seen = Vec::new();
            for release in &product.releases {
                let numbers = numbers(&release.cycle, product.parts).unwrap();
                assert!(!seen.contains(&numbers), "{} {}", product.id, release.cycle);
                assert_eq!(product.release(&release.cycle), Some(release));
                let bought = release.extended.is_some();
                assert!(!bought || product.extended.is_some(), "{}", product.id);
                seen.push(numbers);
            }
            assert!(product.page.is_some(), "{}", product.id);
        }
    }

    #[test]
    fn a_version_names_its_release() {
        let table = Table::ours().unwrap();
        for (id, pretty, version, expected) in [
            ("alpine", "", "3.18.4", Some("alpine 3.18")),
            ("alpine", "", "3.1", Some("alpine 3.1")),
            ("alpine", "", "3.21_alpha20240807", None),
            ("debian", "", "10.13", Some("debian 10")),
            ("ubuntu", "", "24.04", Some("ubuntu 24.04")),
            ("sles", "", "15", Some("sles 15.0")),
            ("sles", "", "15.5", Some("sles 15.5")),
            ("amzn", "", "2", Some("amazon-linux 2")),
            ("amzn", "", "2018.03", Some("amazon-linux 2018.03")),
            ("centos", "CentOS Linux 8", "8", Some("centos 8")),
            ("centos", "CentOS Stream 8", "8", Some("centos-stream 8")),
            (
                "opensuse-leap",
                "openSUSE Leap 15.5",
                "15.5",
                Some("opensuse-leap 15.5"),
            ),
            ("opensuse", "openSUSE Tumbleweed", "42.3", None),
            ("wolfi", "", "20230201", None),
            ("debian", "", "99", None),
        ] {
            let products = table.of_distribution(&distribution(id, pretty));
            let found = products.into_iter().find_map(|product| {
                let release = product.release(version)?;
                Some(format!("{} {}", product.id, release.cycle))
            });
            assert_eq!(found.as_deref(), expected, "{id} {version}");
        }
    }

    #[test]
    fn a_damaged_table_is_an_error_at_its_line() {
        let good = "checked = \"2026-01-01\"\n[a]\nname = \"A\"\nkind = \"runtime\"\nruntime = \"a\"\nparts = 1\nreleases = [[\"1\", \"2026-01-01\", \"2027-01-01\"]]\n";
        assert!(Table::parse(good).is_ok());
        for (from, to, line) in [
            ("checked = \"2026-01-01\"\n", "", 1),
            ("checked = \"2026-01-01\"", "checked = \"today\"", 1),
            ("kind = \"runtime\"", "kind = \"thing\"", 2),
            ("runtime = \"a\"", "runtimes = \"a\"", 5),
            ("parts = 1", "parts = 9", 2),
            ("\"2026-01-01\", \"2027-01-01\"", "\"2026-13-01\"", 7),
            ("\"2027-01-01\"", "\"2025-01-01\"", 7),
            ("\"1\", ", "\"one\", ", 7),
            ("name = \"A\"\n", "", 2),
        ] {
            let bad = good.replacen(from, to, 1);
            let error = Table::parse(&bad).unwrap_err();
            assert_eq!(error.line, line, "{bad}: {error}");
        }
    }
}
