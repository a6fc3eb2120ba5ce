//! `conda-meta/*.json`: conda's record of one installed package (docs.conda.io, "Managing
//! environments"; the model `PrefixRecord`). `history` beside them is a log, and no record.

use std::sync::Arc;

use crate::inventory::parsers::shared::repeated;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use document::Node;

/// The records of an environment.
pub(crate) static PARSER: Parser = Parser {
    id: "conda-installed",
    version: 1,
    wants: &[Want::Extension(".json")],
    accepts: Some(is_record),
    need: Need::Whole(limits::CONDA_RECORD_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

fn is_record(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    // Tools keep their state there, too: records have a version and a build in their names.
    parts.next() == Some("conda-meta") && name.matches('-').count() >= 2
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let (Some(name), Some(version)) = (document.get("name"), document.text_at("version")) else {
        return Err(ParseError::new("a record without name or version"));
    };
    if repeated(&document).is_some() {
        let cause = "a key comes twice in the record";
        facts.unjudged(&path, None, GapKind::Ambiguous, cause);
    }
    let text = name.text().unwrap_or_default();
    let package = super::package(facts, &path, name.line, text, version);
    facts.extend(package.map(|mut package| {
        let needs = document.get("depends").map(Node::items).unwrap_or_default();
        let needs = needs.iter().filter_map(Node::text);
        package.dependencies = needs.filter_map(super::dependency).collect();
        package
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_record;

    #[test]
    fn records_are_told_from_state() {
        assert!(is_record(
            "opt/conda/conda-meta/pip-22.2.2-py38h06a4308_0.json"
        ));
        assert!(!is_record("opt/conda/conda-meta/state.json"));
        assert!(!is_record("opt/conda/conda-meta/x/a-1-0.json"));
        assert!(!is_record("opt/conda/meta/a-1-0.json"));
    }
}
