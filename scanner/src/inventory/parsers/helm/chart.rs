//! `Chart.lock`, and the dependencies of a `Chart.yaml` (helm.sh, "Charts",
//! "Chart dependencies"): YAML with a list of charts, each with its repository. A lockfile has versions; a
//! `Chart.yaml` may have ranges, which its lockfile answers for. A chart of the disk is the project's. No
//! advisory source covers charts.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{
    entry, file_name, is_semantic, note_repeated, other_lists,
};
use crate::inventory::{Facts, Input, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::package::{PackageType, Scope};
use document::{Node, Value};

/// `Chart.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "helm-chart",
    wants: &[
        Want::Name("Chart.lock"),
        Want::Name("Chart.yaml"),
        Want::Name("Chart.yml"),
    ],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("a chart is one document"));
    };
    let path: Arc<str> = input.path.into();
    let is_lock = file_name(&path) == "Chart.lock";
    note_repeated(&[Some(document)], &path, facts);
    let list = document.get("dependencies");
    match list.map(|node| &node.value) {
        Some(Value::List(_) | Value::Null) => {}
        None if !is_lock => {}
        _ => return Err(ParseError::new("there is no list of dependencies")),
    }
    other_lists(document, &["dependencies"], &path, facts);
    let mut ranged: Option<(String, u32, usize)> = None;
    for node in list.map_or(&[][..], Node::items) {
        note_repeated(&[Some(node)], &path, facts);
        if node
            .text_at("repository")
            .is_some_and(|place| place.starts_with("file:"))
        {
            continue;
        }
        let (Some(name), Some(version)) = (
            node.text_at("name"),
            node.get("version").and_then(Node::scalar),
        ) else {
            facts.malformed(&path, Some(node.line), "a chart without name or version");
            continue;
        };
        let line = node.get("name").map_or(node.line, |node| node.line);
        let number = version.strip_prefix('v').unwrap_or(version);
        let is_version =
            is_semantic(number) && number.split('.').count() >= 3 && !number.contains(".x");
        if !is_name(name) || is_lock && !is_version {
            let cause = format!(
                "{} {} is not a chart and its version",
                shown(name),
                shown(version)
            );
            facts.malformed(&path, Some(line), cause);
            continue;
        }
        if !is_version {
            let (_, _, count) = ranged.get_or_insert_with(|| (name.to_owned(), line, 0));
            *count = count.saturating_add(1);
            continue;
        }
        let mut package = entry(PackageType::HELM, &path, line, name, number);
        package.scope = Some(Scope::Runtime);
        package.direct = Some(true);
        facts.add(package);
    }
    if let Some((name, line, count)) = ranged {
        // The lockfile beside it has the versions.
        let lock = input.beside.read("Chart.lock", limits::METADATA_BYTES);
        if !matches!(lock, Ok(Some(_))) {
            let cause = format!(
                "{count} charts, {} first, have ranges for versions",
                shown(&name)
            );
            facts.gap(&path, Some(line), GapKind::Unpinned, cause);
        }
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}
