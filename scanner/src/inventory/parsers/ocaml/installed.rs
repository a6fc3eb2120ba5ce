//! What opam keeps of an installed package (opam.ocaml.org, "Manual", section "opam root"): the file
//! `opam` in a folder `packages/name.version` of a switch. The folder names both; the file may.

use super::opam_file::{is_name, is_version};
use crate::inventory::collect::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// `.opam-switch/packages/name.version/opam`.
pub(crate) static PARSER: Parser = Parser {
    id: "opam-installed",
    wants: &[Want::Name("opam")],
    accepts: Some(|path| {
        let mut folders = path.rsplit('/').skip(2);
        folders.next() == Some("packages") && folders.next() == Some(".opam-switch")
    }),
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Installed,
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let folder = input.path.rsplit('/').nth(1).unwrap_or_default();
    let found = folder.split_once('.');
    let Some((name, version)) =
        found.filter(|(name, version)| is_name(name) && is_version(version))
    else {
        let cause = format!(
            "the folder {} is not a package and its version",
            shown(folder)
        );
        return Err(ParseError::new(cause));
    };
    let text = String::from_utf8_lossy(input.content.whole()?);
    if !text.lines().any(|line| line.starts_with("opam-version")) {
        return Err(ParseError::new(
            "there is no opam-version, which every opam file has",
        ));
    }
    facts.add(Package::new(PackageType::OPAM, name, version).at(Location::file(input.path)));
    Ok(())
}
