//! `gradle/verification-metadata.xml` (docs.gradle.org, "Verifying dependencies"): XML with the
//! checksums of all artifacts that a build has fetched, plug-ins among them. A component of which
//! only descriptions are listed (`.pom`, `.module`) is a parent, a platform, or a version that lost:
//! nothing of it runs.

use std::sync::Arc;

use super::coordinates::package;
use crate::inventory::collect::shown;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use document::xml::{self, Element};

/// In the folder `gradle` of a build.
pub(crate) static PARSER: Parser = Parser {
    id: "gradle-verification-metadata",
    wants: &[Want::Name("verification-metadata.xml")],
    parse,
    ..Parser::LOCKFILE
};

/// Ends of the names of files that only describe.
const DESCRIPTIONS: [&str; 2] = [".pom", ".module"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let root = xml::parse(input.content.whole()?)?;
    let path: Arc<str> = input.path.into();
    if root.name != "verification-metadata" {
        return Err(ParseError::at(
            root.line,
            "it is not verification metadata of Gradle",
        ));
    }
    for part in &root.children {
        match part.name.as_str() {
            "components" => {}
            "configuration" => {
                trusted(part, &path, facts);
                continue;
            }
            name => {
                let cause = format!("the element {} is not known", shown(name));
                facts.unjudged(&path, Some(part.line), GapKind::Malformed, cause);
                continue;
            }
        }
        if !part.text.is_empty() {
            let cause = "text between the components";
            facts.unjudged(&path, Some(part.text_line), GapKind::Malformed, cause);
        }
        for component in &part.children {
            read(component, &path, facts);
        }
    }
    Ok(())
}

/// What is trusted unseen is not in the list.
fn trusted(configuration: &Element, path: &Arc<str>, facts: &mut Facts) {
    let lists = configuration.all("trusted-artifacts");
    // Sources and documentation are trusted by the names of their files.
    let trust = lists
        .flat_map(|list| &list.children)
        .find(|trust| trust.attribute("file").is_none());
    if let Some(trust) = trust {
        let cause = "artifacts that are trusted unseen, which the file does not list";
        facts.gap(path, Some(trust.line), GapKind::NotRead, cause);
    }
}

fn read(component: &Element, path: &Arc<str>, facts: &mut Facts) {
    let attribute = |name: &str| component.attribute(name);
    let parts = (attribute("group"), attribute("name"), attribute("version"));
    let (Some(group), Some(name), Some(version)) = parts else {
        let cause = format!("the element {} is not a component", shown(&component.name));
        return facts.malformed(path, Some(component.line), cause);
    };
    let odd = component
        .children
        .iter()
        .find(|child| child.name != "artifact");
    if component.name != "component" || odd.is_some() {
        let cause = format!(
            "component {} is not as Gradle writes it",
            shown(&name.value)
        );
        facts.malformed(path, Some(component.line), cause);
    }
    let is_described = |artifact: &Element| {
        let name = artifact.attribute("name").map_or("", |name| &name.value);
        DESCRIPTIONS.iter().any(|end| name.ends_with(end))
    };
    if !component.children.is_empty() && component.children.iter().all(is_described) {
        return; // see the module
    }
    let parts = (&*group.value, &*name.value, &*version.value);
    if let Some(package) = package(path, name.line, parts, facts) {
        facts.add(package);
    }
}
