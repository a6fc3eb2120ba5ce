//! How a row of the table names its files.

#[cfg(test)]
use crate::inventory::Want;

/// A pattern of paths. Only extensions ignore case, as those who load such files do.
#[derive(Clone, Copy, Debug)]
pub enum Pattern {
    /// The exact file name.
    Name(&'static str),
    /// The last extension, lower case and without its dot.
    Extension(&'static str),
    /// A file name that begins and ends like this, with something between; ASCII case is
    /// ignored.
    Between(&'static str, &'static str),
    /// The exact path from the root.
    Path(&'static str),
    /// A path that ends in these components.
    Suffix(&'static str),
    /// A file name with this end, directly in a directory whose path ends in these components.
    In(&'static str, &'static str),
    /// Anything below a directory of the root; the gap is for so many components of the path.
    Below(&'static str, usize),
}

impl Pattern {
    /// Whether a path, whose file name is given as well, is one of these.
    pub(super) fn matches(&self, path: &str, name: &str) -> bool {
        match *self {
            Self::Name(wanted) => name == wanted,
            Self::Extension(wanted) => name
                .rsplit_once('.')
                .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(wanted)),
            Self::Between(before, after) => is_between(name, before, after),
            Self::Path(wanted) => path == wanted,
            Self::Suffix(end) => ends_in(path, end),
            Self::In(directory, end) => {
                let parent = path.strip_suffix(name).and_then(|p| p.strip_suffix('/'));
                name.ends_with(end) && parent.is_some_and(|parent| ends_in(parent, directory))
            }
            Self::Below(directory, _) => path
                .strip_prefix(directory)
                .is_some_and(|rest| rest.starts_with('/')),
        }
    }

    /// The part of a path that the gap names, if it is not the whole.
    pub(super) fn subject<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Self::Below(directory, components) = *self else {
            return None;
        };
        path.strip_prefix(directory)?.strip_prefix('/')?;
        let end = path.match_indices('/').nth(components.checked_sub(1)?);
        match end {
            Some((at, _)) => path.get(..at),
            None => Some(path),
        }
    }

    /// A path that matches.
    #[cfg(test)]
    pub(super) fn example(&self) -> String {
        match *self {
            Self::Name(name) | Self::Path(name) => name.to_owned(),
            Self::Extension(extension) => format!("some/file.{extension}"),
            Self::Between(before, after) => format!("some/{before}x{after}"),
            Self::Suffix(end) => format!("some/{end}"),
            Self::In(directory, end) => format!("some/{directory}/file{end}"),
            Self::Below(directory, _) => format!("{directory}/a/b/c/d"),
        }
    }
}

fn ends_in(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn is_between(name: &str, before: &str, after: &str) -> bool {
    let Some(least) = before.len().checked_add(after.len()) else {
        return false;
    };
    let begin = name.get(..before.len());
    let end = name
        .len()
        .checked_sub(after.len())
        .and_then(|at| name.get(at..));
    name.len() > least
        && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(before))
        && end.is_some_and(|end| end.eq_ignore_ascii_case(after))
}

/// A path that a parser's want takes, as far as the want alone tells.
#[cfg(test)]
pub(super) fn example_of_want(want: &Want) -> String {
    match *want {
        Want::Name(name) | Want::Path(name) => name.to_owned(),
        Want::Suffix(end) => format!("some/a.{end}"),
        Want::In(directory) => format!("{}/file", directory.trim_end_matches('/')),
        Want::Extension(extension) => format!("some/file{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_need_something_there() {
        assert!(is_between("Dockerfile.dev", "dockerfile.", ""));
        assert!(!is_between("Dockerfile.", "dockerfile.", ""));
        assert!(is_between("pnpm-lock.main.yaml", "pnpm-lock.", ".yaml"));
        assert!(!is_between("pnpm-lock.yaml", "pnpm-lock.", ".yaml"));
        assert!(!is_between("ä", "d", ""));
    }

    #[test]
    fn a_store_has_one_gap_per_package() {
        let store = Pattern::Below("nix/store", 3);
        assert_eq!(store.subject("nix/store/a-1/bin/a"), Some("nix/store/a-1"));
        assert_eq!(store.subject("nix/store/a.drv"), Some("nix/store/a.drv"));
        assert_eq!(store.subject("nix/stores/a"), None);
        assert!(!store.matches("nix/store", "store"));
    }
}
