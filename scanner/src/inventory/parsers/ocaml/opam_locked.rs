//! `*.opam.locked` of opam (opam.ocaml.org, "opam lock"): an opam file whose `depends` names each package
//! with the version it must have. Its fields are those of the project; only the list of dependencies is
//! read. What has `dev` versions comes from the place under `pin-depends`. The file has no edges.

use std::sync::Arc;

use super::opam_file::{self, Formula};
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, file_name, has_extension};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::{PackageType, Scope};

/// `name.opam.locked`, or `opam.locked`.
pub(crate) static PARSER: Parser = Parser {
    id: "opam-locked",
    wants: &[Want::Extension(".locked")],
    accepts: Some(|path| has_extension(path, ".opam.locked") || file_name(path) == "opam.locked"),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let text = input.content.utf8()?;
    let pins = opam_file::texts(text, "pin-depends")?;
    let Some(depends) = opam_file::formulas(text, "depends")? else {
        return Err(ParseError::new("there is no list depends"));
    };
    let mut foreign = Foreign::default();
    for one in &depends {
        read(one, &pins, &path, facts, &mut foreign);
    }
    foreign.close(&path, facts);
    Ok(())
}

fn read(
    one: &Formula<'_>,
    pins: &[&str],
    path: &Arc<str>,
    facts: &mut Facts,
    foreign: &mut Foreign,
) {
    let (name, line) = (one.name, one.line);
    if !opam_file::is_name(name) {
        let cause = format!("{} is not the name of a package of opam", shown(name));
        return facts.malformed(path, Some(line), cause);
    }
    let Some(version) = one.version.filter(|version| opam_file::is_version(version)) else {
        let cause = format!("package {name} is not held to one version");
        return facts.gap(path, Some(line), GapKind::Unpinned, cause);
    };
    let mut package = entry(PackageType::OPAM, path, line, name, version);
    package.scope = Some(
        if one.has("with-test") || one.has("with-doc") || one.has("with-dev-setup") {
            Scope::Dev
        } else if one.has("build") {
            Scope::Build
        } else {
            Scope::Runtime
        },
    );
    // The first text of a pin is `name.version`, the second its address.
    let mut pairs = pins.chunks_exact(2);
    let pin = pairs.find_map(|pair| match pair {
        [head, address] => {
            let rest = head.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('.')).then_some(*address)
        }
        _ => None,
    });
    match pin {
        Some(address) => foreign.mark(&mut package, line, address),
        // The public repository has releases alone.
        None if version == "dev" || version.ends_with("~dev") => {
            foreign.mark(&mut package, line, "a place that pin-depends does not name");
        }
        None => {}
    }
    facts.add(package);
}
