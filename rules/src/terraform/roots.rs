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
        let all = self.calls.keys();
        let called: BTreeSet<&str> = all.flat_map(|one| self.called_by(one)).collect();
        let directories = self.calls.keys();
        directories
            .filter(|one| !called.contains(one.as_str()) || self.applied.contains(*one))
            .cloned()
            .collect()
    }

    /// All directories, of which none is there yet.
    pub(super) fn all(&self) -> Left<'_> {
        let mut callers: BTreeMap<&str, usize> = BTreeMap::new();
        for callee in self.calls.keys().flat_map(|one| self.called_by(one)) {
            let count = callers.entry(callee).or_default();
            *count = count.saturating_add(1);
        }
        let all = self.calls.keys().map(String::as_str);
        let open: BTreeSet<&str> = all.collect();
        let is_free = |one: &&str| !callers.contains_key(one);
        Left {
            graph: self,
            free: open.iter().copied().filter(is_free).collect(),
            open,
            callers,
        }
    }

    /// Whom a directory calls besides itself.
    fn called_by<'a>(&'a self, own: &'a str) -> impl Iterator<Item = &'a str> {
        let callees = self.calls.get(own).into_iter().flatten();
        callees
            .map(String::as_str)
            .filter(move |callee| *callee != own)
    }
}

/// The directories that no stack has brought into being so far.
#[derive(Debug)]
pub(super) struct Left<'a> {
    graph: &'a Graph,
    open: BTreeSet<&'a str>,
    /// Those of them that no other of them calls.
    free: BTreeSet<&'a str>,
    /// How many of them call a directory.
    callers: BTreeMap<&'a str, usize>,
}

impl Left<'_> {
    /// The next one: one that no other such calls, else one of a circle.
    pub(super) fn next(&self) -> Option<String> {
        let next = self.free.first().or_else(|| self.open.first());
        next.map(|one| (*one).to_owned())
    }

    /// Takes directories out, which a stack brought into being.
    pub(super) fn are_there(&mut self, directories: &BTreeSet<String>) {
        for directory in directories {
            let Some(own) = self.open.take(directory.as_str()) else {
                continue;
            };
            self.free.remove(own);
            for callee in self.graph.called_by(own) {
                let Some(count) = self.callers.get_mut(callee) else {
                    continue;
                };
                *count = count.saturating_sub(1);
                if *count == 0 && self.open.contains(callee) {
                    self.free.insert(callee);
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(calls: &[(&str, &[&str])]) -> Graph {
        let own = |text: &&str| (*text).to_owned();
        let calls = calls.iter();
        let calls = calls.map(|(caller, callees)| (own(caller), callees.iter().map(own).collect()));
        Graph {
            calls: calls.collect(),
            applied: BTreeSet::new(),
        }
    }

    #[test]
    fn callers_come_before_whom_they_call() {
        let graph = graph(&[
            ("a", &["b", "a"]),
            ("b", &["c"]),
            ("c", &["b", "gone"]),
            ("d", &["a"]),
        ]);
        assert_eq!(graph.roots(), BTreeSet::from(["d".to_owned()]));
        let mut left = graph.all();
        let mut order = Vec::new();
        while let Some(next) = left.next() {
            left.are_there(&BTreeSet::from([next.clone()]));
            order.push(next);
        }
        assert_eq!(order, ["d", "a", "b", "c"]);
        let mut left = graph.all();
        left.are_there(&BTreeSet::from(["d".to_owned(), "b".to_owned()]));
        assert_eq!(left.next().as_deref(), Some("a"));
    }
}
