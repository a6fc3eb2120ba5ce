//! Distributions of CPAN that an installer left its notes of (metacpan.org, `CPAN::Meta::Spec`): JSON below
//! a folder `.meta`, where cpanm and carton put `install.json` and `MYMETA.json`. A `.packlist` alone has
//! no version and stays a gap.

use std::sync::Arc;

use super::cpanfile_snapshot::{is_name, is_version};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, note_repeated};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::package::PackageType;
use document::Node;

/// `.meta/Name-1.0/MYMETA.json`.
pub(crate) static PARSER: Parser = Parser {
    id: "cpan-meta",
    wants: &[Want::Name("MYMETA.json")],
    accepts: Some(|path| path.rsplit('/').nth(2) == Some(".meta")),
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Installed,
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    note_repeated(&[Some(&document)], &path, facts);
    let name = document.get("name");
    let version = document.get("version").and_then(Node::scalar);
    let (Some(name), Some(version)) = (name, version) else {
        return Err(ParseError::new("a distribution without name or version"));
    };
    let (line, name) = (name.line, name.text().unwrap_or_default());
    if !is_name(name) || !is_version(version) {
        let cause = format!(
            "{} {} is not a distribution and its version",
            shown(name),
            shown(version)
        );
        return Err(ParseError::at(line, cause));
    }
    facts.add(entry(PackageType::CPAN, &path, line, name, version));
    Ok(())
}
