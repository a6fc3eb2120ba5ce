//! The products that a SUSE system has installed, one file each in `etc/products.d/`: the base
//! system and its modules, which SUSE's advisories name. Of the XML only four elements are read.

use std::sync::Arc;

use crate::inventory::parsers::shared::has_extension;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;

/// `*.prod`; the link `baseproduct` is one of them again.
pub(crate) static PARSER: Parser = Parser {
    id: "suse-products",
    version: 1,
    wants: &[Want::In("etc/products.d/")],
    accepts: Some(|path| has_extension(path, ".prod")),
    need: Need::Whole(1 << 20),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let text = input.content.utf8()?;
    match product(text) {
        Some(product) if product.starts_with("SUSE ") || product.contains(" Module") => {
            facts.products.extend(ecosystem(&product).map(Arc::from));
        }
        // openSUSE's own have an ecosystem by os-release alone, and nobody else's have one.
        Some(_) => {}
        None => facts.gap(
            path,
            None,
            GapKind::Malformed,
            "a product without a summary and a version",
        ),
    }
    Ok(())
}

/// Its summary, with the version at the end: `Basesystem Module 15 SP5`.
fn product(text: &str) -> Option<String> {
    let summary = element(text, "summary")?;
    let version = match element(text, "baseversion") {
        Some(base) => match element(text, "patchlevel").filter(|level| *level != "0") {
            Some(level) => format!("{base} SP{level}"),
            None => base.to_owned(),
        },
        None => element(text, "version")?.to_owned(),
    };
    if summary.ends_with(&version) {
        return Some(summary.to_owned());
    }
    Some(format!("{summary} {version}"))
}

/// As the advisories name it: without the company, and modules by what they are for.
fn ecosystem(product: &str) -> Option<String> {
    if let Some(name) = product.strip_prefix("SUSE ") {
        return Some(format!("SUSE:{name}"));
    }
    let (name, version) = product.split_once(" Module ")?;
    Some(format!("SUSE:Linux Enterprise Module for {name} {version}"))
}

/// The text of the first element of a name; it has neither attributes that matter nor children.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}"))?;
    let (_, rest) = rest.split_once('>')?;
    let (value, _) = rest.split_once("</")?;
    let value = value.trim();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_have_the_names_of_advisories() {
        for (summary, level, expected) in [
            (
                "Basesystem Module 15 SP5",
                "5",
                "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
            ),
            (
                "Web and Scripting Module",
                "5",
                "SUSE:Linux Enterprise Module for Web and Scripting 15 SP5",
            ),
            (
                "SUSE Linux Enterprise Server 15 SP5",
                "5",
                "SUSE:Linux Enterprise Server 15 SP5",
            ),
            ("SUSE Package Hub", "0", "SUSE:Package Hub 15"),
        ] {
            let text = format!(
                "<product schemeversion=\"0\"><version>15.{level}</version><baseversion>15</baseversion><patchlevel>{level}</patchlevel><summary>{summary}</summary></product>"
            );
            let found = product(&text).and_then(|product| ecosystem(&product));
            assert_eq!(found.as_deref(), Some(expected));
        }
        assert_eq!(product("<product/>"), None);
    }
}
