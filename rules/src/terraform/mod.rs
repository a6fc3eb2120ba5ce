//! Terraform: from a directory of `.tf`, `.tf.json` and `.tfvars` files to [`Stack`]s.
//!
//! A directory that no other module calls is a root module and is evaluated with the values of
//! its variable files and the environment; what is called is evaluated where it is called, with
//! the arguments of the call. Nothing is downloaded, and nothing outside the scanned root read.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::Expression;

use crate::files::Files;
use crate::{Problem, ProblemKind, ProblemSeverity, Stack};

mod data_sources;
pub mod eval;
mod loader;
mod module;
mod source;
mod stack;
mod typing;

pub use loader::MAX_FILES_PER_MODULE;
pub use source::{MAX_BLOCKS, MAX_FILE_BYTES, MAX_NESTING, MAX_OBJECT_COST, MAX_SOURCE_BYTES};
pub use stack::{MAX_INSTANCES, MAX_MODULE_DEPTH, MAX_MODULES, MAX_STACK_INSTANCES};

use loader::Loader;
use module::Module;
use stack::{Run, SourcePath, source_directory};

/// Stack of the thread that evaluates; what recursion costs there is bounded by
/// [`eval::MAX_DEPTH`].
const STACK_BYTES: usize = 256 << 20;

/// What the user may set for an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `TF_VAR_name` values from the environment, by variable name.
    pub environment: BTreeMap<String, String>,
    /// `terraform.workspace`; `default` when unset.
    pub workspace: Option<String>,
}

/// Everything found below one root directory.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// One per root module, sorted by directory.
    pub stacks: Vec<Stack>,
    /// What could not be read or decided, sorted.
    pub problems: Vec<Problem>,
    /// Files that were read, sorted.
    pub files: Vec<String>,
}

/// Evaluates the root modules among `directories` (each relative to the root of `files`, each
/// holding at least one Terraform file).
pub fn evaluate(files: &dyn Files, directories: &[String], options: &Options) -> Evaluation {
    let on_thread = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("terraform".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || evaluate_here(files, directories, options))
            .ok()?
            .join()
            .ok()
    });
    on_thread.unwrap_or_else(|| {
        let problem = |directory: &String| Problem {
            path: directory.as_str().into(),
            line: None,
            kind: ProblemKind::Limit,
            severity: ProblemSeverity::Warning,
            cause: "there was no memory for a thread that evaluates the module".to_owned(),
        };
        Evaluation {
            problems: directories.iter().map(problem).collect(),
            ..Evaluation::default()
        }
    })
}

fn evaluate_here(files: &dyn Files, directories: &[String], options: &Options) -> Evaluation {
    let loader = Loader::new(files);
    let mut problems = BTreeSet::new();
    let mut stacks = Vec::new();
    for root in roots(&loader, directories) {
        let (stack, more) = Run::stack(&loader, options, &root);
        stacks.push(stack);
        problems.extend(more);
    }
    let (read, more) = loader.finish();
    problems.extend(more);
    Evaluation {
        stacks,
        problems: problems.into_iter().collect(),
        files: read.into_iter().collect(),
    }
}

/// The directories that no module calls or that are applied by themselves, and one of each
/// circle that nobody else calls.
fn roots(loader: &Loader<'_>, directories: &[String]) -> BTreeSet<String> {
    let is_installed = |directory: &str| directory.split('/').any(|part| part == ".terraform");
    let mut calls: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for directory in directories {
        if is_installed(directory) {
            continue;
        }
        if let Some(module) = loader.module(directory) {
            calls.insert(directory, callees(directory, &module));
        }
    }
    let called: BTreeSet<&str> = calls
        .iter()
        .flat_map(|(own, callees)| {
            let others = callees.iter().map(String::as_str);
            others.filter(move |callee| callee != own)
        })
        .collect();
    // A directory with its own state or values is applied by itself, whoever else calls it.
    let mut roots: BTreeSet<String> = calls
        .keys()
        .filter(|directory| !called.contains(*directory) || loader.is_applied(directory))
        .map(|directory| (*directory).to_owned())
        .collect();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = roots.iter().cloned().collect();
    let mut left = calls.keys();
    loop {
        while let Some(directory) = open.pop() {
            let callees = calls.get(&*directory);
            if reached.insert(directory) {
                open.extend(callees.into_iter().flatten().cloned());
            }
        }
        // What is left is called only from a circle.
        match left.find(|directory| !reached.contains(**directory)) {
            Some(directory) => {
                roots.insert((*directory).to_owned());
                open.push((*directory).to_owned());
            }
            None => return roots,
        }
    }
}

/// The directories that a module's local calls name.
fn callees(directory: &str, module: &Module) -> BTreeSet<String> {
    let sources = module.calls.values().filter_map(|call| {
        let source = call.body.attribute("source")?;
        let Expression::String(source) = &source.expression else {
            return None;
        };
        match source_directory(directory, source.as_str()) {
            SourcePath::Local(callee) => Some(callee),
            SourcePath::Outside | SourcePath::Remote => None,
        }
    });
    sources.collect()
}
