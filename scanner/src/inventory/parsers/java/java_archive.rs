//! Java archives: recognised, so that an image full of them does not pass as clean, and not read
//! yet. Each one that no operating-system package owns is told as a gap; `assemble` folds the
//! gaps of a target into one.

use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;

/// jar, war and ear files, Jenkins' plug-ins, and what else is a jar by another name.
pub(crate) static PARSER: Parser = Parser {
    id: "java-archive",
    version: 1,
    wants: &[
        Want::Extension(".jar"),
        Want::Extension(".war"),
        Want::Extension(".ear"),
        Want::Extension(".hpi"),
        Want::Extension(".jpi"),
        Want::Extension(".par"),
        Want::Extension(".sar"),
        Want::Extension(".nar"),
        Want::Extension(".kar"),
        Want::Extension(".lpkg"),
    ],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// Extensions that others use, too: only a zip archive counts.
const SHARED: [&str; 5] = [".par", ".sar", ".nar", ".kar", ".lpkg"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path.to_ascii_lowercase();
    if SHARED.iter().any(|extension| path.ends_with(extension)) {
        let is_zip = match input.content {
            Content::Whole(bytes) => bytes.starts_with(b"PK"),
            Content::Stream(stream) => stream
                .fill_buf()
                .map_err(|error| ParseError::new(format!("cannot be read: {error}")))?
                .starts_with(b"PK"),
        };
        if !is_zip {
            return Ok(());
        }
    }
    facts.gap(
        input.path,
        None,
        GapKind::UnknownFormat,
        "a Java archive: the packages in it are not read",
    );
    Ok(())
}
