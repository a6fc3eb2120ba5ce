//! `Directory.Packages.props` and `Packages.props` (learn.microsoft.com/nuget, "Central Package
//! Management"): `MSBuild` code in which a repository keeps the versions of all packages that its
//! projects may ask for. Of `1.2.3` NuGet takes the lowest version that there is, which is that one.
//! Properties are replaced as far as this file sets them; conditions are not evaluated, so that what
//! stands under any of them is listed. What the packages need themselves is in lockfiles only.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::nuget::{package, pinned};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::file_name;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::xml::{self, Element};

/// Any file that is named so, or has more before it.
pub(crate) static PARSER: Parser = Parser {
    id: "nuget-central-versions",
    wants: &[Want::Extension(".props")],
    accepts: Some(|path| {
        file_name(path)
            .to_ascii_lowercase()
            .ends_with("packages.props")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// Items that name a package.
const ITEMS: [&str; 3] = [
    "PackageVersion",
    "GlobalPackageReference",
    "PackageReference",
];

/// How often a property may stand for another.
const MAX_STEPS: usize = 16;

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let root = xml::parse(input.content.whole()?)?;
    if root.name != "Project" {
        return Err(ParseError::at(root.line, "this is not an MSBuild project"));
    }
    let mut reader = Reader {
        path: input.path.into(),
        properties: BTreeMap::new(),
        facts,
    };
    reader.properties(&root);
    reader.items(&root);
    Ok(())
}

struct Reader<'a> {
    path: Arc<str>,
    /// By name in lower case; the last one holds, and `None` where a condition decides.
    properties: BTreeMap<String, Option<&'a str>>,
    facts: &'a mut Facts,
}

impl<'a> Reader<'a> {
    fn properties(&mut self, element: &'a Element) {
        for child in &element.children {
            if child.name == "PropertyGroup" {
                for property in &child.children {
                    let is_certain = [element, child, property]
                        .iter()
                        .all(|one| is_unconditional(one));
                    let name = property.name.to_ascii_lowercase();
                    let value = is_certain.then_some(property.text.as_str());
                    self.properties.insert(name, value);
                }
            } else if matches!(child.name.as_str(), "Choose" | "When" | "Otherwise") {
                self.properties(child);
            }
        }
    }

    fn items(&mut self, element: &Element) {
        if !element.text.is_empty() {
            let cause = format!("text between the elements of {}", shown(&element.name));
            let (kind, line) = (GapKind::Malformed, Some(element.text_line));
            self.facts.unjudged(&self.path, line, kind, cause);
        }
        for child in &element.children {
            match child.name.as_str() {
                "ItemGroup" | "Choose" | "When" | "Otherwise" => self.items(child),
                // What else MSBuild may do here brings no packages.
                "PropertyGroup"
                | "Import"
                | "ImportGroup"
                | "Target"
                | "UsingTask"
                | "Sdk"
                | "ItemDefinitionGroup"
                | "ProjectExtensions" => {}
                name if ITEMS.contains(&name) => self.item(child),
                name => {
                    let versioned =
                        child.attribute("Version").is_some() || child.child("Version").is_some();
                    if versioned || element.name != "ItemGroup" {
                        let cause = format!("the element {} is not known", shown(name));
                        self.facts.malformed(&self.path, Some(child.line), cause);
                    }
                    // Other items are files and settings.
                }
            }
        }
    }

    fn item(&mut self, element: &Element) {
        let named = ["Include", "Update"];
        let named = named.iter().find_map(|name| element.attribute(name));
        let Some(name) = named else {
            if element.attribute("Remove").is_none() {
                let cause = format!("a {} without a name", element.name);
                self.facts.malformed(&self.path, Some(element.line), cause);
            }
            return; // `Remove` takes away what another file put there, which that file lists
        };
        let attributes = ["Version", "VersionOverride"];
        let mut attributes = attributes.iter().filter_map(|key| element.attribute(key));
        let attribute = attributes.next().map(|one| one.value.as_str());
        let child = element.child("Version").map(|one| one.text.as_str());
        let Some(written) = attribute.or(child) else {
            let cause = format!("package {} has no version", shown(&name.value));
            return self
                .facts
                .gap(&self.path, Some(name.line), GapKind::UnknownVersion, cause);
        };
        let Some(version) = self.resolve(written) else {
            let cause = format!(
                "package {} has the version {}, which this file does not tell",
                shown(&name.value),
                shown(written)
            );
            return self
                .facts
                .gap(&self.path, Some(name.line), GapKind::UnknownVersion, cause);
        };
        let Some(exact) = pinned(&version) else {
            let cause = format!(
                "package {} may have any version of {}",
                shown(&name.value),
                shown(&version)
            );
            return self
                .facts
                .gap(&self.path, Some(name.line), GapKind::Unpinned, cause);
        };
        // MSBuild takes a list where one name is expected.
        for id in name.value.split(';').map(str::trim) {
            let package = package(&self.path, name.line, id, exact, self.facts);
            if let Some(mut package) = package {
                match element.name.as_str() {
                    // It is not given on to those who use the project.
                    "GlobalPackageReference" => package.scope = Some(Scope::Dev),
                    "PackageReference" => package.direct = Some(true),
                    _ => {}
                }
                self.facts.add(package);
            }
        }
    }

    /// A text with its `$(Property)` replaced; `None` if one is not known.
    fn resolve(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for _ in 0..MAX_STEPS {
            let Some((before, rest)) = text.split_once("$(") else {
                return Some(text);
            };
            let (name, after) = rest.split_once(')')?;
            let value = self.properties.get(&name.trim().to_ascii_lowercase())?;
            text = format!("{before}{}{after}", value.as_ref()?);
        }
        None
    }
}

fn is_unconditional(element: &Element) -> bool {
    element.attribute("Condition").is_none()
        && !matches!(element.name.as_str(), "Choose" | "When" | "Otherwise")
}
