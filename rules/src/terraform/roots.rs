//! Which directories are judged as root modules: those that no module calls, those that are
//! applied by themselves, and those that somebody calls and that no call brings into being
//! (`count = 0`, an empty `for_each`, a caller that is itself not there, a limit): a file
//! elsewhere must not take a directory out of the world.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::Expression;

use super::loader::Loader;
use super::module::Module;
use super::names::is_made;
use super::stack::{SourcePath, source_directory};

/// Names under which links lead to one directory and of which the calls are followed.
const MAX_ALIASES: usize = 8;

/// Who calls whom, by real paths.
#[derive(Debug, Default)]
pub(super) struct Graph {
    calls: BTreeMap<String, BTreeSet<String>>,
    applied: BTreeSet<String>,
}

impl Graph {
    /// The calls of all modules in `directories`, and of those that they call.
    pub(super) fn of(loader: &Loader<'_>, directories: &[String]) -> Self {
        let mut graph = Self::default();
        let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut open: Vec<String> = directories.iter().rev().cloned().collect();
        while let Some(directory) = open.pop() {
            // `a/link/..` is `a` to Terraform, so that calls depend on the name, too.
            let real = loader.real(&directory);
            if is_made(&real) {
                continue;
            }
            let names = aliases.entry(real.clone()).or_default();
            if names.len() >= MAX_ALIASES || !names.insert(directory.clone()) {
                continue;
            }
            loader.trim();
            let Some(module) = loader.module(&real) else {
                continue;
            };
            if loader.is_applied(&real, &module) {
                graph.applied.insert(real.clone());
            }
            let callees = callees(&directory, &module);
            let calls = graph.calls.entry(real).or_default();
            calls.extend(callees.iter().map(|callee| loader.real(callee)));
            open.extend(callees.into_iter().rev());
        }
        graph
    }

    /// The directories that no other calls or that are applied by themselves, whoever calls them.
    pub(super) fn roots(&self) -> BTreeSet<String> {
        let called = self.called_from(|_| true);
        let directories = self.calls.keys();
        directories
            .filter(|one| !called.contains(one.as_str()) || self.applied.contains(*one))
            .cloned()
            .collect()
    }

    /// The next directory that is not among those that exist: one that no other such calls, else
    /// one of a circle.
    pub(super) fn left(&self, there: &BTreeSet<String>) -> Option<String> {
        let called = self.called_from(|caller| !there.contains(caller));
        let mut left = self.calls.keys().filter(|one| !there.contains(*one));
        let first = left.clone().next();
        left.find(|one| !called.contains(one.as_str()))
            .or(first)
            .cloned()
    }

    fn called_from(&self, is_caller: impl Fn(&str) -> bool) -> BTreeSet<&str> {
        let callers = self.calls.iter().filter(|(caller, _)| is_caller(caller));
        callers
            .flat_map(|(own, callees)| {
                let others = callees.iter().filter(move |callee| *callee != own);
                others.map(String::as_str)
            })
            .collect()
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
