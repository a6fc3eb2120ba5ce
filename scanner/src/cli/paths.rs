//! Where the database lies when nobody says.

use std::path::PathBuf;

use super::args::DatabasePath;

const FILE_NAME: &str = "advisories.db";

/// The path of the database: `--db`, `PORTCULLIS_DB`, or the user's cache directory.
pub(super) fn database(argument: &DatabasePath) -> PathBuf {
    if let Some(path) = &argument.db {
        return path.clone();
    }
    if let Some(path) = variable("PORTCULLIS_DB") {
        return path;
    }
    cache_directory().join("portcullis").join(FILE_NAME)
}

/// XDG's, macOS's or Windows's cache directory; the working directory where none is known.
fn cache_directory() -> PathBuf {
    if let Some(path) = variable("XDG_CACHE_HOME") {
        return path;
    }
    if cfg!(windows) {
        return variable("LOCALAPPDATA").unwrap_or_default();
    }
    let home = variable("HOME").unwrap_or_default();
    if cfg!(target_os = "macos") {
        home.join("Library").join("Caches")
    } else {
        home.join(".cache")
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
