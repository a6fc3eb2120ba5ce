//! `vendor/modules.txt` (go.dev/ref/mod, "Vendoring"): what `go mod vendor` copied, and what is built. A
//! line `# path version` begins each module, `=> path version` what stands in its place, and `##` says
//! whether the project asks for it. Beside a `go.mod` since Go 1.17 it says the same as that file, which
//! the go command checks, and is not read; before, `go.mod` includes it in place of `go.sum`.

use std::sync::Arc;

use super::go_mod::line;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::package::{Package, PackageType};

/// Where no `go.mod` stands above the folder.
pub(crate) static PARSER: Parser = Parser {
    id: "go-vendor",
    wants: &[Want::Suffix("vendor/modules.txt")],
    accepts: Some(|path| path.rsplit('/').nth(1) == Some("vendor")),
    parse: |input, facts| {
        match input.beside.read("../go.mod", limits::METADATA_BYTES) {
            // It answers, or includes the list.
            Ok(Some(_)) => Ok(()),
            Ok(None) => parse(input, facts),
            Err(error) => {
                let cause = format!("the go.mod above cannot be read: {error}");
                facts.unjudged(input.path, None, GapKind::Unreadable, cause);
                parse(input, facts)
            }
        }
    },
    ..Parser::LOCKFILE
};

/// Read where a `go.mod` includes it.
pub(crate) static INCLUDED: Parser = Parser {
    id: "go-vendor-included",
    wants: &[],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut module: Option<Package> = None;
    let mut any_module = false;
    for (text, number) in input.content.utf8()?.lines().zip(1_u32..) {
        let text = text.trim_end();
        if let Some(marks) = text.strip_prefix("## ") {
            if let Some(module) = &mut module {
                let is_direct = marks.split(';').any(|mark| mark.trim() == "explicit");
                module.direct = Some(is_direct);
            }
            continue;
        }
        let Some(head) = text.strip_prefix("# ") else {
            // The packages of a module that are used.
            if !text.is_empty() && (!line::is_path(text) || !any_module) {
                let cause = format!("{} is not a package of Go", shown(text));
                facts.unjudged(&path, Some(number), GapKind::Malformed, cause);
            }
            continue;
        };
        facts.extend(module.take());
        any_module = true;
        let words: Vec<_> = head.split(' ').collect();
        let found = match words.as_slice() {
            // A replacement for all versions, which is listed at the end.
            [_, "=>", _] | [_, "=>", _, _] => continue,
            // A directory of the project, or a workspace that has it.
            [_, _, "=>", place] if line::is_directory(place) => continue,
            [name, version] | [_, _, "=>", name, version] => Some((*name, *version)),
            _ => None,
        };
        let sound =
            |(name, version): &(&str, &str)| line::is_path(name) && line::is_version(version);
        if let Some((name, version)) = found.filter(sound) {
            let mut found = entry(PackageType::GOLANG, &path, number, name, version);
            found.direct = Some(false);
            module = Some(found);
        } else {
            let cause = format!("{} is not a module and its version", shown(head));
            facts.malformed(&path, Some(number), cause);
        }
    }
    facts.extend(module);
    Ok(())
}
