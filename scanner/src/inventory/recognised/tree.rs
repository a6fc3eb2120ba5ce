//! What a walk of a source tree recognises, and which of its manifests a lockfile answers for.
//!
//! The walk shows every file to [`Tree::meet`]. What needs content is [looked](look) at, in any
//! order and on any thread, and comes back through [`Tree::add`]. [`Tree::gaps`] ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use super::{Above, FileKind, Role, Within, confirm, manifest, recognise, table};
use crate::model::gap::Gap;

/// Files of which the name alone makes a directory the root of a workspace.
const WORKSPACE_FILES: [&str; 5] = [
    "pnpm-workspace.yaml",
    "lerna.json",
    "rush.json",
    "nx.json",
    "settings.gradle",
];

/// Where Rush keeps the lockfile of the whole repository.
const RUSH_LOCKFILE: &str = "common/config/rush/pnpm-lock.yaml";

/// What a restore of NuGet writes into the folder `obj` of a project.
const RESTORED: &str = "project.assets.json";

/// Names of lockfiles that answer for some manifest.
static ANSWERS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let answers = table::all().filter_map(|kind| match kind.role {
        Role::Manifest { answers, .. } => Some(answers),
        Role::Lockfile | Role::Infrastructure | Role::Other => None,
    });
    answers.flatten().copied().collect()
});

/// What the content of a file told.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    /// What it is, if it is anything.
    kind: Option<&'static FileKind>,
    workspace: bool,
}

/// Looks at the first [`super::CONTENT_BYTES`] of a file whose kind wants that.
pub fn look(kind: &'static FileKind, first: &[u8]) -> Looked {
    Looked {
        kind: confirm(kind, first),
        workspace: manifest::is_workspace(kind, first),
    }
}

/// What has been met so far.
#[derive(Debug, Default)]
pub struct Tree {
    found: BTreeMap<Arc<str>, &'static FileKind>,
    /// By directory: the names of its lockfiles.
    lockfiles: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    workspaces: BTreeSet<Arc<str>>,
}

impl Tree {
    /// Notes a file of the tree; every file, also those that parsers read, which are a lockfile
    /// here, or infrastructure code that nothing judges. Returns its kind if its content decides.
    pub fn meet(&mut self, path: &str, is_parsed: bool) -> Option<&'static FileKind> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if ANSWERS.iter().any(|pattern| fits(name, pattern)) {
            self.lockfile(directory, name);
            if let Some(root) = path.strip_suffix(RUSH_LOCKFILE) {
                let root = root.trim_end_matches('/');
                self.lockfile(root, name);
                self.workspaces.insert(root.into());
            }
        }
        if let Some(parent) = directory.strip_suffix("requirements")
            && fits(name, "*.txt")
        {
            // `requirements/base.txt` is one of the project above it.
            if parent.is_empty() || parent.ends_with('/') {
                self.lockfile(parent.trim_end_matches('/'), "requirements.txt");
            }
        }
        if name == RESTORED
            && let Some(parent) = directory.strip_suffix("obj")
            && (parent.is_empty() || parent.ends_with('/'))
        {
            self.lockfile(parent.trim_end_matches('/'), name);
        }
        if WORKSPACE_FILES.contains(&name) {
            self.workspaces.insert(directory.into());
        }
        let kind = recognise(path, Within::Tree)?;
        if is_parsed {
            // Its packages are read; what else it says, as infrastructure code, is not judged.
            if kind.role == Role::Infrastructure && !kind.needs_content() {
                self.found.insert(path.into(), kind);
            }
            return None;
        }
        if kind.needs_content() {
            return Some(kind);
        }
        self.found.insert(path.into(), kind);
        None
    }

    /// Whether a file is of a kind that is recognised and not read.
    pub fn has(&self, path: &str) -> bool {
        self.found.contains_key(path)
    }

    /// Notes what the content of a file told; returns whether the file is of a kind that is
    /// recognised.
    pub fn add(&mut self, path: &str, looked: Looked) -> bool {
        if looked.workspace {
            let (directory, _) = path.rsplit_once('/').unwrap_or(("", path));
            self.workspaces.insert(directory.into());
        }
        if let Some(kind) = looked.kind {
            self.found.insert(path.into(), kind);
        }
        looked.kind.is_some()
    }

    /// Notes an executable, as [`super::executable`] tells them.
    pub fn add_executable(&mut self, path: &str, kind: &'static FileKind) {
        self.found.insert(path.into(), kind);
    }

    /// One gap per file, by path: what is not read, and manifests that no lockfile answers for; of
    /// what a run looks for.
    pub fn gaps(&self, packages: bool, infrastructure: bool) -> Vec<Gap> {
        let found = self.found.iter();
        found
            .filter(|(_, kind)| kind.is_asked(packages, infrastructure))
            .filter(|(path, kind)| !self.is_answered(path, kind))
            .map(|(path, kind)| kind.gap(path))
            .collect()
    }

    /// Whether a lockfile that answers for a manifest of this name lies beside a directory, or
    /// anywhere above it: that is what fills `node_modules` and the like.
    pub fn answers(&self, manifest: &str, path: &str) -> bool {
        let kind = recognise(manifest, Within::Tree);
        let Some(Role::Manifest { answers, .. }) = kind.map(|kind| kind.role) else {
            return false;
        };
        self.is_answered_by(path, answers, Above::Always)
    }

    fn lockfile(&mut self, directory: &str, name: &str) {
        let names = self.lockfiles.entry(directory.into()).or_default();
        names.insert(name.into());
    }

    fn is_answered(&self, path: &str, kind: &FileKind) -> bool {
        let Role::Manifest { answers, above } = kind.role else {
            return false;
        };
        self.is_answered_by(path, answers, above)
    }

    fn is_answered_by(&self, path: &str, answers: &[&str], above: Above) -> bool {
        let (mut directory, _) = path.rsplit_once('/').unwrap_or(("", path));
        let mut own = true;
        loop {
            let counts = own
                || match above {
                    Above::Never => return false,
                    Above::Workspace => self.workspaces.contains(directory),
                    Above::Always => true,
                };
            let names = self.lockfiles.get(directory);
            let mut names = names.into_iter().flatten();
            if counts && names.any(|name| answers.iter().any(|answer| fits(name, answer))) {
                return true;
            }
            if directory.is_empty() {
                return false;
            }
            (directory, _) = directory.rsplit_once('/').unwrap_or(("", directory));
            own = false;
        }
    }
}

/// Whether a name is as a pattern with at most one `*` says.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((before, after)) => name
            .strip_prefix(before)
            .is_some_and(|rest| rest.ends_with(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gap::GapKind;

    fn gaps(files: &[(&str, &str)]) -> Vec<String> {
        let mut tree = Tree::default();
        for (path, content) in files {
            if let Some(kind) = tree.meet(path, false) {
                tree.add(path, look(kind, content.as_bytes()));
            }
        }
        tree.gaps(true, true)
            .iter()
            .map(|gap| gap.location.path.to_string())
            .collect()
    }

    const NPM: &str = "{\"dependencies\":{\"lodash\":\"4\"}}";
    const ROOT: &str = "{\"workspaces\":[\"packages/*\"]}";

    #[test]
    fn a_lockfile_answers_for_its_directory_and_its_workspace() {
        assert_eq!(gaps(&[("package.json", NPM)]), ["package.json"]);
        for lock in ["package-lock.json", "yarn.lock", "pnpm-lock.yaml"] {
            assert_eq!(
                gaps(&[("a/package.json", NPM), (&format!("a/{lock}"), "")]),
                [""; 0]
            );
        }
        let member = ("packages/a/package.json", NPM);
        assert_eq!(
            gaps(&[member, ("package-lock.json", ""), ("package.json", ROOT)]),
            [""; 0]
        );
        assert_eq!(
            gaps(&[member, ("package-lock.json", ""), ("package.json", NPM)]),
            [member.0]
        );
        assert_eq!(
            gaps(&[member, ("pnpm-lock.yaml", ""), ("pnpm-workspace.yaml", "")]),
            [""; 0]
        );
        assert_eq!(gaps(&[member, ("packages/b/yarn.lock", "")]), [member.0]);
        assert_eq!(
            gaps(&[("app/a/package.json", NPM), (RUSH_LOCKFILE, "")]),
            [""; 0]
        );
    }

    #[test]
    fn other_ecosystems() {
        let crates = "[dependencies]\na = '1'\n";
        assert_eq!(
            gaps(&[("a/b/Cargo.toml", crates), ("Cargo.lock", "")]),
            [""; 0]
        );
        assert_eq!(gaps(&[("Cargo.toml", crates)]), ["Cargo.toml"]);
        let python = "[project]\ndependencies = ['a']\n";
        for lock in [
            "uv.lock",
            "pdm.lock",
            "pylock.toml",
            "dev-requirements.txt",
            "requirements-dev.txt",
            "requirements/x.txt",
        ] {
            assert_eq!(
                gaps(&[("pyproject.toml", python), (lock, "")]),
                [""; 0],
                "{lock}"
            );
        }
        // A lockfile that is not read answers for its manifest, and is a gap itself.
        assert_eq!(
            gaps(&[
                ("package.json", "{\"dependencies\":{\"a\":\"1\"}}"),
                ("bun.lockb", "")
            ]),
            ["bun.lockb"]
        );
    }

    #[test]
    fn what_nuget_restored_answers_for_the_project_above() {
        let project = "<Project><PackageReference Include=\"a\"/></Project>";
        let assets = "src/app/obj/project.assets.json";
        assert_eq!(
            gaps(&[("src/app/app.csproj", project), (assets, "")]),
            [""; 0]
        );
        assert_eq!(
            gaps(&[("src/app.csproj", project), (assets, "")]),
            ["src/app.csproj"]
        );
    }

    #[test]
    fn what_is_parsed_is_only_a_lockfile() {
        let mut tree = Tree::default();
        assert!(tree.meet("package-lock.json", true).is_none());
        let kind = tree.meet("package.json", false).unwrap();
        tree.add("package.json", look(kind, NPM.as_bytes()));
        assert!(tree.gaps(true, true).is_empty());
        tree.meet(".github/workflows/ci.yml", true);
        assert!(tree.gaps(true, false).is_empty());
        assert_eq!(tree.gaps(true, true).len(), 1);
    }

    #[test]
    fn gaps_of_a_kind_have_one_text() {
        let mut tree = Tree::default();
        for path in ["b/x.whl", "a/Y.WHL"] {
            assert!(tree.meet(path, false).is_none());
        }
        let gaps = tree.gaps(true, true);
        assert_eq!(gaps.len(), 2);
        assert_eq!(gaps[0].cause, gaps[1].cause);
        assert_eq!(gaps[0].kind, GapKind::NotRead);
    }
}
