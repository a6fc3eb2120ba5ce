//! The rows, by what they are. To add one, add it to the fitting list; when a parser for it
//! arrives, take it out.

use super::{Above, FileKind, Look, Pattern, Places, Role};

pub(super) mod files;
pub(super) mod infrastructure;
mod installed;
mod lockfiles;
mod manifests;

/// Every row; earlier ones win where several match in the same way.
pub(super) fn all() -> impl Iterator<Item = &'static FileKind> {
    lockfiles::ALL
        .iter()
        .chain(manifests::ALL)
        .chain(infrastructure::ALL)
        .chain(infrastructure::SNIFFED.iter().copied())
        .chain(files::ALL)
        .chain(files::SNIFFED.iter().copied())
        .chain(installed::ALL)
}

const fn row(
    id: &'static str,
    phrase: &'static str,
    role: Role,
    places: Places,
    patterns: &'static [Pattern],
) -> FileKind {
    FileKind {
        id,
        phrase,
        role,
        places,
        patterns,
        look: Look::Path,
    }
}

const fn looking(kind: &FileKind, look: Look) -> FileKind {
    FileKind {
        id: kind.id,
        phrase: kind.phrase,
        role: kind.role,
        places: kind.places,
        patterns: kind.patterns,
        look,
    }
}
