//! Java archives: recognised, so that an image full of them does not pass as clean, and not read
//! yet. Each one that no operating-system package owns is told as a gap; `assemble` folds the
//! gaps of a target into one.

use crate::gap::GapKind;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want};

/// jar, war and ear files, Jenkins' plug-ins, and what else is a jar by another name.
pub(super) static PARSER: Parser = Parser {
    id: "java-archive",
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

#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the signature that every parser has"
)]
fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    facts.gap(
        input.path,
        None,
        GapKind::UnknownFormat,
        "a Java archive: the packages in it are not read",
    );
    Ok(())
}
