//! Where the database lies when nobody says.

use std::path::{Path, PathBuf};

use super::args::DatabasePath;
use super::failure::Failure;

const FILE_NAME: &str = "advisories.db";

/// The path of the database: `--db`, `PORTCULLIS_DB`, or the user's cache directory.
pub(super) fn database(argument: &DatabasePath) -> PathBuf {
    if let Some(path) = &argument.db {
        return path.clone();
    }
    if let Some(path) = std::env::var_os("PORTCULLIS_DB").filter(|path| !path.is_empty()) {
        return path.into();
    }
    cache_directory().join("portcullis").join(FILE_NAME)
}

/// Makes the directory that a file goes into.
pub(super) fn create_parent(file: &Path) -> Result<(), Failure> {
    match file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => std::fs::create_dir_all(parent)
            .map_err(|error| Failure::io(format!("cannot create {}", parent.display()), &error)),
        None => Ok(()),
    }
}

/// XDG's, macOS's or Windows's cache directory. Where none is known it is one that is not there:
/// a path relative to the working directory would be the scanned repository's word.
fn cache_directory() -> PathBuf {
    if let Some(path) = variable("XDG_CACHE_HOME") {
        return path;
    }
    if cfg!(windows) {
        return variable("LOCALAPPDATA").unwrap_or_else(nowhere);
    }
    let home = variable("HOME").unwrap_or_else(nowhere);
    if cfg!(target_os = "macos") {
        home.join("Library").join("Caches")
    } else {
        home.join(".cache")
    }
}

fn nowhere() -> PathBuf {
    PathBuf::from("/nonexistent")
}

/// An absolute path from the environment.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
