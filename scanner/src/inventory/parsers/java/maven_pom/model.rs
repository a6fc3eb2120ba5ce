//! What a project of Maven knows once its parents are put below it, as far as they lie in the tree:
//! properties, managed versions, and coordinates of its own (maven.apache.org, "Introduction to the
//! POM", "Project Inheritance" and "Project Interpolation").

use std::collections::BTreeMap;

use crate::inventory::Beside;
use crate::inventory::parsers::shared::has_extension;
use document::xml::{self, Element};

/// Parents above each other that are read.
pub(super) const MAX_PARENTS: usize = 16;

/// Most bytes of a parent.
const MOST: u64 = 4 << 20;

/// How often a property may stand for another, in one text.
const MAX_STEPS: usize = 64;

/// Bytes of a text with its properties replaced.
const MAX_TEXT: usize = 4096;

/// The parent that is named last and is not in the tree.
#[derive(Debug)]
pub(super) enum Above {
    /// The last project names none.
    Nothing,
    /// Coordinates of the one that is missing, as they are written.
    Missing(String),
    /// There are more than are read.
    TooMany,
}

/// A project, and the parents that lie in the tree, nearest first.
pub(super) fn parents(own: &Element, beside: &dyn Beside) -> (Vec<Element>, Above) {
    let mut all: Vec<Element> = Vec::new();
    let mut directory = String::new();
    loop {
        let project = all.last().unwrap_or(own);
        let Some(parent) = project.child("parent") else {
            return (all, Above::Nothing);
        };
        if all.len() >= MAX_PARENTS {
            return (all, Above::TooMany);
        }
        let missing = Above::Missing(format!(
            "{}:{}:{}",
            text(parent, "groupId"),
            text(parent, "artifactId"),
            text(parent, "version")
        ));
        let relative = parent.child("relativePath");
        let relative = relative.map_or("../pom.xml", |element| element.text.as_str());
        if relative.is_empty() {
            return (all, missing); // it asks not to look
        }
        let file = if has_extension(relative, ".xml") || has_extension(relative, ".pom") {
            format!("{directory}{relative}")
        } else {
            format!("{directory}{}/pom.xml", relative.trim_end_matches('/'))
        };
        // What lies outside of the tree, or cannot be read, is another project's.
        let found = beside.read(&file, MOST).ok().flatten();
        let found = found.and_then(|bytes| xml::parse(&bytes).ok());
        let Some(found) = found.filter(|found| is_named(found, parent)) else {
            return (all, missing);
        };
        directory = match file.rsplit_once('/') {
            Some((above, _)) => format!("{above}/"),
            None => String::new(),
        };
        all.push(found);
    }
}

/// Whether a project is the one that another names as its parent. Its version and group may be
/// properties, or its own parent's.
fn is_named(project: &Element, parent: &Element) -> bool {
    let group = text(project, "groupId");
    project.name == "project"
        && text(project, "artifactId") == text(parent, "artifactId")
        && (group.is_empty() || group == text(parent, "groupId"))
}

/// The text of a child; empty where there is none.
pub(super) fn text<'e>(element: &'e Element, name: &str) -> &'e str {
    element.child(name).map_or("", |child| &child.text)
}

/// What stands for a dependency in the management of versions.
pub(super) type Key = (String, String, String, String);

/// See the module.
pub(super) struct Model<'e> {
    properties: BTreeMap<&'e str, &'e str>,
    managed: BTreeMap<Key, &'e Element>,
    /// Whether versions are imported from other projects.
    pub(super) has_imports: bool,
}

impl<'e> Model<'e> {
    pub(super) fn new(own: &'e Element, parents: &'e [Element]) -> Self {
        let chain = || std::iter::once(own).chain(parents);
        let mut model = Self {
            properties: BTreeMap::new(),
            managed: BTreeMap::new(),
            has_imports: false,
        };
        for project in chain() {
            for property in project.all("properties").flat_map(|all| &all.children) {
                let name = property.name.as_str();
                model.properties.entry(name).or_insert(&property.text);
            }
        }
        let of_parent = |name| own.child("parent").map_or("", |parent| text(parent, name));
        let inherited = |name| Some(text(own, name)).filter(|text| !text.is_empty());
        let own_or = |name| inherited(name).unwrap_or_else(|| of_parent(name));
        for (names, value) in [
            (
                ["project.groupId", "pom.groupId", "groupId"],
                own_or("groupId"),
            ),
            (
                ["project.artifactId", "pom.artifactId", "artifactId"],
                text(own, "artifactId"),
            ),
            (
                ["project.version", "pom.version", "version"],
                own_or("version"),
            ),
            (
                [
                    "project.parent.groupId",
                    "pom.parent.groupId",
                    "parent.groupId",
                ],
                of_parent("groupId"),
            ),
            (
                [
                    "project.parent.version",
                    "pom.parent.version",
                    "parent.version",
                ],
                of_parent("version"),
            ),
        ] {
            if !value.is_empty() {
                model.properties.extend(names.map(|name| (name, value)));
            }
        }
        for project in chain() {
            let lists = project.all("dependencyManagement");
            let lists = lists.flat_map(|one| one.all("dependencies"));
            for managed in lists.flat_map(|list| list.all("dependency")) {
                if text(managed, "scope") == "import" {
                    model.has_imports = true;
                } else if let Some(key) = model.key(managed) {
                    model.managed.entry(key).or_insert(managed);
                }
            }
        }
        model
    }

    /// What a dependency is found by; `None` where a property in it is not known.
    fn key(&self, dependency: &Element) -> Option<Key> {
        let part = |name: &str| self.resolve(text(dependency, name)).ok();
        let kind = part("type")?;
        let kind = if kind.is_empty() {
            "jar".to_owned()
        } else {
            kind
        };
        Some((
            part("groupId")?,
            part("artifactId")?,
            kind,
            part("classifier")?,
        ))
    }

    /// What is managed for a dependency under the name of an element, such as its version.
    pub(super) fn managed(&self, dependency: &Element, name: &str) -> &str {
        let managed = self.key(dependency).and_then(|key| self.managed.get(&key));
        managed.map_or("", |managed| text(managed, name))
    }

    /// A text with its properties replaced; the name of one that is not known.
    pub(super) fn resolve(&self, written: &str) -> Result<String, String> {
        let mut text = written.to_owned();
        for _ in 0..MAX_STEPS {
            let Some((before, rest)) = text.split_once("${") else {
                return Ok(text);
            };
            let (name, after) = rest.split_once('}').ok_or_else(|| written.to_owned())?;
            let value = self.properties.get(name.trim()).ok_or(name)?;
            text = format!("{before}{value}{after}");
            if text.len() > MAX_TEXT {
                break;
            }
        }
        Err(written.to_owned())
    }
}
