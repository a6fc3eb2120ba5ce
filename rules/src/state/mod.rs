//! States of Terraform and OpenTofu: the file itself (state format version 4), and what `terraform
//! show -json` makes of it (JSON output format, `format_version` 1). A state knows every value; an
//! attribute that is null or an empty collection counts as not written, as in a plan.
//!
//! A finding stands at the attribute in the code where that was evaluated too, else at a JSON pointer
//! into the state. States are full of secrets: what is marked sensitive stays so, and no value is
//! repeated from what could not be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::files::Files;
use crate::input::{Claim, Evaluation, Input, InputKind, Loaded, Sources, each_file};
use crate::plan::{Body, Module, Said};
use crate::{Class, Problem, ProblemKind, Resource, Span, Stack};

mod file;
mod shown;

/// States: one file is one stack.
pub(crate) struct State;

/// Resource instances of one state that are judged.
pub const MAX_INSTANCES: usize = 20_000;

impl InputKind for State {
    fn id(&self) -> &'static str {
        "state"
    }

    fn claim(&self, name: &str) -> Claim {
        let mut parts = name.rsplit('.').map(str::to_ascii_lowercase);
        let last = parts.next();
        match (last.as_deref(), parts.next().as_deref()) {
            (Some("tfstate"), Some(_)) => Claim::Name,
            (Some("json"), Some("tf" | "tofu")) => Claim::No,
            (Some("json"), Some(_)) => Claim::Content,
            _ => Claim::No,
        }
    }

    fn is_content(&self, first: &[u8]) -> bool {
        let has = |key: &str| {
            let key = format!("\"{key}\"");
            let mut windows = first.windows(key.len());
            windows.any(|window| window == key.as_bytes())
        };
        let is_plan = has("planned_values") || has("resource_changes");
        has("terraform_version") && has("format_version") && has("values") && !is_plan
    }

    fn is_by_directory(&self) -> bool {
        false
    }

    fn load(&self, input: Input<'_>, visit: &mut (dyn FnMut(Stack) + Send)) -> Evaluation {
        each_file(&input, visit, |path, input| {
            read(input.files, path, input.sources)
        })
    }

    fn fence(&self) -> &'static str {
        "json state"
    }

    fn example_name(&self) -> &'static str {
        "terraform.tfstate"
    }
}

/// One resource instance, as both forms have it.
struct Instance<'a> {
    /// Address of its module, empty for the root.
    module: String,
    mode: &'a str,
    kind: &'a str,
    name: &'a str,
    /// Its key, as an address ends: `[0]`, `["a"]`, or nothing.
    key: String,
    values: &'a Json,
    /// `true` where a value is sensitive, in the shape of the values.
    sensitive: Option<Json>,
    /// Where its values stand.
    pointer: String,
}

fn read(files: &dyn Files, path: &str, sources: &Sources) -> Loaded {
    let bytes = files
        .read(path)
        .map_err(|error| Problem::error(ProblemKind::Unreadable, path, None, error.to_string()))?;
    let state: Json = serde_json::from_slice(&bytes).map_err(|error| {
        let line = u32::try_from(error.line()).ok();
        // The reason of the parser names a place and no content.
        let kind = format!(
            "not JSON: {:?} error in column {}",
            error.classify(),
            error.column()
        );
        Problem::error(ProblemKind::Syntax, path, line, kind)
    })?;
    let (instances, causes) = if let Some(values) = state.get("values") {
        shown::instances(values)
    } else if state.get("version").and_then(Json::as_u64) == Some(4) {
        file::instances(&state)
    } else if state.get("terraform_version").is_some() && state.get("format_version").is_some() {
        // Nothing was applied yet.
        (Vec::new(), Vec::new())
    } else {
        let cause =
            "not a state of format version 4: an older one is upgraded by `terraform apply`";
        return Err(Problem::warning(ProblemKind::NotRead, path, None, cause));
    };
    let root = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut problems: Vec<Problem> = causes
        .into_iter()
        .map(|cause| Problem::warning(ProblemKind::Syntax, path, None, cause).whole())
        .collect();
    if instances.len() > MAX_INSTANCES {
        let cause = format!("only {MAX_INSTANCES} resources of a state are judged");
        problems.push(Problem::warning(ProblemKind::Limit, path, None, cause).whole());
    }
    let mut stack = Stack {
        input: "state",
        root: root.into(),
        // Where the code is there, too, what it says of a resource is not said again.
        again: true,
        ..Stack::default()
    };
    let file: Arc<str> = path.into();
    let mut known = BTreeSet::new();
    for instance in instances.into_iter().take(MAX_INSTANCES) {
        let resource = resource(&instance, &file, &stack.root, sources);
        if known.insert(Arc::clone(&resource.address)) {
            stack.resources.push(resource);
        } else {
            let cause = format!("{} is there twice", resource.address);
            problems.push(Problem::warning(ProblemKind::Syntax, path, None, cause).whole());
        }
    }
    stack.resources.sort_by(|a, b| a.address.cmp(&b.address));
    Ok((stack, problems))
}

fn resource(
    instance: &Instance<'_>,
    file: &Arc<str>,
    root: &Arc<str>,
    sources: &Sources,
) -> Resource {
    let is_data = instance.mode == "data";
    let dot = if instance.module.is_empty() { "" } else { "." };
    let data = if is_data { "data." } else { "" };
    let address = format!(
        "{}{dot}{data}{}.{}{}",
        instance.module, instance.kind, instance.name, instance.key
    );
    let written = sources.find(root, &address);
    let nothing = Module::root(&Json::Null);
    let body = Body {
        module: &nothing,
        file,
        written: written.map(|written| &written.span),
        address: &address,
    };
    let said = Said {
        value: Some(instance.values),
        sensitive: instance.sensitive.as_ref(),
        code: written.map(|written| &written.body),
        ..Said::default()
    };
    let span = match written {
        Some(written) => written.span.clone(),
        None => Span::at_pointer(Arc::clone(file), instance.pointer.as_str()),
    };
    Resource {
        address: address.as_str().into(),
        class: if is_data { Class::Data } else { Class::Managed },
        kind: instance.kind.into(),
        name: instance.name.into(),
        module: instance.module.as_str().into(),
        body: body.object(said, &instance.pointer).with_span(span.clone()),
        span,
        uncertain: None,
        provider: None,
        meta: match written {
            Some(written) => written.meta.clone(),
            None => crate::plan::meta(None),
        },
    }
}

/// The end of an address, of a key in JSON.
fn key(index: Option<&Json>) -> String {
    match index {
        Some(Json::String(text)) => {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("[\"{text}\"]")
        }
        Some(Json::Number(number)) => format!("[{number}]"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
