//! Where the database lies when nobody says.

use std::path::{Path, PathBuf};

use super::args::DatabasePath;
use super::failure::Failure;

const FILE_NAME: &str = "advisories.db";

/// The path of the database: `--db`, `PORTCULLIS_DB`, or the user's cache directory. Where none is
/// known it is one that is not there: a path relative to the working directory would be the
/// scanned repository's word.
pub(super) fn database(argument: &DatabasePath) -> PathBuf {
    named(argument).unwrap_or_else(|| PathBuf::from("/nonexistent").join(FILE_NAME))
}

/// The same for a command that writes it, and makes its directory.
pub(super) fn database_to_write(argument: &DatabasePath) -> Result<PathBuf, Failure> {
    let path = named(argument).ok_or_else(|| {
        Failure::new("there is no place for the database: the user's cache directory is not known")
            .hint("name one: --db PATH, or PORTCULLIS_DB; or set HOME or XDG_CACHE_HOME")
    })?;
    create_parent(&path)?;
    Ok(path)
}

/// Where the contents of layers are kept: `--cache-dir`, `PORTCULLIS_CACHE`, or the user's cache
/// directory; `None` where none is known.
pub(super) fn layers(argument: Option<&Path>) -> Option<PathBuf> {
    let named = argument.map(Path::to_owned);
    let named = named.or_else(|| variable("PORTCULLIS_CACHE"));
    named.or_else(|| Some(cache_directory()?.join("portcullis").join("layers")))
}

fn named(argument: &DatabasePath) -> Option<PathBuf> {
    if let Some(path) = &argument.db {
        return Some(path.clone());
    }
    if let Some(path) = std::env::var_os("PORTCULLIS_DB").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    Some(cache_directory()?.join("portcullis").join(FILE_NAME))
}

/// Makes the directory that a file goes into.
fn create_parent(file: &Path) -> Result<(), Failure> {
    match file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => std::fs::create_dir_all(parent)
            .map_err(|error| Failure::io(format!("cannot create {}", parent.display()), &error)),
        None => Ok(()),
    }
}

/// XDG's, macOS's or Windows's cache directory.
fn cache_directory() -> Option<PathBuf> {
    if let Some(path) = variable("XDG_CACHE_HOME") {
        return Some(path);
    }
    if cfg!(windows) {
        return variable("LOCALAPPDATA");
    }
    let home = variable("HOME")?;
    Some(if cfg!(target_os = "macos") {
        home.join("Library").join("Caches")
    } else {
        home.join(".cache")
    })
}

/// An absolute path from the environment.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
