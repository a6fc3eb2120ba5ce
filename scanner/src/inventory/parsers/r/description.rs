//! `DESCRIPTION` of an installed R package ("Writing R Extensions", section 1.1.1): R adds the field
//! `Built` when it installs one. CRAN's packages name it as their repository; what belongs to R itself has
//! the priority `base`, and R's version. All others are from elsewhere.

use std::sync::Arc;

use super::fields::{blocks, names};
use super::renv_lock::{PUBLIC, is_name, is_version};
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `DESCRIPTION`.
pub(crate) static PARSER: Parser = Parser {
    id: "r-description",
    wants: &[Want::Name("DESCRIPTION")],
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Installed,
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let content = input.content.whole()?;
    // Titles and names of authors may be in any encoding that the file names; what is read is ASCII.
    let text = String::from_utf8_lossy(content);
    let blocks = blocks(&text);
    let block = match blocks.as_slice() {
        [block, ..] if block.field("Package").is_some() || block.field("Built").is_some() => block,
        // Other things have a file of this name, and R's has one of these.
        _ => return Ok(()),
    };
    if let Some(other) = blocks.get(1).and_then(|block| block.fields.first()) {
        let cause = "an empty line, behind which fields of the package may be lost";
        facts.malformed(&path, Some(other.line), cause);
    }
    if let Some(field) = block.repeated() {
        let cause = format!("the field {} comes twice", shown(field.key));
        facts.unjudged(&path, Some(field.line), GapKind::Ambiguous, cause);
    }
    if block.field("Built").is_none() {
        let cause = "sources of an R package, which are not installed: not read";
        facts.gap(&path, None, GapKind::NotRead, cause);
        return Ok(());
    }
    let (Some(name), Some(version)) = (block.field("Package"), block.get("Version")) else {
        return Err(ParseError::new("a package of R without name or version"));
    };
    let (line, name) = (name.line, name.value.as_str());
    if !is_name(name) || !is_version(version) {
        let cause = format!("{} {} is not a package of R", shown(name), shown(version));
        return Err(ParseError::at(line, cause));
    }
    let mut package = entry(PackageType::CRAN, &path, line, name, version);
    let lists = ["Depends", "Imports", "LinkingTo"];
    let lists = lists.iter().filter_map(|key| block.get(key));
    package.dependencies = lists.flat_map(names).map(Arc::from).collect();
    let mut foreign = Foreign::default();
    let remote = block.get("RemoteType").filter(|kind| *kind != "standard");
    let elsewhere = match (block.get("Repository"), block.get("Priority"), remote) {
        (_, _, Some(kind)) => Some(kind.to_owned()),
        (Some(name), _, None) if PUBLIC.contains(&name) => None,
        (_, Some("base" | "recommended"), None) => None,
        (Some(name), _, None) => Some(format!("the repository {name}")),
        (None, _, None) if block.field("biocViews").is_some() => Some("Bioconductor".to_owned()),
        (None, _, None) => Some("a place that it does not name".to_owned()),
    };
    if let Some(source) = elsewhere {
        foreign.mark(&mut package, line, &source);
    }
    facts.add(package);
    foreign.close(&path, facts);
    Ok(())
}
