//! `Cartfile.resolved` of Carthage (its `Documentation/Artifacts.md`): a line for each dependency, with
//! its kind, its address and its tag or commit in quotes. One from a repository is the Swift package of
//! that repository; a binary framework is listed nowhere, and is a gap. The file has no edges.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_semantic};
use crate::inventory::parsers::swift::package_resolved::repository;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `Cartfile.resolved`.
pub(crate) static PARSER: Parser = Parser {
    id: "cartfile-resolved",
    wants: &[Want::Name("Cartfile.resolved")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut foreign = Foreign::default();
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some((kind, address, version)) = parts(text) else {
            let cause = format!("{} is not a dependency of Carthage", shown(text));
            facts.malformed(&path, Some(line), cause);
            continue;
        };
        let name = match kind {
            "binary" => {
                foreign.note(address, line, "a binary framework");
                continue;
            }
            "github" if !address.contains("://") => {
                let is_pair = address.split('/').filter(|part| !part.is_empty()).count() == 2;
                is_pair.then(|| format!("github.com/{address}"))
            }
            "github" | "git" => repository(address),
            _ => None,
        };
        let Some(name) = name.filter(|name| is_repository(name)) else {
            let cause = format!("{} is not the address of a repository", shown(address));
            facts.malformed(&path, Some(line), cause);
            continue;
        };
        let number = version.strip_prefix(['v', 'V']).unwrap_or(version);
        if !is_semantic(number) || !number.contains('.') {
            let cause = format!(
                "package {} is at {}, which is not a version",
                shown(&name),
                shown(version)
            );
            facts.gap(&path, Some(line), GapKind::UnknownVersion, cause);
            continue;
        }
        facts.add(entry(PackageType::SWIFT, &path, line, &name, number));
    }
    foreign.close(&path, facts);
    Ok(())
}

/// `kind "address" "version"`.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = text.split_once(' ')?;
    let (address, rest) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    let (version, rest) = rest.strip_prefix('"')?.split_once('"')?;
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some((kind, address, version))
}

/// A host and a path below it.
fn is_repository(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~/:".contains(&byte);
    name.bytes().all(known) && name.split('/').filter(|part| !part.is_empty()).count() >= 2
}
