//! Keys of `packages` in `pnpm-lock.yaml`, and how dependencies name them:
//! `/name/1.2.3_peers` (version 5), `/name@1.2.3(peers)` (6), `name@1.2.3` (9), each with the host
//! of another registry before it, or an address instead of the version.

use super::npm;

/// Name and version in a key; the version may be an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

/// A key without the peers that follow it in parentheses.
pub(super) fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or(key)
}

impl<'a> Key<'a> {
    /// Reads a key; `slashes` for version 5. `None` for addresses that tell no name.
    pub(super) fn of(key: &'a str, slashes: bool) -> Option<Self> {
        let has_host = !key.starts_with('/');
        let key = without_peers(key);
        let key = key.strip_prefix('/').unwrap_or(key);
        if slashes {
            return Self::with_slashes(key, has_host);
        }
        // The `@` of a scope stands at the start or after a slash.
        let at = key.match_indices('@').map(|(at, _)| at).find(|&at| {
            let before = key.get(..at).unwrap_or_default();
            !before.is_empty() && !before.ends_with('/')
        })?;
        let (name, version) = key.split_at_checked(at)?;
        if name.contains(':') {
            return None;
        }
        let version = version.get(1..)?;
        Some(Self {
            name: without_host(name),
            version,
        })
    }

    fn with_slashes(key: &'a str, has_host: bool) -> Option<Self> {
        if key.contains(':') {
            return None;
        }
        let key = if has_host && !key.starts_with('@') {
            key.split_once('/')?.1
        } else {
            key
        };
        let skip = match key.strip_prefix('@') {
            Some(scoped) => scoped.find('/')?.checked_add(2)?,
            None => 0,
        };
        let end = key.get(skip..)?.find('/')?.checked_add(skip)?;
        let (name, version) = key.split_at_checked(end)?;
        // Peers follow after `_`, in the oldest files after a slash.
        let version = version.get(1..)?.split(['_', '/']).next()?;
        npm::is_version(version).then_some(Self { name, version })
    }
}

/// A name without the host of a registry: the last part, with its scope.
fn without_host(name: &str) -> &str {
    let mut slashes = name.rmatch_indices('/').map(|(at, _)| at);
    let Some(last) = slashes.next() else {
        return name;
    };
    let begin = slashes.next().map_or(0, |at| at.saturating_add(1));
    match name.get(begin..) {
        Some(scoped) if scoped.starts_with('@') => scoped,
        _ => name.get(last.saturating_add(1)..).unwrap_or(name),
    }
}

/// A key of `packages` in a form that can be compared: without peers and host.
pub(super) fn plain(key: &str, slashes: bool) -> String {
    match Key::of(key, slashes) {
        Some(Key { name, version }) => format!("{name}@{version}"),
        None => without_peers(key).trim_start_matches('/').to_owned(),
    }
}

/// The comparable keys that a dependency of a project may have: `name: 1.2.3`,
/// `alias: /real@1.2.3`, `name: host/name/1.2.3`, `name: file:a.tgz`; none for links.
pub(super) fn of_dependency(name: &str, version: &str, slashes: bool) -> Vec<String> {
    if version.starts_with("link:") || version.starts_with("workspace:") {
        return Vec::new();
    }
    let short = without_peers(version);
    let bare = if slashes {
        short.split('_').next().unwrap_or(short)
    } else {
        short
    };
    if npm::is_version(bare) {
        return vec![format!("{name}@{bare}")];
    }
    // Version 9 puts the name before an address, the older ones have the address alone.
    vec![plain(version, slashes), format!("{name}@{short}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_versions() {
        for (key, slashes, expected) in [
            ("/a/1.0.0", true, Some("a 1.0.0")),
            ("/@s/a/1.0.0_b@2.0.0", true, Some("@s/a 1.0.0")),
            ("/a/1.0.0/b@2.0.0", true, Some("a 1.0.0")),
            ("registry.example.com/a/1.0.0", true, Some("a 1.0.0")),
            ("localhost+4873/@s/a/1.0.0", true, Some("@s/a 1.0.0")),
            ("github.com/user/repo/0123abc", true, None),
            ("file:a.tgz", true, None),
            ("/a@1.0.0(b@2.0.0)", false, Some("a 1.0.0")),
            ("@s/a@1.0.0", false, Some("@s/a 1.0.0")),
            ("registry.example.com/a@1.0.0", false, Some("a 1.0.0")),
            ("registry.example.com/@s/a@1.0.0", false, Some("@s/a 1.0.0")),
            ("a@https://x/@y/a.tgz", false, Some("a https://x/@y/a.tgz")),
            ("a@file:b.tgz", false, Some("a file:b.tgz")),
            ("file:b.tgz", false, None),
            ("file:@s/b@1.tgz", false, None),
        ] {
            let found = Key::of(key, slashes);
            let found = found.map(|key| format!("{} {}", key.name, key.version));
            assert_eq!(found.as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn dependencies_name_their_keys() {
        for (name, version, slashes, key) in [
            ("a", "1.0.0_b@2.0.0", true, "/a/1.0.0_b@2.0.0"),
            ("a", "/b/1.0.0", true, "/b/1.0.0"),
            ("a", "host.example/a/1.0.0", true, "host.example/a/1.0.0"),
            (
                "a",
                "github.com/user/repo/0123abc",
                true,
                "github.com/user/repo/0123abc",
            ),
            ("a", "file:a.tgz", true, "file:a.tgz"),
            ("a", "1.0.0(b@2.0.0)", false, "/a@1.0.0(b@2.0.0)"),
            ("a", "/b@1.0.0", false, "/b@1.0.0"),
            ("a", "b@1.0.0", false, "b@1.0.0"),
            ("a", "@s/b@1.0.0", false, "@s/b@1.0.0"),
            (
                "a",
                "github.com/user/repo/0123abc",
                false,
                "github.com/user/repo/0123abc",
            ),
            ("a", "file:a.tgz", false, "file:a.tgz"),
            ("a", "file:a.tgz", false, "a@file:a.tgz"),
            ("a", "work:1.0.0", false, "a@work:1.0.0"),
            ("a", "https://x/a.tgz", false, "a@https://x/a.tgz"),
        ] {
            let found = of_dependency(name, version, slashes);
            assert!(found.contains(&plain(key, slashes)), "{version}: {found:?}");
        }
        assert!(of_dependency("a", "link:../a", false).is_empty());
    }
}
