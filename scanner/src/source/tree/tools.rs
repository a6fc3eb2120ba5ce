//! Folders that are not entered: version control, and working copies that tools make anew. Each
//! holds what its tool puts there. Whatever else lies in one is the project's: a name alone must not
//! hide a lockfile.

use std::ffi::OsStr;
use std::path::Path;

use crate::source::root::{EntryKind, Root};

/// Folders that are not entered, as far as they hold what their tools put there.
pub(super) const SKIPPED_DIRECTORIES: [&str; 6] = [
    ".git",
    ".hg",
    ".svn",
    ".terraform",
    ".terragrunt-cache",
    "node_modules",
];

/// What git keeps in a repository besides files in capitals (`HEAD`, `FETCH_HEAD`).
const GIT: [&str; 28] = [
    "annex",
    "bisect",
    "branches",
    "config",
    "config.worktree",
    "description",
    "filter-repo",
    "gc.log",
    "gc.pid",
    "gitk.cache",
    "hooks",
    "index",
    "info",
    "lfs",
    "logs",
    "modules",
    "objects",
    "packed-refs",
    "rebase-apply",
    "rebase-merge",
    "refs",
    "reftable",
    "remotes",
    "rr-cache",
    "sequencer",
    "shallow",
    "svn",
    "worktrees",
];

const MERCURIAL: [&str; 14] = [
    "00changelog.i",
    "branch",
    "cache",
    "dirstate",
    "hgrc",
    "last-message.txt",
    "localtags",
    "patches",
    "requires",
    "shelved",
    "store",
    "strip-backup",
    "wcache",
    "bookmarks",
];

const SUBVERSION: [&str; 12] = [
    "all-wcprops",
    "dir-prop-base",
    "dir-props",
    "entries",
    "format",
    "pristine",
    "prop-base",
    "props",
    "text-base",
    "tmp",
    "wc.db",
    "wc.db-journal",
];

const TERRAFORM: [&str; 6] = [
    "environment",
    "modules",
    "plugin_path",
    "plugins",
    "providers",
    "terraform.tfstate",
];

/// The name in [`SKIPPED_DIRECTORIES`] that a folder has.
pub(super) fn skipped(name: &OsStr) -> Option<&'static str> {
    SKIPPED_DIRECTORIES
        .into_iter()
        .find(|skipped| name == *skipped)
}

/// Whether a folder of the tool `tool` holds something that the tool does not put there.
pub(super) fn holds_more(root: &dyn Root, tool: &str, folder: &Path) -> bool {
    // Nobody builds from a folder that cannot be listed.
    root.list(folder).is_ok_and(|items| {
        let mut items = items.iter();
        items.any(|item| !is_its(root, tool, &folder.join(&item.name)))
    })
}

/// Whether the tool `tool` puts this, by its name, into its folder.
pub(super) fn is_its(root: &dyn Root, tool: &str, path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        return false;
    };
    let is_upper = |c: u8| c.is_ascii_uppercase() || c == b'_';
    match tool {
        ".git" => {
            let name = name.strip_suffix(".lock").unwrap_or(name);
            GIT.contains(&name)
                || name.starts_with("index.")
                || name.starts_with("sharedindex.")
                || name.bytes().all(is_upper)
        }
        ".hg" => {
            MERCURIAL.contains(&name)
                || ["undo.", "dirstate", "bookmarks."]
                    .iter()
                    .any(|start| name.starts_with(start))
        }
        ".svn" => SUBVERSION.contains(&name),
        ".terraform" => TERRAFORM.contains(&name) || name.starts_with("terraform.tfstate."),
        // A folder called by a digest, with others in it that hold the copies.
        ".terragrunt-cache" => root
            .list(path)
            .is_ok_and(|items| items.iter().all(|item| item.kind == EntryKind::Directory)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::root::Directory;

    #[test]
    fn tools_know_what_is_theirs() {
        let empty = tempfile::tempdir().unwrap();
        let root = Directory::new(empty.path()).unwrap();
        for (tool, name, its) in [
            (".git", "HEAD", true),
            (".git", "index.lock", true),
            (".git", "package-lock.json", false),
            (".git", "app", false),
            (".hg", "store", true),
            (".hg", "undo.backup.dirstate", true),
            (".hg", "Cargo.lock", false),
            (".svn", "wc.db", true),
            (".svn", "trunk", false),
            (".terraform", "providers", true),
            (".terraform", "main.tf", false),
            ("node_modules", "anything", true),
        ] {
            assert_eq!(is_its(&root, tool, Path::new(name)), its, "{tool}/{name}");
        }
    }
}
