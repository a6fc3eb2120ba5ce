//! `composer.lock` (getcomposer.org): JSON with `packages` and `packages-dev`. Versions lose the
//! `v` that tags have; branches (`dev-main`) are no versions and become gaps.

use std::sync::Arc;

use super::shared::{entry, names};
use crate::gap::GapKind;
use crate::inventory::document;
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// `composer.lock`.
pub(super) static PARSER: Parser = Parser {
    id: "composer-lock",
    wants: &[Want::Name("composer.lock")],
    accepts: None,
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let sections = [("packages", false), ("packages-dev", true)];
    if sections.iter().all(|(key, _)| document.get(key).is_none()) {
        return Err(ParseError::new(
            "neither packages nor packages-dev is there",
        ));
    }
    for (key, dev) in sections {
        for node in document.items_at(key)? {
            let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
                facts.malformed(&path, Some(node.line), "a package without name or version");
                continue;
            };
            let text = name.text().unwrap_or_default();
            if version.starts_with("dev-") || version.ends_with("-dev") {
                let cause = format!("package {} is at a branch, {}", shown(text), shown(version));
                facts.gap(&path, Some(name.line), GapKind::UnknownVersion, cause);
                continue;
            }
            let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
            let mut package = entry(PackageType::Composer, &path, name.line, text, version);
            package.scope.dev = dev;
            package.dependencies = names(node, &["require"]);
            // Platform requirements are no packages: they have no vendor.
            package.dependencies.retain(|name| name.contains('/'));
            facts.add(package);
        }
    }
    Ok(())
}
