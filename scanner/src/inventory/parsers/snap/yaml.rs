//! The description of an unpacked snap, `meta/snap.yaml` (snapcraft.io, "The snap format"): name,
//! version, architectures. The libraries in it are read where they tell of themselves.

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::repeated;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};
use document::Node;

/// `meta/snap.yaml`, wherever the snap is mounted or unpacked.
pub(crate) static PARSER: Parser = Parser {
    id: "snap-yaml",
    version: 1,
    wants: &[Want::Name("snap.yaml")],
    accepts: Some(|path| path == "meta/snap.yaml" || path.ends_with("/meta/snap.yaml")),
    need: Need::Whole(limits::SNAP_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let documents = document::yaml(input.content.utf8()?)?;
    let [snap] = documents.as_slice() else {
        return Err(ParseError::new("the description of a snap is one document"));
    };
    if let Some(key) = repeated(snap) {
        let cause = format!("the key {} comes twice", shown(key));
        facts.gap(path, Some(snap.line), GapKind::Ambiguous, cause);
    }
    let field = |key: &str| snap.get(key).and_then(Node::scalar);
    let (Some(name), Some(version)) = (field("name"), field("version")) else {
        return Err(ParseError::new("a snap without a name or a version"));
    };
    // snapd refuses others.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
    if !name.bytes().chain(version.bytes()).all(known) {
        let cause = format!("snap {}: an invalid name or version", shown(name));
        return Err(ParseError::new(cause));
    }
    let line = snap.get("name").map_or(snap.line, |node| node.line);
    let mut package = Package::new(PackageType::SNAP, name, version).at(Location::line(path, line));
    // Of several, nothing says which one was installed.
    let architectures = snap.get("architectures");
    if let Some([one]) = architectures.map(Node::items) {
        package.arch = one.scalar().map(Into::into);
    }
    facts.add(package);
    Ok(())
}
