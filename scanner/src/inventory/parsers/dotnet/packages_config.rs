//! `packages.config` of NuGet 2 (learn.microsoft.com/nuget, "packages.config reference"): XML with
//! one element for every package that is installed, direct or not, at an exact version.

use std::sync::Arc;

use super::nuget::package;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::file_name;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::xml::{self, Element};

/// `packages.config`, or `packages.PROJECT.config` of one of several projects in a folder.
pub(crate) static PARSER: Parser = Parser {
    id: "nuget-packages-config",
    wants: &[Want::Extension(".config")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name == "packages.config" || name.starts_with("packages.") && name.ends_with(".config")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// What an element may say, as far as it matters or is known not to.
const KNOWN: [&str; 6] = [
    "id",
    "version",
    "targetFramework",
    "developmentDependency",
    "allowedVersions",
    "requireReinstallation",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let root = xml::parse(input.content.whole()?)?;
    let path: Arc<str> = input.path.into();
    if root.name != "packages" {
        return Err(ParseError::at(root.line, "this is not a list of packages"));
    }
    if !root.text.is_empty() {
        let cause = "text between the packages";
        facts.unjudged(&path, Some(root.text_line), GapKind::Malformed, cause);
    }
    for element in &root.children {
        if element.name != "package" || !element.children.is_empty() {
            let cause = format!("the element {} is not a package", shown(&element.name));
            facts.unjudged(&path, Some(element.line), GapKind::Malformed, cause);
            continue;
        }
        read(element, &path, facts);
    }
    Ok(())
}

fn read(element: &Element, path: &Arc<str>, facts: &mut Facts) {
    let unknown = element.attributes.iter().find(|one| {
        !KNOWN.contains(&one.name.as_str())
            && KNOWN
                .iter()
                .any(|known| one.name.eq_ignore_ascii_case(known))
    });
    if let Some(unknown) = unknown {
        let cause = format!(
            "the attribute {} is not as NuGet writes it",
            shown(&unknown.name)
        );
        facts.malformed(path, Some(unknown.line), cause);
    }
    let (Some(name), Some(version)) = (element.attribute("id"), element.attribute("version"))
    else {
        return facts.malformed(path, Some(element.line), "a package without id or version");
    };
    if let Some(mut package) = package(path, name.line, &name.value, &version.value, facts) {
        let development = element.attribute("developmentDependency");
        let is_dev = development.is_some_and(|one| one.value.eq_ignore_ascii_case("true"));
        package.scope = Some(Scope::of(is_dev, false));
        facts.add(package);
    }
}
