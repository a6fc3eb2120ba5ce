//! Reads module directories, each file once, however often a module is called.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use serde::Deserialize;

use super::module::Module;
use super::source::{
    Attribute, MAX_BLOCKS, MAX_FILE_BYTES, MAX_SOURCE_BYTES, Source, parse_json,
    parse_json_variables, parse_native,
};
use crate::files::{self, Files};
use crate::{Problem, ProblemKind, ProblemSeverity};

/// Files of one directory that are read.
pub const MAX_FILES_PER_MODULE: usize = 5_000;

/// Reads and keeps modules.
pub(super) struct Loader<'a> {
    pub(super) files: &'a dyn Files,
    modules: RefCell<BTreeMap<String, Option<Rc<Module>>>>,
    read: RefCell<BTreeSet<String>>,
    problems: RefCell<BTreeSet<Problem>>,
    bytes: Cell<usize>,
    blocks: Cell<usize>,
}

/// `.terraform/modules/modules.json`: where `terraform init` has put the modules.
#[derive(Deserialize, Default)]
struct Manifest {
    #[serde(rename = "Modules", default)]
    modules: Vec<ManifestEntry>,
}

#[derive(Deserialize)]
struct ManifestEntry {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    dir: String,
}

/// What a file in a module directory is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Declares,
    Overrides,
}

fn role(name: &str) -> Option<Role> {
    let stem = name
        .strip_suffix(".tf")
        .or_else(|| name.strip_suffix(".tf.json"))?;
    // Editors leave such files behind; Terraform skips them too.
    let is_backup = name.ends_with('~') || name.starts_with('#') && name.ends_with('#');
    if name.starts_with('.') || is_backup {
        return None;
    }
    if stem == "override" || stem.ends_with("_override") {
        Some(Role::Overrides)
    } else {
        Some(Role::Declares)
    }
}

impl<'a> Loader<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            modules: RefCell::default(),
            read: RefCell::default(),
            problems: RefCell::default(),
            bytes: Cell::new(0),
            blocks: Cell::new(0),
        }
    }

    /// Files that were read and problems that were met, both sorted.
    pub(super) fn finish(self) -> (BTreeSet<String>, BTreeSet<Problem>) {
        (self.read.into_inner(), self.problems.into_inner())
    }

    /// The module in a directory; `None` if there is no Terraform file.
    pub(super) fn module(&self, directory: &str) -> Option<Rc<Module>> {
        if let Some(known) = self.modules.borrow().get(directory) {
            return known.clone();
        }
        let module = self.load(directory).map(Rc::new);
        if let Some(module) = &module {
            let problems = module.problems.iter().cloned();
            self.problems.borrow_mut().extend(problems);
        }
        self.modules
            .borrow_mut()
            .insert(directory.to_owned(), module.clone());
        module
    }

    /// Whether somebody applies a directory as it is: it has a backend, or values of its own.
    pub(super) fn is_applied(&self, directory: &str) -> bool {
        let has_backend = self
            .module(directory)
            .is_some_and(|module| module.has_backend);
        let is_values = |name: &String| {
            let stem = name.strip_suffix(".json").unwrap_or(name);
            stem == "terraform.tfvars" || stem.ends_with(".auto.tfvars")
        };
        has_backend || self.names(directory).iter().any(is_values)
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let entries = match self.files.list(directory) {
            Ok(entries) => entries,
            // A module source that names nothing is reported where it is called.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.problems.borrow_mut().insert(Problem {
                    path: directory.into(),
                    line: None,
                    kind: ProblemKind::Unreadable,
                    severity: ProblemSeverity::Warning,
                    cause: format!("the directory cannot be read: {}", error.kind()),
                });
                Vec::new()
            }
        };
        let files = entries.into_iter().filter(|entry| !entry.is_dir);
        let mut names: Vec<String> = files.map(|entry| entry.name).collect();
        names.sort();
        names
    }

    fn load(&self, directory: &str) -> Option<Module> {
        let mut names: Vec<(String, Role)> = self
            .names(directory)
            .into_iter()
            .filter_map(|name| role(&name).map(|role| (name, role)))
            .collect();
        if names.is_empty() {
            return None;
        }
        let mut module = Module::default();
        if names.len() > MAX_FILES_PER_MODULE {
            names.truncate(MAX_FILES_PER_MODULE);
            module.problems.push(Problem {
                path: directory.into(),
                line: None,
                kind: ProblemKind::Limit,
                severity: ProblemSeverity::Warning,
                cause: format!("only {MAX_FILES_PER_MODULE} files of the directory are read"),
            });
        }
        for wanted in [Role::Declares, Role::Overrides] {
            for (number, (name, role)) in names.iter().enumerate() {
                if *role != wanted {
                    continue;
                }
                let path = join(directory, name);
                let Some(text) = self.text(&path) else {
                    continue;
                };
                let source = if is_json(name) {
                    parse_json(&path, &text)
                } else {
                    parse_native(&path, &text, number)
                };
                let blocks = self.blocks.get().saturating_add(source.body.size());
                self.blocks.set(blocks);
                match role {
                    Role::Declares => module.add(source),
                    Role::Overrides => module.override_with(source),
                }
            }
        }
        Some(module)
    }

    /// A file as text without byte order mark; what cannot be read is a problem.
    fn text(&self, path: &str) -> Option<String> {
        self.read.borrow_mut().insert(path.to_owned());
        let problem = |kind, severity, cause: String| {
            self.problems.borrow_mut().insert(Problem {
                path: path.into(),
                line: None,
                kind,
                severity,
                cause,
            });
        };
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let cause = format!("the file cannot be read: {}", error.kind());
                problem(ProblemKind::Unreadable, ProblemSeverity::Warning, cause);
                return None;
            }
        };
        if bytes.len() > MAX_FILE_BYTES {
            let cause = format!("the file is larger than {MAX_FILE_BYTES} bytes");
            problem(ProblemKind::Limit, ProblemSeverity::Warning, cause);
            return None;
        }
        let total = self.bytes.get().saturating_add(bytes.len());
        self.bytes.set(total);
        if total > MAX_SOURCE_BYTES || self.blocks.get() > MAX_BLOCKS {
            let cause = format!(
                "all files together have more than {MAX_SOURCE_BYTES} bytes or {MAX_BLOCKS} blocks"
            );
            problem(ProblemKind::Limit, ProblemSeverity::Warning, cause);
            return None;
        }
        let Ok(text) = String::from_utf8(bytes) else {
            let cause = "the file is not UTF-8".to_owned();
            problem(ProblemKind::Syntax, ProblemSeverity::Error, cause);
            return None;
        };
        Some(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        })
    }

    /// The values that files in a root directory give to variables, the last file first
    /// overruled: `terraform.tfvars`, `terraform.tfvars.json`, then `*.auto.tfvars` and
    /// `*.auto.tfvars.json` in the order of their names.
    pub(super) fn variable_files(&self, directory: &str) -> BTreeMap<Arc<str>, Attribute> {
        let names = self.names(directory);
        let is_auto =
            |name: &&String| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
        let fixed = ["terraform.tfvars", "terraform.tfvars.json"];
        let fixed = fixed
            .into_iter()
            .filter(|fixed| names.iter().any(|name| name == fixed));
        let automatic = names.iter().filter(is_auto).map(String::as_str);
        let mut values = BTreeMap::new();
        for name in fixed.chain(automatic) {
            let path = join(directory, name);
            let Some(text) = self.text(&path) else {
                continue;
            };
            let source: Source = if is_json(name) {
                parse_json_variables(&path, &text)
            } else {
                parse_native(&path, &text, 0)
            };
            self.problems.borrow_mut().extend(source.problems);
            for attribute in source.body.attributes {
                values.insert(attribute.name.clone(), attribute);
            }
        }
        values
    }

    /// Directories of installed modules by their path of call names (`a.b`).
    pub(super) fn manifest(&self, root: &str) -> BTreeMap<String, String> {
        let path = join(root, ".terraform/modules/modules.json");
        if !self.files.is_file(&path) {
            return BTreeMap::new();
        }
        let Some(text) = self.text(&path) else {
            return BTreeMap::new();
        };
        let manifest = match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) => manifest,
            Err(error) => {
                self.problems.borrow_mut().insert(Problem {
                    path: path.into(),
                    line: u32::try_from(error.line()).ok(),
                    kind: ProblemKind::Syntax,
                    severity: ProblemSeverity::Warning,
                    cause: "the list of installed modules is not valid".to_owned(),
                });
                return BTreeMap::new();
            }
        };
        let entries = manifest.modules.into_iter();
        entries
            .filter_map(|entry| {
                Some((entry.key, files::join(root, &entry.dir.replace('\\', "/"))?))
            })
            .collect()
    }
}

/// Terraform's file names are lower case.
fn is_json(name: &str) -> bool {
    name.strip_suffix(".json").is_some()
}

pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}
