//! Trees of dependencies that lie in a source tree: what package managers installed or copied
//! there. Their lockfiles are those of other people's projects, which nothing ever reads, and their
//! packages are named by the lockfile of the project itself.

use std::collections::BTreeSet;
use std::path::Path;

use super::installed::ends_with;
use super::tools;

/// Folders that hold other people's projects wherever they lie.
const ALWAYS: [&str; 19] = [
    ".build/checkouts",
    ".cargo/registry",
    ".coursier/cache",
    ".eggs",
    ".gradle/caches",
    ".ivy2/cache",
    ".m2/repository",
    ".nuget/packages",
    ".pnpm-store",
    ".pub-cache",
    "Carthage/Checkouts",
    "Pods",
    "SourcePackages/checkouts",
    "__pypackages__",
    "bower_components",
    "dist-packages",
    "jspm_packages",
    "site-packages",
    "vendor/bundle",
];

/// Whether a walk may pass over a folder of this path because of its name, and so does not judge
/// what whoever names it asks for.
pub fn may_be_passed_over(directory: &Path) -> bool {
    directory.iter().any(|part| {
        let always = ALWAYS.iter().any(|folder| part == *folder);
        always || part == "vendor" || tools::skipped(part).is_some()
    })
}

/// A file that makes the folder that it lies in an environment of installed packages, and the
/// folders of such an environment. What else lies beside it is the project's: environments are made
/// in the folder of a project, too.
const MARKERS: [(&str, &[&str]); 2] = [
    (
        "pyvenv.cfg",
        &[
            "Lib", "Scripts", "bin", "etc", "include", "lib", "lib64", "share",
        ],
    ),
    (
        "conda-meta/history",
        &[
            "DLLs",
            "Lib",
            "Library",
            "Scripts",
            "bin",
            "conda-meta",
            "envs",
            "etc",
            "include",
            "lib",
            "lib64",
            "libexec",
            "man",
            "opt",
            "pkgs",
            "sbin",
            "share",
            "ssl",
            "var",
        ],
    ),
];

/// A folder of copies, and the files beside it whose tools make it; a folder of that name without
/// them is the project's own.
const BESIDE: [(&str, &[&str]); 5] = [
    (
        "vendor",
        &[
            "Cargo.lock",
            "Cargo.toml",
            "composer.json",
            "composer.lock",
            "go.mod",
        ],
    ),
    // A project of Ruby keeps its own things in `vendor`, too.
    (
        "vendor/cache",
        &["Gemfile", "Gemfile.lock", "gems.locked", "gems.rb"],
    ),
    // What `cargo package` packs.
    ("target/package", &["Cargo.lock", "Cargo.toml"]),
    ("deps", &["mix.exs", "mix.lock"]),
    (
        "_build",
        &["mix.exs", "mix.lock", "rebar.config", "rebar.lock"],
    ),
];

/// Files inside `vendor` that say the same.
const INSIDE: [&str; 4] = [
    "vendor/autoload.php",
    "vendor/composer/installed.json",
    "vendor/modules.txt",
    "vendor/vendor.json",
];

/// Whether a file of this name may tell that a folder is vendored.
pub(super) fn is_evidence(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MARKERS.iter().any(|(marker, _)| ends_with(path, marker))
        || INSIDE.iter().any(|inside| ends_with(path, inside))
        || BESIDE.iter().any(|(_, beside)| beside.contains(&name))
}

/// The vendored trees of one source tree.
#[derive(Debug, Default)]
pub(super) struct Vendored {
    roots: BTreeSet<String>,
}

impl Vendored {
    /// Finds them by the evidence that the walk met.
    pub(super) fn new<'a>(evidence: impl Iterator<Item = &'a str>) -> Self {
        let mut roots = BTreeSet::new();
        for path in evidence {
            for (marker, folders) in MARKERS {
                if ends_with(path, marker) {
                    let before = path.strip_suffix(marker).unwrap_or_default();
                    // A root of the scan that is such an environment itself was asked for.
                    if !before.is_empty() {
                        roots.extend(folders.iter().map(|folder| format!("{before}{folder}")));
                    }
                }
            }
            for inside in INSIDE {
                if let Some(before) = path.strip_suffix(inside)
                    && ends_with(path, inside)
                {
                    roots.insert(format!("{before}vendor"));
                }
            }
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            for (folder, beside) in BESIDE {
                if beside.contains(&name) {
                    roots.insert(if directory.is_empty() {
                        folder.to_owned()
                    } else {
                        format!("{directory}/{folder}")
                    });
                }
            }
        }
        Self { roots }
    }

    /// The vendored tree that a path lies in, the outermost one.
    pub(super) fn root_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        let mut directories = ends.filter_map(|end| path.get(..end));
        directories.find(|directory| {
            let always = ALWAYS.iter().any(|folder| ends_with(directory, folder));
            always || self.roots.contains(*directory)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(evidence: &[&str], path: &str) -> bool {
        assert!(
            evidence.iter().all(|path| is_evidence(path)),
            "{evidence:?}"
        );
        Vendored::new(evidence.iter().copied())
            .root_of(path)
            .is_some()
    }

    #[test]
    fn environments_and_copies_are_vendored() {
        for (evidence, path) in [
            (&[".venv/pyvenv.cfg"][..], ".venv/lib/x/requirements.txt"),
            (&["py/env/pyvenv.cfg"], "py/env/share/a/requirements.txt"),
            (&["env/conda-meta/history"], "env/pkgs/a/requirements.txt"),
            (&[], "lib/python3/site-packages/x/requirements.txt"),
            (&["composer.json"], "vendor/a/b/composer.lock"),
            (&["app/Gemfile"], "app/vendor/bundle/x/Gemfile.lock"),
            (&[], "vendor/bundle/ruby/3.1.0/gems/a-1/Gemfile.lock"),
            (&["vendor/modules.txt"], "vendor/x/go.mod"),
            (&["ios/Gemfile"], "ios/Pods/x/Cargo.lock"),
            (&["Cargo.toml"], "target/package/a-1/Cargo.lock"),
            (&["web/mix.exs"], "web/deps/phoenix/package-lock.json"),
            (&["rebar.config"], "_build/default/lib/a/rebar.lock"),
            (&[], "Carthage/Checkouts/a/Gemfile.lock"),
            (&[], ".m2/repository/g/a/1/a-1.jar"),
        ] {
            assert!(holds(evidence, path), "{path}");
        }
    }

    #[test]
    fn the_projects_own_folders_are_not() {
        for (evidence, path) in [
            (&[][..], "vendor/package-lock.json"),
            (&["composer.json"], "composer.lock"),
            (&["composer.json"], "src/vendor/composer.lock"),
            (&["pyvenv.cfg"], "requirements.txt"),
            (&["a/pyvenv.cfg"], "ab/lib/requirements.txt"),
            (&["a/pyvenv.cfg"], "a/requirements.txt"),
            (&["a/pyvenv.cfg"], "a/src/requirements.txt"),
            (&["Gemfile"], "vendor/engine/Gemfile.lock"),
            (&[], "site-packages"),
            (&[], "deps/a/package-lock.json"),
            (&["Cargo.toml"], "target/Cargo.lock"),
        ] {
            assert!(!holds(evidence, path), "{path}");
        }
    }
}
