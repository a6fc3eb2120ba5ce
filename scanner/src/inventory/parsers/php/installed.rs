//! `vendor/composer/installed.json`, Composer's list of what it installed: in version 1 a list of
//! packages, in version 2 a mapping with the list, whether development packages are installed, and
//! the names of those (getcomposer.org, `Composer\Repository\FilesystemRepository`). The entries are
//! those of `composer.lock`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::composer_lock::read;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::repeated;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::{Node, Value};

/// `composer/installed.json`, in whatever directory `vendor-dir` names.
pub(crate) static PARSER: Parser = Parser {
    id: "composer-installed",
    version: 1,
    wants: &[Want::Suffix("composer/installed.json")],
    accepts: Some(is_in_composer),
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// Whether a file lies in a directory `composer`, not only in one whose name ends like that.
pub(super) fn is_in_composer(path: &str) -> bool {
    path.rsplit('/').nth(1) == Some("composer")
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    if let Value::List(packages) = &document.value {
        for node in packages {
            read(node, None, &path, facts);
        }
        return Ok(());
    }
    let packages = document.get("packages");
    let Some(packages) = packages.filter(|node| matches!(node.value, Value::List(_))) else {
        return Err(ParseError::new("there is no list of packages"));
    };
    if let Some(key) = repeated(&document) {
        let cause = format!("the key {} comes twice", shown(key));
        facts.unjudged(&path, None, GapKind::Ambiguous, cause);
    }
    let dev = document.get("dev-package-names");
    let names = dev.map(Node::items).unwrap_or_default().iter();
    let names: BTreeSet<&str> = names.filter_map(Node::text).collect();
    for node in packages.items() {
        let name = node.text_at("name").unwrap_or_default();
        let scope = dev.map(|_| Scope::of(names.contains(name), false));
        read(node, scope, &path, facts);
    }
    for name in names {
        let is_there = |node: &Node<'_>| node.text_at("name") == Some(name);
        if !packages.items().iter().any(is_there) {
            let cause = format!("{} is for development, and is not listed", shown(name));
            facts.malformed(&path, dev.map(|node| node.line), cause);
        }
    }
    Ok(())
}
