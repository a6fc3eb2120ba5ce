//! `packrat.lock` of Packrat (rstudio.github.io/packrat, "Limitations and design"): blocks of fields, the
//! first about the file, each other one a package with its source. CRAN's and its mirrors' are public;
//! Bioconductor, git and a folder of sources are from elsewhere.

use std::sync::Arc;

use super::fields::{Block, blocks};
use super::renv_lock::{is_name, is_version};
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `packrat.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "packrat-lock",
    wants: &[Want::Name("packrat.lock")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let blocks = blocks(input.content.utf8()?);
    let Some((head, packages)) = blocks.split_first() else {
        return Err(ParseError::new("an empty lockfile"));
    };
    if head.get("PackratFormat").is_none() {
        return Err(ParseError::new(
            "there is no PackratFormat, which is always first",
        ));
    }
    if let Some(field) = head.field("Package") {
        let cause = "a package in the head of the file";
        facts.unjudged(&path, Some(field.line), GapKind::Malformed, cause);
    }
    let mut foreign = Foreign::default();
    let mut complete = Complete::default();
    for line in blocks.iter().flat_map(|block| &block.odd) {
        facts.unjudged(
            &path,
            Some(*line),
            GapKind::Malformed,
            "a line that is not a field",
        );
    }
    for block in packages {
        read(block, &path, facts, &mut foreign);
        if let Some(name) = block.get("Package") {
            complete.have(name);
        }
        if let Some(field) = block.field("Requires") {
            for name in super::fields::names(&field.value) {
                complete.need(name, field.line);
            }
        }
    }
    complete.close(&path, facts);
    foreign.close(&path, facts);
    Ok(())
}

fn read(block: &Block<'_>, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    let first = block.fields.first().map(|field| field.line);
    if let Some(field) = block.repeated() {
        let cause = format!("the field {} comes twice", shown(field.key));
        facts.unjudged(path, Some(field.line), GapKind::Ambiguous, cause);
    }
    let (Some(name), Some(version)) = (block.field("Package"), block.get("Version")) else {
        return facts.malformed(path, first, "a package without name or version");
    };
    let (line, name) = (name.line, name.value.as_str());
    if !is_name(name) || !is_version(version) {
        let cause = format!("{} {} is not a package of R", shown(name), shown(version));
        return facts.malformed(path, Some(line), cause);
    }
    let mut package = entry(PackageType::CRAN, path, line, name, version);
    let needed = block.get("Requires").unwrap_or_default();
    package.dependencies = super::fields::names(needed).map(Arc::from).collect();
    match block.get("Source") {
        Some("CRAN") => {}
        Some(other) => foreign.mark(&mut package, line, other),
        None => {
            let cause = format!("package {name} does not say where it comes from");
            facts.malformed(path, Some(line), cause);
        }
    }
    facts.add(package);
}
