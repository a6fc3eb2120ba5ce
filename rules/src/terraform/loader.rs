//! Reads module directories, each once by its real path, however often and under whatever name a
//! module is called. Syntax trees are large: those that no stack needs any more are given up.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::Deserialize;

use super::module::Module;
use super::names::{Flavour, Role, is_values, replacement, role};
use super::problems::Problems;
use super::reading::Reading;
use super::source::{
    MAX_BLOCKS, MAX_FILE_BYTES, MAX_SOURCE_BYTES, MAX_TOKENS, parse_json, parse_native, tokens,
};
use crate::files::{self, Files};
use crate::input::Comment;
use crate::{Problem, ProblemKind};

/// Files of one directory that are read.
pub const MAX_FILES_PER_MODULE: usize = 5_000;

/// Tokens of modules that are kept from one stack to the next.
const KEPT_TOKENS: usize = 400_000;

/// Reads and keeps modules.
pub(super) struct Loader<'a> {
    pub(super) files: &'a Reading<'a>,
    pub(super) problems: &'a Problems,
    flavour: Flavour,
    modules: RefCell<BTreeMap<String, Option<Rc<Module>>>>,
    read: RefCell<BTreeSet<String>>,
    comment_words: &'a [&'static str],
    /// Comments with one of these words.
    comments: RefCell<BTreeSet<Comment>>,
    /// Files of values that some root loads, by their real paths.
    loaded: RefCell<BTreeSet<String>>,
    /// Directories where OpenTofu reads another file than Terraform.
    replaced: RefCell<BTreeSet<String>>,
    /// Of the whole run.
    bytes: Cell<usize>,
    /// Of the modules that are kept.
    blocks: Cell<usize>,
    tokens: Cell<usize>,
}

/// Comments of one run that are kept, see [`super::Options::comment_words`].
pub const MAX_COMMENTS: usize = 10_000;

/// What `init` and `apply` write into the folder of a root module, and into no other.
const OF_A_ROOT: [&str; 2] = [".terraform.lock.hcl", "terraform.tfstate"];

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

impl<'a> Loader<'a> {
    pub(super) fn new(
        files: &'a Reading<'a>,
        problems: &'a Problems,
        flavour: Flavour,
        comment_words: &'a [&'static str],
    ) -> Self {
        Self {
            files,
            problems,
            flavour,
            comment_words,
            comments: RefCell::default(),
            modules: RefCell::default(),
            read: RefCell::default(),
            loaded: RefCell::default(),
            replaced: RefCell::default(),
            bytes: Cell::new(0),
            blocks: Cell::new(0),
            tokens: Cell::new(0),
        }
    }

    /// Files that were read, and the comments that were asked for, sorted.
    pub(super) fn finish(self) -> (BTreeSet<String>, BTreeSet<Comment>) {
        (self.read.into_inner(), self.comments.into_inner())
    }

    /// Keeps comments; a module that is read again brings the same ones.
    fn note(&self, comments: &[Comment]) {
        let mut kept = self.comments.borrow_mut();
        for comment in comments {
            if kept.len() >= MAX_COMMENTS && !kept.contains(comment) {
                let cause = format!("only {MAX_COMMENTS} comments of all files are kept");
                let (file, line) = (comment.file.clone(), Some(comment.line));
                let problem = Problem::warning(ProblemKind::Limit, file, line, cause);
                self.problems.insert(problem);
                return;
            }
            kept.insert(comment.clone());
        }
    }

    /// Directories where OpenTofu reads another file than Terraform.
    pub(super) fn replaced(&self) -> BTreeSet<String> {
        self.replaced.borrow().clone()
    }

    /// Notes that a root loads a file of values.
    pub(super) fn loaded(&self, path: &str) {
        let real = self.files.real(path).unwrap_or_else(|_| path.to_owned());
        self.loaded.borrow_mut().insert(real);
    }

    pub(super) fn is_loaded(&self, path: &str) -> bool {
        let real = self.files.real(path).unwrap_or_else(|_| path.to_owned());
        self.loaded.borrow().contains(&real)
    }

    pub(super) fn mark_read(&self, path: &str) {
        self.read.borrow_mut().insert(path.to_owned());
    }

    /// The real path of a directory; the path itself where that cannot be told.
    pub(super) fn real(&self, directory: &str) -> String {
        let real = self.files.real(directory);
        real.unwrap_or_else(|_| directory.to_owned())
    }

    /// The module in a directory; `None` if there is no Terraform file.
    pub(super) fn module(&self, directory: &str) -> Option<Rc<Module>> {
        let directory = self.real(directory);
        if let Some(known) = self.modules.borrow().get(&directory) {
            return known.clone();
        }
        let module = self.load(&directory).map(Rc::new);
        if let Some(module) = &module {
            self.problems.extend(module.problems.iter().cloned());
        }
        self.modules.borrow_mut().insert(directory, module.clone());
        module
    }

    /// Gives up modules between two stacks, if there are many: who needs one reads it again.
    pub(super) fn trim(&self) {
        if self.tokens.get() > KEPT_TOKENS || self.blocks.get() > MAX_BLOCKS / 4 {
            self.modules.borrow_mut().clear();
            self.tokens.set(0);
            self.blocks.set(0);
        }
    }

    /// Whether somebody applies a directory as it is: it has a backend, values of its own, or what
    /// Terraform leaves where it was started.
    pub(super) fn is_applied(&self, directory: &str, module: &Module) -> bool {
        let is_left = |name: &String| OF_A_ROOT.contains(&name.as_str()) || is_values(name);
        module.has_backend || self.names(directory).iter().any(is_left)
    }

    /// The names of files in a directory, sorted.
    pub(super) fn names(&self, directory: &str) -> Vec<String> {
        let entries = match self.files.list(directory) {
            Ok(entries) => entries,
            // A module source that names nothing is reported where it is called.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let cause = format!("the directory cannot be read: {}", error.kind());
                let kind = ProblemKind::Unreadable;
                let problem = Problem::warning(kind, directory, None, cause);
                self.problems.insert(problem.whole());
                Vec::new()
            }
        };
        let files = entries.into_iter().filter(|entry| !entry.is_dir);
        let mut names: Vec<String> = files.map(|entry| entry.name).collect();
        names.sort();
        names
    }

    fn load(&self, directory: &str) -> Option<Module> {
        let all = self.names(directory);
        let mut names: Vec<(&String, Role)> = all
            .iter()
            .filter_map(|name| role(name, self.flavour).map(|role| (name, role)))
            .collect();
        if self.flavour == Flavour::OpenTofu {
            let is_replaced =
                |name: &String| replacement(name).is_some_and(|other| all.contains(&other));
            let before = names.len();
            names.retain(|(name, _)| !is_replaced(name));
            if names.len() < before {
                self.replaced.borrow_mut().insert(directory.to_owned());
            }
        }
        if names.is_empty() {
            return None;
        }
        let mut module = Module::default();
        if names.len() > MAX_FILES_PER_MODULE {
            names.truncate(MAX_FILES_PER_MODULE);
            let cause = format!("only {MAX_FILES_PER_MODULE} files of the directory are read");
            let problem = Problem::warning(ProblemKind::Limit, directory, None, cause);
            module.problems.push(problem.whole());
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
                    parse_native(&path, &text, number, self.comment_words)
                };
                self.note(&source.comments);
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
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.mark_read(path);
        let unread = |kind, cause: String| {
            let problem = Problem::warning(kind, path, None, cause);
            self.problems.insert(problem.whole());
            None
        };
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let cause = match error.kind() {
                    // Said by whoever hands out the files, and not by the system.
                    std::io::ErrorKind::Other => error.to_string(),
                    kind => kind.to_string(),
                };
                let cause = format!("the file cannot be read: {cause}");
                return unread(ProblemKind::Unreadable, cause);
            }
        };
        if bytes.len() > MAX_FILE_BYTES {
            let cause = format!("the file is larger than {MAX_FILE_BYTES} bytes");
            return unread(ProblemKind::Limit, cause);
        }
        self.bytes.set(self.bytes.get().saturating_add(bytes.len()));
        let tokens = self.tokens.get().saturating_add(tokens(&bytes));
        if self.bytes.get() > MAX_SOURCE_BYTES
            || self.blocks.get() > MAX_BLOCKS
            || tokens > MAX_TOKENS
        {
            let cause = format!(
                "all files together have more than {MAX_SOURCE_BYTES} bytes, or those of one stack more than {MAX_BLOCKS} blocks or {MAX_TOKENS} tokens"
            );
            return unread(ProblemKind::Limit, cause);
        }
        self.tokens.set(tokens);
        let Ok(text) = String::from_utf8(bytes) else {
            let cause = "the file is not UTF-8";
            let problem = Problem::error(ProblemKind::Syntax, path, None, cause);
            self.problems.insert(problem.whole());
            return None;
        };
        Some(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        })
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
                let line = u32::try_from(error.line()).ok();
                let cause = "the list of installed modules is not valid";
                let problem = Problem::warning(ProblemKind::Syntax, path, line, cause);
                self.problems.insert(problem);
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
