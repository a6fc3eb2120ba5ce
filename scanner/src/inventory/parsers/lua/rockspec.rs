//! A `.rockspec` (github.com/luarocks/luarocks, "Rockspec format"): a program of Lua that sets variables,
//! of which `package` and `version` are read where they are plain texts at the begin of a line. In an
//! image LuaRocks keeps one for each rock that is installed. No advisory source covers LuaRocks.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::package::PackageType;

/// `*.rockspec`.
pub(crate) static PARSER: Parser = Parser {
    id: "rockspec",
    wants: &[Want::Extension(".rockspec")],
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Installed,
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let content = input.content.whole()?;
    let text = String::from_utf8_lossy(content);
    let (mut name, mut version) = (None, None);
    for (text, line) in text.lines().zip(1_u32..) {
        let Some((key, value)) = text.split_once('=') else {
            continue;
        };
        match key.trim_end().trim_start_matches("local ") {
            "package" if name.is_none() => name = Some((value, line)),
            "version" if version.is_none() => version = Some(value),
            _ => {}
        }
    }
    let named = name.and_then(|(value, line)| Some((literal(value)?, line)));
    let (Some((name, line)), Some(version)) = (named, version.and_then(literal)) else {
        return Err(ParseError::new(
            "a rockspec that does not name its package and version as plain texts",
        ));
    };
    let is_revised = version.rsplit_once('-').is_some_and(|(version, revision)| {
        !version.is_empty() && !revision.is_empty() && revision.bytes().all(|b| b.is_ascii_digit())
    });
    if !is_name(name) || !is_revised {
        let cause = format!(
            "{} {} is not a rock and its version",
            shown(name),
            shown(version)
        );
        return Err(ParseError::at(line, cause));
    }
    facts.add(entry(PackageType::LUAROCKS, &path, line, name, version));
    Ok(())
}

/// A text in quotes, and nothing behind it but a comment.
pub(super) fn literal(text: &str) -> Option<&str> {
    let text = text.trim();
    let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
    let (inside, rest) = text.get(1..)?.split_once(quote)?;
    let rest = rest.trim_start_matches([';', ',']).trim();
    (!inside.contains('\\') && (rest.is_empty() || rest.starts_with("--"))).then_some(inside)
}

/// A rock, or that of another maker with its name before a slash.
pub(super) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}
