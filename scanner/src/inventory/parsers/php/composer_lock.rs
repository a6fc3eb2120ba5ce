//! `composer.lock` (getcomposer.org): JSON with `packages` and `packages-dev`. Versions lose the
//! `v` that tags have; branches (`dev-main`) are not versions and become gaps. A path repository
//! is a directory of the project; any other repository holds somebody's package.

use std::sync::Arc;

use db_sync::version::Order;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{
    entry, file_name, has_extension, names, other_lists, repeated,
};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::{Package, PackageType, Scope};
use document::{Node, Value};

/// `composer.lock`, or `composer-next.lock` where `COMPOSER` names another file.
pub(crate) static PARSER: Parser = Parser {
    id: "composer-lock",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name.starts_with("composer") && has_extension(&name, ".lock")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// Its lists, and whether they are for development.
const SECTIONS: [(&str, bool); 2] = [("packages", false), ("packages-dev", true)];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    if document.get("packages").is_none() {
        return Err(ParseError::new("there is no list of packages"));
    }
    if let Some(key) = repeated(&document) {
        let cause = format!("the key {} comes twice", shown(key));
        facts.unjudged(&path, None, GapKind::Ambiguous, cause);
    }
    other_lists(&document, &SECTIONS.map(|(key, _)| key), &path, facts);
    let dev = document.get("packages-dev");
    if dev.is_none_or(|node| node.value == Value::Null) {
        let cause = "there are no packages-dev, which composer always writes";
        facts.malformed(&path, dev.map(|node| node.line), cause);
    }
    for (key, is_dev) in SECTIONS {
        let Some(list) = document.get(key) else {
            continue;
        };
        let is_absent = is_dev && list.value == Value::Null;
        if !matches!(list.value, Value::List(_)) && !is_absent {
            let cause = format!("{key} is not a list");
            facts.unjudged(&path, Some(list.line), GapKind::Malformed, cause);
        }
        for node in list.items() {
            read(node, Some(Scope::of(is_dev, false)), &path, facts);
        }
    }
    Ok(())
}

/// Reads a package, of this file or of another one of Composer's.
pub(super) fn read(node: &Node<'_>, scope: Option<Scope>, path: &Arc<str>, facts: &mut Facts) {
    if let Some(key) = repeated(node) {
        let cause = format!("the key {} comes twice in one package", shown(key));
        facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
    }
    let dist = node.get("dist").and_then(|dist| dist.text_at("type"));
    if dist == Some("path") {
        return;
    }
    let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
        return facts.malformed(path, Some(node.line), "a package without name or version");
    };
    let (line, name) = (name.line, name.text().unwrap_or_default());
    let Some(mut package) = package(name, version, line, path, facts) else {
        return;
    };
    package.scope = scope;
    let sum = node.get("dist").and_then(|dist| dist.text_at("shasum"));
    let sum = sum.and_then(|digits| Checksum::hexadecimal(Algorithm::Sha1, digits));
    package.checksums = Vec::from_iter(sum);
    package.dependencies = names(node, &["require"]);
    // Platform requirements are not packages: they have no vendor.
    package.dependencies.retain(|name| name.contains('/'));
    facts.add(package);
}

/// A package with its version, unless that is a branch or none; then a gap.
pub(super) fn package(
    name: &str,
    version: &str,
    line: u32,
    path: &Arc<str>,
    facts: &mut Facts,
) -> Option<Package> {
    if !is_name(name) {
        let cause = format!("{:?} is not the name of a package", shown(name));
        facts.malformed(path, Some(line), cause);
        return None;
    }
    if version.starts_with("dev-") || version.ends_with("-dev") {
        let cause = format!("package {} is at a branch, {}", shown(name), shown(version));
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
        return None;
    }
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    if !is_version(version) {
        let cause = format!(
            "package {name} has the version {:?}, which is not one of Composer",
            shown(version)
        );
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
        return None;
    }
    Some(entry(PackageType::COMPOSER, path, line, name, version))
}

/// `vendor/name`, of letters, digits, and single signs between them.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = part.as_bytes();
        let in_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(in_part)
    };
    let parts = text.split_once('/');
    parts.is_some_and(|(vendor, name)| is_part(vendor) && is_part(name))
}

/// A number first, then what Composer's parser of versions allows.
fn is_version(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+~".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(known)
        && Order::Packagist.parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{is_name, is_version};

    #[test]
    fn names_and_versions() {
        for name in ["a/b", "Vendor/x-y_z.0", "pear-pear.php.net/XML_Util", "0/1"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "a/b\u{200b}",
            "a b/c",
            "a/-b",
            "php",
        ] {
            assert!(!is_name(name), "{name:?}");
        }
        for version in ["1.2.3", "2.0.0-RC1", "1.0.0+build", "2010-01-02", "1.0.0.0"] {
            assert!(is_version(version), "{version}");
        }
        for version in [
            "",
            "main",
            "1.0 beta",
            "1.0\u{200b}",
            "${V}",
            "1.0 as 2.0",
            "^1.0",
        ] {
            assert!(!is_version(version), "{version:?}");
        }
    }
}
