//! A package that GHC knows as installed (downloads.haskell.org, "ghc-pkg", the installed package info):
//! a file in `package.conf.d` with fields, of which name, version and what it depends on are read. What
//! has the same name in several libraries of a package is one package.

use std::sync::Arc;

use super::cabal_freeze::{is_name, is_version};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::package::PackageType;

/// `package.conf.d/*.conf`.
pub(crate) static PARSER: Parser = Parser {
    id: "ghc-package",
    wants: &[Want::Extension(".conf")],
    accepts: Some(|path| path.rsplit('/').nth(1) == Some("package.conf.d")),
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Installed,
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let (mut name, mut version, mut line_of_name) = (None, None, 1);
    let mut depends = String::new();
    let mut field = "";
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let is_more = text.starts_with([' ', '\t']);
        let value = match text.split_once(':').filter(|_| !is_more) {
            Some((key, value)) => {
                field = key.trim();
                value.trim()
            }
            None => text.trim(),
        };
        match field {
            "name" if !value.is_empty() && name.is_none() => {
                (name, line_of_name) = (Some(value), line);
            }
            "version" if !value.is_empty() && version.is_none() => version = Some(value),
            "depends" => {
                depends.push(' ');
                depends.push_str(value);
            }
            _ => {}
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(ParseError::new("a package without name or version"));
    };
    // An internal library is `z-package-z-library`; its package has a file of its own.
    let name = match name
        .strip_prefix("z-")
        .and_then(|name| name.split_once("-z-"))
    {
        Some((package, _)) => package,
        None => name,
    };
    if !is_name(name) || !is_version(version) {
        let cause = format!(
            "{} {} is not a package and its version",
            shown(name),
            shown(version)
        );
        return Err(ParseError::at(line_of_name, cause));
    }
    let mut package = entry(PackageType::HACKAGE, &path, line_of_name, name, version);
    package.dependencies = depends.split_whitespace().filter_map(edge).collect();
    facts.add(package);
    Ok(())
}

/// The package of a unit: `bytestring-0.11.4.0`, or with a hash behind.
fn edge(unit: &str) -> Option<Arc<str>> {
    let mut end = unit.len();
    loop {
        let before = unit.get(..end)?;
        let at = before.rfind('-')?;
        let (name, version) = (before.get(..at)?, before.get(at.checked_add(1)?..)?);
        if is_version(version) && is_name(name) {
            return Some(format!("{name}@{version}").into());
        }
        end = at;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn units_name_their_packages() {
        for (unit, expected) in [
            ("base-4.17.0.0", Some("base@4.17.0.0")),
            ("hashable-1.4.2.0-Cdq1", Some("hashable@1.4.2.0")),
            ("rts", None),
            ("", None),
        ] {
            assert_eq!(super::edge(unit).as_deref(), expected);
        }
    }
}
