//! Installed packages in a source tree: a job that installs and then scans has them, and perhaps no
//! lockfile that says what they are. They are not read here; that nothing answers for them is a gap.

use std::collections::BTreeSet;

/// The folder of an installation, with a manifest of the tool that fills it: whatever answers for
/// such a manifest answers for the installation.
pub(super) type Installed = BTreeSet<(String, &'static str)>;

/// The installation that a file belongs to.
pub(super) fn of(path: &str) -> Option<(String, &'static str)> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (above, folder) = directory.rsplit_once('/').unwrap_or(("", directory));
    let ends = |end: &str| name.ends_with(end);
    let found = match name {
        "METADATA" | "PKG-INFO" => {
            let is_package = folder.to_ascii_lowercase().ends_with(".dist-info")
                || folder.to_ascii_lowercase().ends_with(".egg-info");
            let is_installed = ["site-packages", "dist-packages"]
                .iter()
                .any(|folder| ends_with(above, folder));
            (is_package && is_installed).then_some((above, "pyproject.toml"))
        }
        "installed.json" | "installed.php" if ends_with(directory, "vendor/composer") => {
            Some((above, "composer.json"))
        }
        ".cargo-checksum.json" if folder != directory => Some((above, "Cargo.toml")),
        ".bower.json" if ends_with(above, "bower_components") => Some((above, "bower.json")),
        "Manifest.lock" if folder == "Pods" => Some((directory, "Podfile")),
        ".pnp.cjs" | ".pnp.js" | ".pnp.data.json" => Some((path, "package.json")),
        _ if ends_with(directory, ".yarn/cache") && ends(".zip") => {
            Some((directory, "package.json"))
        }
        _ if folder == "conda-meta" && ends(".json") => Some((directory, "environment.yml")),
        _ if folder == "specifications" && ends(".gemspec") => Some((above, "Gemfile")),
        _ => None,
    };
    found.map(|(root, manifest)| (root.to_owned(), manifest))
}

/// `a/b/c` ends with `b/c`, in whole components.
pub(super) fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_installations_name_their_folder() {
        for (path, root) in [
            (
                ".venv/lib/python3.11/site-packages/a-1.dist-info/METADATA",
                Some(".venv/lib/python3.11/site-packages"),
            ),
            (
                "x/site-packages/a.EGG-INFO/PKG-INFO",
                Some("x/site-packages"),
            ),
            ("a.egg-info/PKG-INFO", None),
            ("src/a-1.dist-info/METADATA", None),
            ("vendor/composer/installed.json", Some("vendor")),
            ("a/vendor/composer/installed.php", Some("a/vendor")),
            ("composer/installed.json", None),
            ("vendor/libc/.cargo-checksum.json", Some("vendor")),
            (".cargo-checksum.json", None),
            ("bower_components/a/.bower.json", Some("bower_components")),
            (".bower.json", None),
            ("ios/Pods/Manifest.lock", Some("ios/Pods")),
            (".yarn/cache/a-npm-1.zip", Some(".yarn/cache")),
            (".pnp.cjs", Some(".pnp.cjs")),
            ("env/conda-meta/a-1-0.json", Some("env/conda-meta")),
            (
                "vendor/bundle/ruby/3.1.0/specifications/a-1.gemspec",
                Some("vendor/bundle/ruby/3.1.0"),
            ),
            ("a.gemspec", None),
        ] {
            let found = of(path).map(|(root, _)| root);
            assert_eq!(found.as_deref(), root, "{path}");
        }
    }
}
