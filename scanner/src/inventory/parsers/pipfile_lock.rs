//! `Pipfile.lock` (pipenv): JSON with the sections `default` and `develop`, versions as `==1.2`.

use std::sync::Arc;

use super::shared::entry;
use crate::gap::GapKind;
use crate::inventory::document::{self, Node};
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// `Pipfile.lock`.
pub(super) static PARSER: Parser = Parser {
    id: "pipfile-lock",
    wants: &[Want::Name("Pipfile.lock")],
    accepts: None,
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    for section in document
        .entries()
        .iter()
        .filter(|entry| entry.key != "_meta")
    {
        for item in section.node.entries() {
            let node = &item.node;
            // The project itself, in editable form.
            if node.get("path").is_some() || node.get("file").is_some() {
                continue;
            }
            let Some(version) = node
                .text_at("version")
                .and_then(|text| text.strip_prefix("=="))
            else {
                let cause = format!("package {} has no version", shown(&item.key));
                facts.gap(&path, Some(item.line), GapKind::UnknownVersion, cause);
                continue;
            };
            let version = version.trim_start_matches('=');
            let mut package = entry(PackageType::Pypi, &path, item.line, &item.key, version);
            package.scope.dev = section.key != "default";
            facts.add(package);
        }
    }
    let known = ["default", "develop"].map(|key| document.get(key).is_some_and(Node::is_table));
    if known.contains(&true) {
        Ok(())
    } else {
        Err(ParseError::new(
            "neither of the sections default and develop is there",
        ))
    }
}
