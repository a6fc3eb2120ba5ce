//! Runs the examples in a rule's own file: what is under `## Fails` must be found, what is under
//! `## Passes` must pass without anything left open.

use std::collections::BTreeSet;

use super::attributes;
use crate::Class;
use crate::check::{Verdict, run_rule};
use crate::files::OneFile;
use crate::input::{Evaluation, Input, InputKind, Options, Sources};
use crate::language::{self, Example, Expectation, RuleError, RuleFile};

/// Everything that is wrong with the examples of one rule. A type without an example is probably
/// right if a shipped rule speaks of it.
pub(super) fn test(file: &RuleFile) -> Vec<RuleError> {
    let error = |line: u32, message: String| RuleError {
        path: file.path.clone(),
        line,
        message,
    };
    let mut errors = Vec::new();
    let shows = |expectation| {
        file.examples
            .iter()
            .any(|(_, e)| e.expectation == expectation)
    };
    for (expectation, heading) in [
        (Expectation::Fails, "`## Fails`"),
        (Expectation::Passes, "`## Fix` or `## Passes`"),
    ] {
        if !shows(expectation) {
            let message = format!("a rule has at least one example under {heading}");
            errors.push(error(1, message));
        }
    }
    let mut set = BTreeSet::new();
    let mut types = BTreeSet::new();
    for (kind, example) in &file.examples {
        let found = run(file, *kind, example, &mut set, &mut types);
        errors.extend(
            found
                .into_iter()
                .map(|(line, message)| error(line, message)),
        );
    }
    let unset: Vec<String> = attributes::read_by(&file.rule.block)
        .into_iter()
        .filter(|name| !set.contains(name))
        .collect();
    if !unset.is_empty() {
        let message = format!("no example sets {}: is the name right?", unset.join(", "));
        errors.push(error(file.rule.line, message));
    }
    let selectors = file.rule.block.subjects.iter();
    for selector in selectors.flat_map(|subject| &subject.selectors) {
        let is_named = ["resource", "data"].contains(&selector.class) && !selector.is_pattern();
        let key = selector.key();
        if is_named && !types.contains(&key) && !language::is_subject(&key) {
            let message = format!(
                "no example has a {} of type `{}`, and no shipped rule speaks of one: is the name right?",
                selector.class, selector.kind
            );
            errors.push(error(file.rule.line, message));
        }
    }
    errors
}

fn run(
    file: &RuleFile,
    kind: &dyn InputKind,
    example: &Example,
    set: &mut BTreeSet<String>,
    types: &mut BTreeSet<String>,
) -> Vec<(u32, String)> {
    let evaluation = evaluate_one(kind, &example.source, file.rule.block.classes());
    let mut errors: Vec<(u32, String)> = Vec::new();
    for problem in &evaluation.problems {
        let line = problem.line.unwrap_or(1);
        let line = example.line.saturating_add(line).saturating_sub(1);
        errors.push((line, problem.cause.clone()));
    }
    let (mut failed, mut undecided, mut passed) = (Vec::new(), Vec::new(), 0_usize);
    for stack in &evaluation.stacks {
        for provider in stack.providers.values() {
            set.insert("provider".to_owned());
            attributes::set_by(provider, set);
        }
        for resource in &stack.resources {
            types.insert(match resource.class {
                Class::Data => format!("data.{}", resource.kind),
                _ => resource.kind.to_string(),
            });
            attributes::set_by(&resource.body, set);
            attributes::set_by(&resource.meta, set);
        }
        let results = run_rule(&file.rule, stack);
        errors.extend(results.failures);
        for result in results.all {
            match result.verdict {
                Verdict::Pass => passed = passed.saturating_add(1),
                Verdict::Fail { message, .. } => {
                    failed.push(format!("{}: {message}", result.resource));
                }
                Verdict::Undecided { cause } => {
                    undecided.push(format!("{}: {cause}", result.resource));
                }
            }
        }
    }
    let mut wrong = |message: String| errors.push((example.line, message));
    match example.expectation {
        Expectation::Fails if failed.is_empty() => {
            let open = undecided.join("; ");
            wrong(format!("this example should fail; undecided: [{open}]"));
        }
        Expectation::Passes if !failed.is_empty() => {
            wrong(format!(
                "this example should pass, but {}",
                failed.join("; ")
            ));
        }
        Expectation::Passes if !undecided.is_empty() => {
            let open = undecided.join("; ");
            wrong(format!("this example should pass; undecided: [{open}]"));
        }
        Expectation::Passes if passed == 0 && !forbids_existence(file) => {
            wrong("the rule says nothing about this example".to_owned());
        }
        Expectation::Undecided if !failed.is_empty() => {
            wrong(format!(
                "this example should stay undecided, but {}",
                failed.join("; ")
            ));
        }
        Expectation::Undecided if undecided.is_empty() => {
            wrong("this example should stay undecided".to_owned());
        }
        _ => {}
    }
    errors.sort();
    errors.dedup();
    errors
}

/// Evaluates a configuration of one file.
pub(super) fn evaluate_one(kind: &dyn InputKind, source: &str, classes: Vec<Class>) -> Evaluation {
    let options = Options {
        classes,
        ..Options::default()
    };
    let name = kind.example_name();
    let path = if kind.is_by_directory() { "" } else { name };
    let input = Input {
        files: &OneFile {
            name,
            content: source.as_bytes(),
        },
        paths: &[path.to_owned()],
        options: &options,
        sources: &mut Sources::default(),
    };
    let mut stacks = Vec::new();
    let evaluation = kind.load(input, &mut |stack| stacks.push(stack));
    Evaluation {
        stacks,
        ..evaluation
    }
}

/// Whether the rule objects to the very existence of a resource, so that nothing can pass it.
fn forbids_existence(file: &RuleFile) -> bool {
    let subjects = &file.rule.block.subjects;
    let mut checks = subjects.iter().flat_map(|subject| &subject.checks);
    checks.any(|check| check.condition.as_bool() == Some(false))
}
