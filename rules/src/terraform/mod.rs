//! Terraform: from a directory of `.tf`, `.tofu`, their JSON forms and `.tfvars` files to
//! [`Stack`]s.
//!
//! A directory that no other module calls is a root module and is evaluated with the values of
//! its variable files, those that the user names, and the environment; what is called is
//! evaluated where it is called, with the arguments of the call; what is called and never brought
//! into being is evaluated as if nobody called it. Nothing is downloaded, and nothing outside the
//! scanned root read.

use std::collections::BTreeSet;

use crate::files::Files;
use crate::input::{Claim, Edit, Evaluation, Input, InputKind, Options};
use crate::{Problem, ProblemKind, Resource, Stack, Value};

mod data_sources;
mod edit;
mod loader;
mod module;
mod names;
mod problems;
mod reading;
mod roots;
mod source;
mod stack;
mod typing;
mod variable_files;

pub use loader::{MAX_COMMENTS, MAX_FILES_PER_MODULE};
pub use names::is_infrastructure;
pub use problems::MAX_PROBLEMS;
pub use reading::MAX_READ_BYTES;
pub use source::{
    MAX_BLOCKS, MAX_FILE_BYTES, MAX_NESTING, MAX_OBJECT_COST, MAX_SOURCE_BYTES, MAX_TOKENS,
};
pub use stack::{
    MAX_INSTANCES, MAX_MODULE_DEPTH, MAX_MODULES, MAX_RUN_INSTANCES, MAX_STACK_INSTANCES,
};

use crate::expression::{Budget, MAX_DEPTH};
use loader::{Loader, join};
use names::{Flavour, is_made, is_values, other_tool};
use problems::Problems;
use reading::Reading;
use roots::{Graph, Left};
use stack::{Run, Totals};

/// Stack of the thread that evaluates; what recursion costs there is bounded by
/// [`MAX_DEPTH`].
const STACK_BYTES: usize = 256 << 20;

/// Terraform and OpenTofu as they are written: directories of modules.
pub(crate) struct Hcl;

impl InputKind for Hcl {
    fn id(&self) -> &'static str {
        "terraform"
    }

    fn claim(&self, name: &str) -> Claim {
        if is_infrastructure(name) {
            Claim::Name
        } else {
            Claim::No
        }
    }

    fn is_content(&self, _first: &[u8]) -> bool {
        false
    }

    fn is_by_directory(&self) -> bool {
        true
    }

    fn load(&self, input: Input<'_>, visit: &mut (dyn FnMut(Stack) + Send)) -> Evaluation {
        let sources = input.sources;
        evaluate_each(input.files, input.paths, input.options, &mut |stack| {
            sources.add(&stack);
            visit(stack);
        })
    }

    fn write_fix(
        &self,
        files: &dyn Files,
        resource: &Resource,
        attribute: &[String],
        value: &Value,
    ) -> Option<Edit> {
        let text = self.show_fix(value)?;
        let bytes = files.read(&resource.span.file).ok()?;
        edit::set(&bytes, resource, attribute, &text)
    }

    fn fence(&self) -> &'static str {
        "hcl"
    }

    fn example_name(&self) -> &'static str {
        "main.tf"
    }
}

/// Evaluates the root modules among `directories` (each relative to the root of `files`) and
/// keeps all stacks.
pub fn evaluate(files: &dyn Files, directories: &[String], options: &Options) -> Evaluation {
    let mut stacks = Vec::new();
    let evaluation = evaluate_each(files, directories, options, &mut |stack| stacks.push(stack));
    Evaluation {
        stacks,
        ..evaluation
    }
}

/// Evaluates the root modules among `directories` and hands each stack over as soon as it is
/// whole, so that one at a time is in memory.
pub fn evaluate_each(
    files: &dyn Files,
    directories: &[String],
    options: &Options,
    visit: &mut (dyn FnMut(Stack) + Send),
) -> Evaluation {
    let on_thread = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("terraform".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || evaluate_here(files, directories, options, visit))
            .ok()?
            .join()
            .ok()
    });
    on_thread.unwrap_or_else(|| {
        let problem = |directory: &String| {
            let cause = "there was no memory for a thread that evaluates the module";
            Problem::warning(ProblemKind::Limit, directory.as_str(), None, cause).whole()
        };
        Evaluation {
            problems: directories.iter().map(problem).collect(),
            ..Evaluation::default()
        }
    })
}

fn evaluate_here(
    files: &dyn Files,
    directories: &[String],
    options: &Options,
    visit: &mut dyn FnMut(Stack),
) -> Evaluation {
    let (reading, problems) = (Reading::new(files), Problems::default());
    let totals = Totals::new(Budget::new(MAX_DEPTH));
    let loader = Loader::new(
        &reading,
        &problems,
        Flavour::OpenTofu,
        options.comment_words,
    );
    let mut evaluation = Evaluation::default();
    evaluate_all(&loader, &totals, directories, options, &mut |stack, _| {
        evaluation.coverage.roots = evaluation.coverage.roots.saturating_add(1);
        visit(stack);
    });
    report_beside(&loader, directories);
    let (resolved, unresolved) = totals.calls();
    evaluation.coverage.modules_resolved = resolved;
    evaluation.coverage.modules_unresolved = unresolved;
    let replaced = loader.replaced();
    let (mut read, mut comments) = loader.finish();
    if !replaced.is_empty() {
        // Both tools may be the one that applies it: what Terraform reads counts, too.
        let loader = Loader::new(
            &reading,
            &problems,
            Flavour::Terraform,
            options.comment_words,
        );
        let totals = Totals::new(totals.into_budget());
        evaluate_all(
            &loader,
            &totals,
            directories,
            options,
            &mut |stack, there| {
                if there.iter().any(|directory| replaced.contains(directory)) {
                    visit(Stack {
                        again: true,
                        ..stack
                    });
                }
            },
        );
        let (more, others) = loader.finish();
        read.extend(more);
        comments.extend(others);
    }
    evaluation.problems = problems.finish();
    evaluation.files = read.into_iter().collect();
    evaluation.comments = comments.into_iter().collect();
    evaluation
}

/// Evaluates every root; `visit` gets the stack and the directories that it brings into being.
fn evaluate_all(
    loader: &Loader<'_>,
    totals: &Totals,
    directories: &[String],
    options: &Options,
    visit: &mut dyn FnMut(Stack, &BTreeSet<String>),
) {
    let graph = Graph::of(loader, directories);
    let mut left = graph.all();
    let mut one = |root: &str, left: &mut Left<'_>| {
        loader.trim();
        let (stack, mut directories) = Run::stack(loader, options, root, totals);
        directories.insert(root.to_owned());
        visit(stack, &directories);
        left.are_there(&directories);
    };
    for root in graph.roots() {
        one(&root, &mut left);
    }
    while let Some(root) = left.next() {
        one(&root, &mut left);
    }
}

/// Says of files beside the modules that they were not loaded or not read.
fn report_beside(loader: &Loader<'_>, directories: &[String]) {
    for directory in directories.iter().filter(|directory| !is_made(directory)) {
        for name in loader.names(directory) {
            let path = join(directory, &name);
            if let Some(tool) = other_tool(&name) {
                let cause = format!(
                    "a file of {tool}, which says what is applied with which values, is not read"
                );
                let kind = ProblemKind::NotRead;
                loader
                    .problems
                    .insert(Problem::warning(kind, path, None, cause));
            } else if is_values(&name) && !loader.is_loaded(&path) {
                let cause = "values that no root module loads by itself; name the file with --var-file to judge with them";
                let kind = ProblemKind::NotLoaded;
                loader
                    .problems
                    .insert(Problem::warning(kind, path, None, cause));
            }
        }
    }
}
