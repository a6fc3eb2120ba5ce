//! `luarocks.lock` (github.com/luarocks/luarocks, "Pinning versions with a lock file"): a table of Lua, as
//! LuaRocks writes it, one entry a line: below what it is needed for, each rock with its version. The
//! file has no edges.

use std::sync::Arc;

use super::rockspec::{is_name, literal};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::{PackageType, Scope};

/// `luarocks.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "luarocks-lock",
    wants: &[Want::Name("luarocks.lock")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    // The tables that are open, each with what it is for.
    let mut open: Vec<&str> = Vec::new();
    let mut is_closed = false;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let text = text.trim();
        if text.is_empty() || text.starts_with("--") {
            continue;
        }
        let is_first = open.is_empty();
        if is_first && !is_closed && matches!(text, "return {" | "return{") {
            open.push("");
        } else if let (false, "}" | "},") = (is_first, text) {
            open.pop();
            is_closed = open.is_empty();
        } else if let (1, Some(key)) = (open.len(), text.strip_suffix("= {").map(str::trim)) {
            open.push(key);
        } else if let (2, Some(section)) = (open.len(), open.last()) {
            rock(text, section, line, &path, facts);
        } else if let (1, "dependencies = {}," | "dependencies = {}") = (open.len(), text) {
            // a project without any
        } else if is_first && !is_closed {
            return Err(ParseError::at(line, "not a table of Lua"));
        } else {
            let cause = format!("{} is not an entry of a lockfile", shown(text));
            facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
        }
    }
    if !is_closed {
        let cause = "the table has no end: the file may be cut";
        facts.unjudged(&path, None, GapKind::Malformed, cause);
    }
    Ok(())
}

/// `["lua-cjson"] = "2.1.0-1",`, or the key without brackets.
fn rock(text: &str, section: &str, line: u32, path: &Arc<str>, facts: &mut Facts) {
    let scope = match section {
        "dependencies" => Scope::Runtime,
        "build_dependencies" => Scope::Build,
        "test_dependencies" => Scope::Dev,
        _ => {
            let cause = format!("the rocks under {} are not read", shown(section));
            return facts.unjudged(path, Some(line), GapKind::Malformed, cause);
        }
    };
    let found = text.strip_suffix(',').unwrap_or(text).split_once('=');
    let found = found.and_then(|(key, value)| {
        let key = key.trim();
        let key = match key.strip_prefix('[').and_then(|key| key.strip_suffix(']')) {
            Some(quoted) => literal(quoted)?,
            None => key,
        };
        let version = literal(value)?;
        let is_version = version.starts_with(|c: char| c.is_ascii_digit())
            || version.starts_with("scm")
            || version.starts_with("dev");
        (is_name(key) && is_version).then_some((key, version))
    });
    if let Some((name, version)) = found {
        let mut package = entry(PackageType::LUAROCKS, path, line, name, version);
        package.scope = Some(scope);
        facts.add(package);
    } else {
        let cause = format!("{} is not a rock and its version", shown(text));
        facts.malformed(path, Some(line), cause);
    }
}
