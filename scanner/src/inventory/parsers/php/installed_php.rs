//! `vendor/composer/installed.php`, which Composer 2 writes beside `installed.json` for programs
//! to ask at run time (getcomposer.org, "Runtime Utilities"), and which stays where an image
//! leaves the other out. It is code, but Composer's own writer makes it: arrays with one entry a
//! line and four blanks for each level. Nothing is evaluated; a line that is not as that writer makes
//! it is a gap. The root package is the project, and what is only replaced or provided is not there.

use std::sync::Arc;

use super::composer_lock::package;
use super::installed::is_in_composer;
use crate::inventory::collect::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::package::Scope;

/// `composer/installed.php`.
pub(crate) static PARSER: Parser = Parser {
    id: "composer-installed-php",
    version: 1,
    wants: &[Want::Suffix("composer/installed.php")],
    accepts: Some(is_in_composer),
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// One package while its lines are read.
struct Open<'a> {
    name: &'a str,
    line: u32,
    version: Option<&'a str>,
    is_dev: Option<bool>,
    /// Another package stands for it.
    is_virtual: bool,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = input.content.utf8()?;
    if !text.starts_with("<?php return array(") {
        return Err(ParseError::new("not a list that Composer wrote"));
    }
    let path: Arc<str> = input.path.into();
    let mut root = None;
    let mut section = None;
    let mut open: Option<Open<'_>> = None;
    let mut has_versions = false;
    let mut has_ended = false;
    for (line, number) in text.lines().zip(1_u32..).skip(1) {
        let content = line.trim_start();
        let level = line.len().saturating_sub(content.len());
        match (level, section, field(content)) {
            (0, None, _) if content == ");" => has_ended = true,
            (4, None, Some((key, "array("))) => {
                has_versions |= key == "versions";
                section = Some(key);
            }
            (4, Some(_), _) if content == ")," && open.is_none() => section = None,
            (8, Some("root"), Some(("name", value))) => root = quoted(value),
            (8, Some("versions"), Some((name, "array("))) if open.is_none() => {
                open = Some(Open {
                    name,
                    line: number,
                    version: None,
                    is_dev: None,
                    is_virtual: false,
                });
            }
            (8, Some("versions"), _) if content == ")," && open.is_some() => {
                if let Some(done) = open.take() {
                    close(&done, root, &path, facts);
                }
            }
            (12, Some("versions"), Some((key, value))) if open.is_some() => {
                if let Some(open) = &mut open {
                    match (key, value) {
                        ("pretty_version", value) => open.version = quoted(value),
                        ("dev_requirement", "true,") => open.is_dev = Some(true),
                        ("dev_requirement", "false,") => open.is_dev = Some(false),
                        ("replaced" | "provided", _) => open.is_virtual = true,
                        // Type, path and reference say nothing about which version it is.
                        _ => {}
                    }
                }
            }
            // The rest of the root package, and lists within a package.
            (8.., Some("root"), _) | (12.., Some("versions"), _)
                if open.is_some() || section == Some("root") => {}
            _ if content.is_empty() => {}
            _ => {
                let cause = format!("{} is not where Composer writes it", shown(content));
                facts.unjudged(&path, Some(number), GapKind::Malformed, cause);
            }
        }
    }
    if !has_versions || !has_ended {
        let cause = "the list of versions is missing or has no end";
        facts.unjudged(&path, None, GapKind::Malformed, cause);
    }
    Ok(())
}

fn close(done: &Open<'_>, root: Option<&str>, path: &Arc<str>, facts: &mut Facts) {
    let Open { name, line, .. } = *done;
    if root == Some(name) || done.version.is_none() && done.is_virtual {
        return;
    }
    let Some(version) = done.version else {
        let cause = format!("package {} has no version", shown(name));
        return facts.malformed(path, Some(line), cause);
    };
    let package = package(name, version, line, path, facts);
    facts.extend(package.map(|mut package| {
        package.scope = done.is_dev.map(|is_dev| Scope::of(is_dev, false));
        package
    }));
}

/// `'key' => value`.
fn field(content: &str) -> Option<(&str, &str)> {
    let (key, value) = content.strip_prefix('\'')?.split_once("' => ")?;
    Some((key, value))
}

/// `'text',`.
fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('\'')?.strip_suffix("',")
}
