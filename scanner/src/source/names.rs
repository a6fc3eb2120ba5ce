//! Names inside a layer: bytes from a tar made into paths below the root, and the hashes of
//! these.
//!
//! A path has no leading `/`, no empty, `.` or `..` component. Bytes that are not UTF-8 are
//! written reversibly (`U+FFFD` and two hexadecimal digits; `U+FFFD` itself doubled), so that two
//! names never become one. Names that leave the root are refused.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::limits;

/// A name that is no path below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadName {
    /// `..` above the root.
    Escapes,
    /// Longer than [`limits::PATH_BYTES`].
    TooLong,
}

/// Bytes as text, reversibly.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains('\u{fffd}')
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            out.push(character);
            if character == '\u{fffd}' {
                out.push(character);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\u{fffd}{byte:02x}");
        }
    }
    Cow::Owned(out)
}

/// The path a tar name means, as engines clean it; empty for the root itself.
pub(crate) fn normalise(name: &[u8]) -> Result<String, BadName> {
    if name.len() > limits::PATH_BYTES {
        return Err(BadName::TooLong);
    }
    let name = text(name);
    let mut path = String::with_capacity(name.len());
    for component in name.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                if path.is_empty() {
                    return Err(BadName::Escapes);
                }
                path.truncate(path.rfind('/').unwrap_or(0));
            }
            _ => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(component);
            }
        }
    }
    Ok(path)
}

/// Directory and last component.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// `directory/name`, where the directory may be the root.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// Whether `path` lies below `directory`.
pub(crate) fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() && !path.is_empty()
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Hash of a path: 128 bits of SHA-256 over parent's hash and name. Nobody can make a file of
/// one layer seem to replace another path of a lower one.
pub(crate) type PathHash = u128;

/// The root.
pub(crate) const ROOT: PathHash = 0;

/// The hash of `name` in the directory with this hash.
pub(crate) fn child(parent: PathHash, name: &str) -> PathHash {
    let mut hasher = Sha256::new();
    hasher.update(parent.to_le_bytes());
    hasher.update(name.as_bytes());
    let digest = hasher.finalize();
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    PathHash::from_le_bytes(first)
}

/// The hash of a whole path.
pub(crate) fn hash(path: &str) -> PathHash {
    path.split('/')
        .filter(|name| !name.is_empty())
        .fold(ROOT, child)
}

/// Hashes of paths that come one after the other, mostly with a common beginning.
#[derive(Default)]
pub(crate) struct Walker {
    path: String,
    /// Where each component ends, and the hash up to there.
    stack: Vec<(usize, PathHash)>,
}

impl Walker {
    /// The hash of `path`; `parent` is called for every directory above it that the previous
    /// path did not go through.
    pub(crate) fn visit(&mut self, path: &str, mut parent: impl FnMut(PathHash)) -> PathHash {
        let common = self
            .path
            .bytes()
            .zip(path.bytes())
            .take_while(|(left, right)| left == right)
            .count();
        while let Some((end, _)) = self.stack.last() {
            let ends_here = |text: &str| matches!(text.as_bytes().get(*end), None | Some(b'/'));
            if *end <= common && ends_here(path) {
                break;
            }
            self.stack.pop();
        }
        // The last component of the previous path may have been a file; as part of this one it
        // is a directory.
        let (mut end, mut hash) = self.stack.last().copied().unwrap_or((0, ROOT));
        if end == self.path.len() && end > 0 && end < path.len() {
            parent(hash);
        }
        self.path.clear();
        self.path.push_str(path);
        while let Some(rest) = path.get(end..).map(|rest| rest.trim_start_matches('/')) {
            if rest.is_empty() {
                break;
            }
            let name = rest.split('/').next().unwrap_or(rest);
            hash = child(hash, name);
            end = path
                .len()
                .saturating_sub(rest.len())
                .saturating_add(name.len());
            self.stack.push((end, hash));
            if end < path.len() {
                parent(hash);
            }
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_below_the_root() {
        for (name, path) in [
            ("./usr//bin/./x", "usr/bin/x"),
            ("/etc/passwd", "etc/passwd"),
            ("a/../b", "b"),
            ("a/b/../c/", "a/c"),
            ("./", ""),
            ("...", "..."),
        ] {
            assert_eq!(normalise(name.as_bytes()).as_deref(), Ok(path), "{name}");
        }
        for name in ["..", "../x", "a/../../x", "/.."] {
            assert_eq!(normalise(name.as_bytes()), Err(BadName::Escapes), "{name}");
        }
        let long = vec![b'a'; limits::PATH_BYTES + 1];
        assert_eq!(normalise(&long), Err(BadName::TooLong));
    }

    #[test]
    fn odd_bytes_stay_apart() {
        let names: [&[u8]; 4] = [
            b"\xff",
            b"\xfe",
            "\u{fffd}".as_bytes(),
            "\u{fffd}ff".as_bytes(),
        ];
        let texts: Vec<_> = names.iter().map(|name| text(name).into_owned()).collect();
        for (index, one) in texts.iter().enumerate() {
            assert!(!texts[index + 1..].contains(one), "{texts:?}");
        }
    }

    #[test]
    fn the_walker_agrees_with_the_plain_hash_and_names_parents() {
        let mut walker = Walker::default();
        let paths = [
            "a", "a/b/c", "a/b/cd", "a/b", "a/b/c/d", "ab/c", "a", "x/y/z", "x/y/z/w",
        ];
        let mut parents = std::collections::BTreeSet::new();
        for path in paths {
            assert_eq!(
                walker.visit(path, |parent| {
                    parents.insert(parent);
                }),
                hash(path),
                "{path}"
            );
        }
        for parent in ["a", "a/b", "a/b/c", "ab", "x", "x/y", "x/y/z"] {
            assert!(parents.contains(&hash(parent)), "{parent}");
        }
    }
}
