//! Dependency graphs of lockfiles: which packages the project itself asks for, and how the others
//! come in. Edges are `name@version`, or `name` where the file has one version of it; an edge to a
//! name with several versions leads to all of them, since the file does not say which.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::facts::{Facts, Requested};
use crate::model::package::{Package, PackageType, Scope};

/// Longest path that is reported, in packages.
pub const MAX_PATH: usize = 64;

/// Says of each package of a lockfile whether it is direct, as far as the file tells: by what the
/// project asks for, or, where only edges stand there, of those that nothing else asks for.
pub(super) fn settle(facts: &mut Facts) {
    let roots = facts.roots.take();
    let has_edges = facts
        .packages
        .iter()
        .any(|one| !one.dependencies.is_empty());
    if roots.is_none() && !has_edges {
        return;
    }
    let packages: Vec<&Package> = facts.packages.iter().collect();
    let index = Index::new(&packages);
    let mut scopes = Vec::new();
    let mut is_direct = vec![roots.is_none().then_some(true); packages.len()];
    if let Some(roots) = &roots {
        is_direct.fill(Some(false));
        for root in roots {
            index.each(&root.edge, |number| set(&mut is_direct, number, Some(true)));
        }
        scopes = reached(&packages, &index, roots);
    } else {
        for (number, package) in packages.iter().enumerate() {
            for edge in &package.dependencies {
                // What asks for itself is asked for by nothing else.
                index.each(edge, |other| {
                    if other != number {
                        set(&mut is_direct, other, None);
                    }
                });
            }
        }
    }
    for (package, is_direct) in facts.packages.iter_mut().zip(is_direct) {
        package.direct = package.direct.or(is_direct);
    }
    for (package, scope) in facts.packages.iter_mut().zip(scopes) {
        package.scope = package.scope.or(scope);
    }
}

/// What each package is needed for, by what asks for it; empty where that is not said of all that
/// the project asks for. A package that nothing leads to stays without.
fn reached(packages: &[&Package], index: &Index<'_>, roots: &[Requested]) -> Vec<Option<Scope>> {
    let Some(mut open) = roots
        .iter()
        .map(|root| Some((root.scope?, &*root.edge)))
        .collect::<Option<Vec<(Scope, &str)>>>()
    else {
        return Vec::new();
    };
    // What is needed to run is that, whoever else asks for it.
    open.sort_unstable();
    let mut scopes = vec![None; packages.len()];
    let mut next = Vec::new();
    for (scope, edge) in open {
        index.each(edge, |number| next.push(number));
        while let Some(number) = next.pop() {
            let Some(place) = scopes.get_mut(number).filter(|place| place.is_none()) else {
                continue;
            };
            *place = Some(scope);
            let edges = packages.get(number).map(|package| &package.dependencies);
            for edge in edges.into_iter().flatten() {
                index.each(edge, |other| next.push(other));
            }
        }
    }
    scopes
}

fn set(all: &mut [Option<bool>], number: usize, value: Option<bool>) {
    if let Some(place) = all.get_mut(number) {
        *place = value;
    }
}

/// The packages of one lockfile by name, sorted: files have thousands of edges.
struct Index<'p> {
    packages: &'p [&'p Package],
    names: Vec<(Cow<'p, str>, usize)>,
}

impl<'p> Index<'p> {
    fn new(packages: &'p [&'p Package]) -> Self {
        let numbered = packages.iter().enumerate();
        let names = numbered.map(|(number, one)| (folded(one.kind, &one.name), number));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        Self { packages, names }
    }

    /// Calls `found` with every package that an edge may mean.
    fn each(&self, edge: &str, mut found: impl FnMut(usize)) {
        let Some(kind) = self.packages.first().map(|package| package.kind) else {
            return; // there is nothing to be found
        };
        let (name, version) = match edge.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
            Some((name, version)) => (name, Some(version)),
            None => (edge, None),
        };
        let name = folded(kind, name);
        let start = self.names.partition_point(|(other, _)| *other < name);
        let rest = self.names.get(start..).unwrap_or_default();
        for &(_, number) in rest.iter().take_while(|(other, _)| *other == name) {
            let has = self.packages.get(number).map(|package| &*package.version);
            if version.is_none() || version == has {
                found(number);
            }
        }
    }
}

/// A name as its ecosystem compares it.
fn folded(kind: PackageType, name: &str) -> Cow<'_, str> {
    let is_other = |c: char| c.is_ascii_uppercase() || c == '_' || c == '.';
    if kind == PackageType::PYPI && name.contains(is_other) {
        return name.to_ascii_lowercase().replace(['_', '.'], "-").into();
    }
    name.into()
}

/// The shortest ways from direct dependencies to all packages of one lockfile.
pub struct Paths<'p> {
    packages: &'p [&'p Package],
    /// Who asks for each package, on the shortest way; itself for a direct one.
    from: Vec<Option<usize>>,
}

impl<'p> Paths<'p> {
    /// Looks for them among packages in the order of a report, which decides among equally short
    /// ones.
    pub fn new(packages: &'p [&'p Package]) -> Self {
        let index = Index::new(packages);
        let mut from = vec![None; packages.len()];
        let mut open = VecDeque::new();
        for (number, package) in packages.iter().enumerate() {
            if package.direct == Some(true) {
                set_from(&mut from, number, number);
                open.push_back(number);
            }
        }
        while let Some(number) = open.pop_front() {
            let edges = packages.get(number).map(|package| &package.dependencies);
            for edge in edges.into_iter().flatten() {
                index.each(edge, |other| {
                    if matches!(from.get(other), Some(None)) {
                        set_from(&mut from, other, number);
                        open.push_back(other);
                    }
                });
            }
        }
        Self { packages, from }
    }

    /// From a direct dependency to this package, both included, as `name@version`; `None` where no
    /// way is known.
    pub fn to(&self, package: &Package) -> Option<Vec<Arc<str>>> {
        let mut number = self
            .packages
            .iter()
            .position(|one| std::ptr::eq(*one, package))?;
        let mut path = Vec::new();
        while path.len() < MAX_PATH {
            let one = self.packages.get(number)?;
            path.push(Arc::from(format!("{}@{}", one.name, one.version)));
            let from = self.from.get(number).copied().flatten()?;
            if from == number {
                path.reverse();
                return Some(path);
            }
            number = from;
        }
        None
    }
}

fn set_from(from: &mut [Option<usize>], number: usize, by: usize) {
    if let Some(place) = from.get_mut(number) {
        *place = Some(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::location::Location;

    fn facts(kind: PackageType, roots: Option<&[&str]>, all: &[(&str, &str, &[&str])]) -> Facts {
        let mut facts = Facts::default();
        for (name, version, edges) in all {
            let mut package = Package::new(kind, *name, *version).at(Location::file("f"));
            package.dependencies = edges.iter().map(|edge| Arc::from(*edge)).collect();
            facts.packages.push(package);
        }
        facts.roots = roots.map(|roots| {
            roots
                .iter()
                .map(|root| Arc::<str>::from(*root).into())
                .collect()
        });
        settle(&mut facts);
        facts
    }

    fn direct(facts: &Facts) -> Vec<Option<bool>> {
        facts.packages.iter().map(|one| one.direct).collect()
    }

    #[test]
    fn a_file_tells_what_is_direct_by_its_roots_or_by_its_edges() {
        let all: &[(&str, &str, &[&str])] = &[
            ("a", "1", &["b@2"]),
            ("b", "1", &[]),
            ("b", "2", &["c"]),
            ("c", "1", &["c"]),
        ];
        let told = facts(PackageType::CARGO, Some(&["a", "b@1"]), all);
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(direct(&told), [yes, yes, no, no]);
        let guessed = facts(PackageType::CARGO, None, all);
        assert_eq!(direct(&guessed), [yes, yes, None, None]);
        let nothing = facts(PackageType::CARGO, None, &[("a", "1", &[])]);
        assert_eq!(direct(&nothing), [None]);
    }

    #[test]
    fn paths_are_the_shortest_ones() {
        let facts = facts(
            PackageType::PYPI,
            Some(&["App", "Zed"]),
            &[
                ("app", "1", &["mid_dle"]),
                ("lone", "1", &[]),
                ("mid.dle", "1", &["deep"]),
                ("zed", "1", &["app"]),
                ("deep", "1", &["app"]),
            ],
        );
        let packages: Vec<&Package> = facts.packages.iter().collect();
        let paths = Paths::new(&packages);
        let of = |number: usize| {
            let path = paths.to(packages[number])?;
            Some(path.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(of(0).unwrap(), ["app@1"]);
        assert_eq!(of(4).unwrap(), ["app@1", "mid.dle@1", "deep@1"]);
        assert_eq!(of(1), None);
    }

    #[test]
    fn long_paths_are_not_reported() {
        let names: Vec<String> = (0..=MAX_PATH).map(|number| format!("p{number}")).collect();
        let mut facts = Facts::default();
        for (number, name) in names.iter().enumerate() {
            let mut package = Package::new(PackageType::NPM, name.as_str(), "1");
            package.dependencies = names
                .get(number + 1)
                .map(|next| next.as_str().into())
                .into_iter()
                .collect();
            facts.packages.push(package);
        }
        settle(&mut facts);
        let packages: Vec<&Package> = facts.packages.iter().collect();
        let paths = Paths::new(&packages);
        assert_eq!(paths.to(packages[MAX_PATH - 1]).unwrap().len(), MAX_PATH);
        assert_eq!(paths.to(packages[MAX_PATH]), None);
    }
}
