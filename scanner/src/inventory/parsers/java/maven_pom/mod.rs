//! `pom.xml` of Maven (maven.apache.org, "POM Reference"), as far as the tree tells: the dependencies
//! of the project, with properties and managed versions of its own and of parents that lie in the
//! tree. What they need themselves, what plug-ins are, and what a parent elsewhere adds stands in no
//! file: one gap says so. Profiles are not active, which is a gap where they have dependencies.

mod model;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::coordinates::{is_part, is_version, package};
use crate::inventory::collect::shown;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::xml::{self, Element};
use model::{Above, MAX_PARENTS, Model, text};

/// `pom.xml`; another name has to be given to Maven.
pub(crate) static PARSER: Parser = Parser {
    id: "maven-pom",
    wants: &[Want::Name("pom.xml")],
    parse,
    ..Parser::LOCKFILE
};

/// What a project may hold, in any version of the model.
const PROJECT: [&str; 30] = [
    "artifactId",
    "build",
    "ciManagement",
    "contributors",
    "dependencies",
    "dependencyManagement",
    "description",
    "developers",
    "distributionManagement",
    "groupId",
    "inceptionYear",
    "issueManagement",
    "licenses",
    "mailingLists",
    "modelVersion",
    "modules",
    "name",
    "organization",
    "packaging",
    "parent",
    "pluginRepositories",
    "prerequisites",
    "profiles",
    "properties",
    "reporting",
    "repositories",
    "scm",
    "subprojects",
    "url",
    "version",
];

/// What a dependency may hold.
const DEPENDENCY: [&str; 9] = [
    "artifactId",
    "classifier",
    "exclusions",
    "groupId",
    "optional",
    "scope",
    "systemPath",
    "type",
    "version",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let root = xml::parse(input.content.whole()?)?;
    if root.name != "project" {
        return Err(ParseError::at(root.line, "this is not a Maven project"));
    }
    let path: Arc<str> = input.path.into();
    if let Some(odd) = unknown(&root, &PROJECT) {
        let cause = format!("the element {} is not known in a project", shown(&odd.name));
        facts.unjudged(&path, Some(odd.line), GapKind::Malformed, cause);
    }
    let (parents, above) = model::parents(&root, input.beside);
    let mut reader = Reader {
        model: Model::new(&root, &parents),
        is_complete: matches!(above, Above::Nothing),
        path: &path,
        facts,
    };
    for name in [
        "dependencies",
        "properties",
        "dependencyManagement",
        "parent",
    ] {
        if let Err(error) = root.only(name) {
            let error = ParseError::from(error);
            reader
                .facts
                .unjudged(&path, error.line, error.kind, error.cause);
        }
    }
    for list in root.all("dependencies") {
        reader.refuse_text(list);
        for element in &list.children {
            reader.read(element);
        }
    }
    reader.profiles(&root);
    reader.rest(&root, &above);
    Ok(())
}

fn unknown<'e>(element: &'e Element, known: &[&str]) -> Option<&'e Element> {
    let mut children = element.children.iter();
    children.find(|child| !known.contains(&child.name.as_str()))
}

struct Reader<'a> {
    model: Model<'a>,
    /// Whether all parents are there.
    is_complete: bool,
    path: &'a Arc<str>,
    facts: &'a mut Facts,
}

impl Reader<'_> {
    fn read(&mut self, element: &Element) {
        if element.name != "dependency" {
            let cause = format!("the element {} is not a dependency", shown(&element.name));
            let (kind, line) = (GapKind::Malformed, Some(element.line));
            return self.facts.unjudged(self.path, line, kind, cause);
        }
        self.refuse_text(element);
        if let Some(odd) = unknown(element, &DEPENDENCY) {
            let cause = format!(
                "the element {} is not known in a dependency",
                shown(&odd.name)
            );
            self.facts.malformed(self.path, Some(odd.line), cause);
        }
        for name in DEPENDENCY {
            if let Err(error) = element.only(name) {
                let error = ParseError::from(error);
                self.facts
                    .gap(self.path, error.line, error.kind, error.cause);
            }
        }
        let line = element
            .child("artifactId")
            .map_or(element.line, |artifact| artifact.text_line);
        let group = self.model.resolve(text(element, "groupId"));
        let artifact = self.model.resolve(text(element, "artifactId"));
        let (group, artifact) = match (group, artifact) {
            (Ok(group), Ok(artifact)) => (group, artifact),
            (Err(name), _) | (_, Err(name)) => return self.unresolved(line, "a dependency", &name),
        };
        let name = format!("{group}:{artifact}");
        if !is_part(&group) || !is_part(&artifact) {
            let cause = format!("{:?} is not the name of a Maven artifact", shown(&name));
            return self.facts.malformed(self.path, Some(line), cause);
        }
        let own = text(element, "version");
        let written = if own.is_empty() {
            self.model.managed(element, "version")
        } else {
            own
        };
        if written.is_empty() {
            return self.unmanaged(line, &name);
        }
        let version = match self.model.resolve(written) {
            Ok(version) => version,
            Err(property) => return self.unresolved(line, &name, &property),
        };
        let exact = version
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let exact = exact.unwrap_or(&version).trim();
        if version.contains(['[', ']', '(', ')', ',']) && !is_version(exact)
            || matches!(exact, "LATEST" | "RELEASE")
        {
            let cause = format!(
                "{} may have any version of {}",
                shown(&name),
                shown(&version)
            );
            let kind = GapKind::Unpinned;
            return self.facts.gap(self.path, Some(line), kind, cause);
        }
        let parts = (&*group, &*artifact, exact);
        if let Some(mut package) = package(self.path, line, parts, self.facts) {
            package.scope = self.scope(element, line);
            package.direct = Some(true);
            self.facts.add(package);
        }
    }

    /// Text between elements is what is left of one that lost its bracket.
    fn refuse_text(&mut self, element: &Element) {
        if !element.text.is_empty() {
            let cause = format!("text between the elements of {}", shown(&element.name));
            let (kind, line) = (GapKind::Malformed, Some(element.text_line));
            self.facts.unjudged(self.path, line, kind, cause);
        }
    }

    fn scope(&mut self, element: &Element, line: u32) -> Option<Scope> {
        let either = |name: &str| {
            let own = text(element, name);
            let text = if own.is_empty() {
                self.model.managed(element, name)
            } else {
                own
            };
            self.model.resolve(text).unwrap_or_default()
        };
        let is_optional = either("optional") == "true";
        Some(match either("scope").as_str() {
            "test" => Scope::Dev,
            "provided" => Scope::Peer,
            _ if is_optional => Scope::Optional,
            "" | "compile" | "runtime" | "system" => Scope::Runtime,
            other => {
                let cause = format!("the scope {:?} is not known", shown(other));
                self.facts.malformed(self.path, Some(line), cause);
                return None;
            }
        })
    }

    fn unresolved(&mut self, line: u32, name: &str, property: &str) {
        let cause = format!(
            "{} has the property {} that no file of the tree sets",
            shown(name),
            shown(property)
        );
        let kind = GapKind::UnknownVersion;
        self.facts.gap(self.path, Some(line), kind, cause);
    }

    fn unmanaged(&mut self, line: u32, name: &str) {
        let name = shown(name);
        let cause = if self.model.has_imports {
            format!("the version of {name} is managed by a project that is imported, and not here")
        } else if self.is_complete {
            format!("{name} has no version")
        } else {
            format!("the version of {name} is managed by a parent that is not in the tree")
        };
        let kind = GapKind::UnknownVersion;
        self.facts.gap(self.path, Some(line), kind, cause);
    }

    fn profiles(&mut self, root: &Element) {
        let profiles = root.all("profiles").flat_map(|all| &all.children);
        for profile in profiles {
            let has = |name| {
                profile
                    .child(name)
                    .is_some_and(|list| !list.children.is_empty())
            };
            if has("dependencies") {
                let id = shown(text(profile, "id"));
                let cause = format!("the dependencies of the profile {id} are not read");
                let line = Some(profile.line);
                self.facts.gap(self.path, line, GapKind::NotRead, cause);
            }
        }
    }

    /// What no file of the project says.
    fn rest(&mut self, root: &Element, above: &Above) {
        let plugins = ["build", "reporting"];
        let mut plugins = plugins.iter().filter_map(|name| root.child(name));
        let asks = root.child("dependencies").is_some()
            || root.child("dependencyManagement").is_some()
            || root.child("parent").is_some()
            || plugins.any(has_plugins);
        if !asks {
            return;
        }
        let what =
            "Maven project without a lockfile: transitive dependencies and plug-ins are not known";
        let cause = match above {
            Above::Nothing => what.to_owned(),
            Above::Missing(parent) => format!(
                "{what}, nor what the parent {} adds, which is not in the tree",
                shown(parent)
            ),
            Above::TooMany => format!("{what}, nor what more than {MAX_PARENTS} parents add"),
        };
        self.facts.gap(self.path, None, GapKind::NoLockfile, cause);
    }
}

/// Whether a part of a project has plug-ins, managed ones among them.
fn has_plugins(part: &Element) -> bool {
    let managed = part.child("pluginManagement");
    [Some(part), managed]
        .into_iter()
        .flatten()
        .any(|part| part.child("plugins").is_some())
}
