//! Plans of Terraform and OpenTofu, as `terraform show -json` writes them (JSON output format,
//! `format_version` 1): what a plan knows is known, `after_unknown` is unknown, and what an unknown
//! value is made from stands in the configuration that the plan brings along.
//!
//! Rules see the same as of the code: an attribute that is null was not written, a nested block is a
//! list of objects, an address has its module path and instance keys. A finding stands at the
//! attribute in the code where that was evaluated too, else at a JSON pointer into the plan.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::files::Files;
use crate::input::{Claim, Evaluation, Input, InputKind, Loaded, Options, Sources, each_file};
use crate::{Problem, ProblemKind, Stack};

mod beside;
mod body;
mod configuration;
mod resources;

pub(crate) use beside::meta;
pub(crate) use body::{Body, Said};
pub(crate) use configuration::Module;

/// Plans: one file is one stack.
pub(crate) struct Plan;

/// Modules within modules of a plan that are read.
pub const MAX_MODULE_DEPTH: usize = 64;

/// Resource instances of one plan that are judged.
pub const MAX_INSTANCES: usize = 20_000;

impl InputKind for Plan {
    fn id(&self) -> &'static str {
        "plan"
    }

    fn claim(&self, name: &str) -> Claim {
        let mut parts = name.rsplit('.').map(str::to_ascii_lowercase);
        let is_json = parts.next().is_some_and(|last| last == "json");
        match parts.next().as_deref() {
            Some(before) if is_json && !matches!(before, "tf" | "tofu") => Claim::Content,
            _ => Claim::No,
        }
    }

    fn is_content(&self, first: &[u8]) -> bool {
        let has = |key: &str| {
            let key = format!("\"{key}\"");
            first
                .windows(key.len())
                .any(|window| window == key.as_bytes())
        };
        has("format_version") && (has("planned_values") || has("resource_changes"))
    }

    fn is_by_directory(&self) -> bool {
        false
    }

    fn load(&self, input: Input<'_>, visit: &mut (dyn FnMut(Stack) + Send)) -> Evaluation {
        each_file(&input, visit, |path, input| {
            read(input.files, path, input.sources, input.options)
        })
    }

    fn fence(&self) -> &'static str {
        "json plan"
    }

    fn example_name(&self) -> &'static str {
        "plan.json"
    }
}

/// What a plan is read with.
struct Reading<'a> {
    path: Arc<str>,
    /// The directory of the plan, where its code may lie.
    root: Arc<str>,
    sources: &'a Sources,
    problems: Vec<Problem>,
}

fn read(files: &dyn Files, path: &str, sources: &Sources, options: &Options) -> Loaded {
    let bytes = files
        .read(path)
        .map_err(|error| Problem::error(ProblemKind::Unreadable, path, None, error.to_string()))?;
    let plan: Json = serde_json::from_slice(&bytes).map_err(|error| {
        let line = u32::try_from(error.line()).ok();
        Problem::error(ProblemKind::Syntax, path, line, error.to_string())
    })?;
    let version = plan.get("format_version").and_then(Json::as_str);
    let major = version.and_then(|version| version.split('.').next());
    if !matches!(major, Some("0" | "1")) {
        let cause = "not a Terraform plan of a format version that is known";
        return Err(Problem::warning(ProblemKind::NotRead, path, None, cause));
    }
    let Some(root) = plan.pointer("/planned_values/root_module") else {
        let cause = "the plan has no planned values";
        return Err(Problem::error(ProblemKind::Syntax, path, None, cause));
    };
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut reading = Reading {
        path: path.into(),
        root: directory.into(),
        sources,
        problems: Vec::new(),
    };
    if plan.get("errored").and_then(Json::as_bool) == Some(true) {
        let cause = "the plan ended with an error: it does not hold everything";
        reading.warn(ProblemKind::Evaluation, cause);
    }
    let configuration = configuration::Module::root(&plan);
    let mut stack = Stack {
        input: "plan",
        root: directory.into(),
        // Where the code is there, too, what it says of a resource is not said again.
        again: true,
        providers: beside::providers(&plan, &reading.path),
        ..Stack::default()
    };
    resources::add(&mut stack, &mut reading, &plan, root, &configuration);
    beside::add(&mut stack, &reading, &plan, &options.classes);
    stack.resources.sort_by(|a, b| a.address.cmp(&b.address));
    Ok((stack, reading.problems))
}

impl Reading<'_> {
    /// What leaves an unknown part of the plan unjudged.
    fn warn(&mut self, kind: ProblemKind, cause: &str) {
        let problem = Problem::warning(kind, Arc::clone(&self.path), None, cause);
        self.problems.push(problem.whole());
    }
}

#[cfg(test)]
mod tests;
