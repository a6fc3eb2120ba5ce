//! Packages of a bill with what they depend on: bills name references, a package its dependencies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Bill;
use crate::model::package::{Package, Scope};

/// One edge.
pub(super) struct Edge<'n> {
    /// What is depended on.
    pub(super) to: &'n str,
    /// What for, where the bill says so.
    pub(super) scope: Option<Scope>,
}

/// Packages by reference, in the order of the bill, and edges between references.
#[derive(Default)]
pub(super) struct Graph<'n> {
    found: Vec<(&'n str, Package, u32)>,
    pub(super) edges: BTreeMap<&'n str, Vec<Edge<'n>>>,
}

impl<'n> Graph<'n> {
    /// Adds a package; one reference may stand for several.
    pub(super) fn add(&mut self, reference: &'n str, package: Package, line: u32) {
        self.found.push((reference, package, line));
    }

    /// Gives the packages to the bill, with their edges. An edge to what is not a package leads nowhere.
    pub(super) fn close(self, bill: &mut Bill) {
        let Self { found, edges } = self;
        let mut names: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
        for (reference, package, _) in &found {
            let name = format!("{}@{}", package.name, package.version);
            names.entry(reference).or_default().push(name.into());
        }
        // What is needed to run is that, whoever else asks for it.
        let mut scopes: BTreeMap<&str, Option<Scope>> = BTreeMap::new();
        for edge in edges.values().flatten() {
            let scope = scopes.entry(edge.to).or_insert(edge.scope);
            *scope = Scope::join(*scope, edge.scope);
        }
        for (reference, mut package, line) in found {
            let below = edges.get(reference).into_iter().flatten();
            let below = below.filter_map(|edge| names.get(edge.to));
            package.dependencies = below.flatten().cloned().collect();
            if let Some(scope) = scopes.get(reference) {
                package.scope = package.scope.or(*scope);
            }
            bill.add(package, line);
        }
    }
}
