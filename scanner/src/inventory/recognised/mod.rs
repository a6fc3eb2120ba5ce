//! Files that tools of this kind know and that we do not read yet: lockfiles, manifests without
//! a lockfile, infrastructure code, lists of materials, archives, executables, and what other
//! installers leave in images. The tables of `table` are the one list of them; a file that they
//! match is a gap, never silence. When a parser for a format arrives, its row leaves the table: a test holds
//! the two apart.
//!
//! A path alone decides for most rows. Some want the first [`CONTENT_BYTES`] of the file, too: a
//! `.yaml` may be Kubernetes or nothing of ours, and a manifest may declare no dependency.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

mod content;
mod document;
pub mod executable;
mod manifest;
pub(super) mod member;
mod path;
mod table;
pub mod tree;

pub use self::path::Pattern;

/// The id of bills of materials of any name.
pub(super) const BILL: &str = table::files::SBOM_JSON.id;

/// What a document of any name is, by its first bytes.
pub(super) fn of_document(first: &[u8]) -> Option<&'static FileKind> {
    document::kind(first)
}

/// How many first bytes of a file [`confirm`] looks at. Infrastructure code says what it is in
/// its first lines; a manifest that is longer counts as one that declares dependencies.
pub const CONTENT_BYTES: usize = 64 << 10;

/// Where a file was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// A source tree.
    Tree,
    /// A layer of an image.
    Image,
}

/// Where a kind of file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// In source trees only.
    Tree,
    /// In images only.
    Image,
    /// In both.
    Both,
}

/// What a file of a kind is, and so how much its gap leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It pins versions: a list of packages that should have been judged, and was not.
    Lockfile,
    /// It asks for dependencies, and a lockfile beside it would say which versions are used.
    Manifest {
        /// File names of lockfiles, read by us or not, that answer for it; `*` stands for
        /// anything, once.
        answers: &'static [&'static str],
        /// Whether a lockfile in a directory above answers, too.
        above: Above,
    },
    /// Code that says how something is built or run, and that rules could judge.
    Infrastructure,
    /// A list of materials, an archive, an installation: one more thing in the target that is not
    /// read.
    Other,
}

/// Whether a lockfile of a parent directory answers for a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Above {
    /// Only one in the same directory.
    Never,
    /// If the manifest beside it says that it is the root of a workspace.
    Workspace,
    /// Always: the package manager looks upwards.
    Always,
}

/// Whether the path decides.
#[derive(Clone, Copy)]
pub enum Look {
    /// It does.
    Path,
    /// The first bytes must agree.
    Content(fn(&[u8]) -> bool),
    /// The first bytes say which kind of document it is, if any.
    Document,
}

/// One row of the table.
pub struct FileKind {
    /// Kebab-case name, unique: `bun-lockb`.
    pub id: &'static str,
    /// What it is, as it stands in a sentence: `Bun lockfile`.
    pub phrase: &'static str,
    /// What it means for the result.
    pub role: Role,
    /// Where it counts.
    pub places: Places,
    /// Any of these makes a file its own.
    pub patterns: &'static [Pattern],
    /// Whether the content must be asked.
    pub look: Look,
}

impl FileKind {
    /// Whether [`confirm`] must see the first bytes before the file counts.
    pub const fn needs_content(&self) -> bool {
        !matches!(self.look, Look::Path)
    }

    /// Whether a run that looks for these would look at it: for packages, for infrastructure code.
    pub const fn is_asked(&self, packages: bool, infrastructure: bool) -> bool {
        match self.role {
            Role::Infrastructure => infrastructure,
            Role::Lockfile | Role::Manifest { .. } | Role::Other => packages,
        }
    }

    /// Whether a lockfile could answer for files of this kind.
    pub const fn is_manifest(&self) -> bool {
        matches!(self.role, Role::Manifest { .. })
    }

    /// The gap for a file of this kind. Installations of which every file is recognised have one
    /// gap for the directory of each package: gaps that are equal are one.
    pub fn gap(&self, path: &str) -> Gap {
        let subject = self.patterns.iter().find_map(|one| one.subject(path));
        let place = Location::file(subject.unwrap_or(path));
        let phrase = self.phrase;
        match self.role {
            Role::Lockfile => {
                let cause = format!("{phrase}: recognised, and not read yet");
                Gap::warning(Stage::Inventory, GapKind::NotRead, place, cause).unjudged()
            }
            Role::Manifest { .. } => {
                let cause = format!("{phrase} without a lockfile: versions are not known");
                Gap::warning(Stage::Inventory, GapKind::NoLockfile, place, cause)
            }
            Role::Infrastructure | Role::Other => {
                let cause = format!("{phrase}: recognised, and not read yet");
                Gap::warning(Stage::Inventory, GapKind::NotRead, place, cause)
            }
        }
    }

    fn counts_in(&self, place: Within) -> bool {
        match self.places {
            Places::Both => true,
            Places::Tree => place == Within::Tree,
            Places::Image => place == Within::Image,
        }
    }
}

impl std::fmt::Debug for FileKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.id)
    }
}

/// Rows by what decides fastest: the file name, its extension, or else a look at the path.
#[derive(Default)]
struct Index {
    names: BTreeMap<&'static str, &'static FileKind>,
    others: Vec<(&'static Pattern, &'static FileKind)>,
    extensions: BTreeMap<&'static str, &'static FileKind>,
}

impl Index {
    fn new(place: Within) -> Self {
        let mut index = Self::default();
        for kind in table::all().filter(|kind| kind.counts_in(place)) {
            for pattern in kind.patterns {
                match pattern {
                    Pattern::Name(name) => {
                        index.names.entry(name).or_insert(kind);
                    }
                    Pattern::Extension(extension) => {
                        index.extensions.entry(extension).or_insert(kind);
                    }
                    other => index.others.push((other, kind)),
                }
            }
        }
        index
    }

    fn find(&self, path: &str) -> Option<&'static FileKind> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some(kind) = self.names.get(name) {
            return Some(kind);
        }
        let special = self.others.iter().find(|(one, _)| one.matches(path, name));
        if let Some((_, kind)) = special {
            return Some(kind);
        }
        let (_, extension) = name.rsplit_once('.')?;
        if extension.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let lower = extension.to_ascii_lowercase();
            return self.extensions.get(lower.as_str()).copied();
        }
        self.extensions.get(extension).copied()
    }
}

static TREE: LazyLock<Index> = LazyLock::new(|| Index::new(Within::Tree));
static IMAGE: LazyLock<Index> = LazyLock::new(|| Index::new(Within::Image));

/// The kind of a file by its path from the root of the target. If it [needs
/// content](FileKind::needs_content), [`confirm`] decides; otherwise it is recognised.
pub fn recognise(path: &str, place: Within) -> Option<&'static FileKind> {
    match place {
        Within::Tree => TREE.find(path),
        Within::Image => IMAGE.find(path),
    }
}

/// The kind that a file is, by its first [`CONTENT_BYTES`] (all of a shorter file).
pub fn confirm(kind: &'static FileKind, first: &[u8]) -> Option<&'static FileKind> {
    match kind.look {
        Look::Path => Some(kind),
        Look::Content(agrees) => agrees(first).then_some(kind),
        Look::Document => document::kind(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Evidence, dispatch, parsers};
    use crate::model::gap::GapClass;

    fn id(path: &str, place: Within) -> Option<&'static str> {
        recognise(path, place).map(|kind| kind.id)
    }

    #[test]
    fn no_row_matches_what_a_parser_wants() {
        for parser in parsers::ALL {
            let place = match parser.evidence {
                Evidence::Locked => Within::Tree,
                Evidence::Installed => Within::Image,
            };
            for path in parser.wants.iter().map(path::example_of_want) {
                if dispatch::by_path(&path, parser.evidence).is_empty() {
                    continue;
                }
                // Content is asked of files that no parser reads, and infrastructure code may
                // name packages, too.
                let found = recognise(&path, place);
                let found = found.filter(|kind| !matches!(kind.look, Look::Document));
                let found = found.filter(|kind| kind.role != Role::Infrastructure);
                assert!(found.is_none(), "{path} is read by {}", parser.id);
            }
        }
        for kind in table::all().filter(|kind| kind.role != Role::Infrastructure) {
            for path in kind.patterns.iter().map(Pattern::example) {
                for (place, evidence) in [
                    (Within::Tree, Evidence::Locked),
                    (Within::Image, Evidence::Installed),
                ] {
                    if kind.counts_in(place) {
                        let parsers = dispatch::by_path(&path, evidence);
                        let ids: Vec<_> = parsers.iter().map(|parser| parser.id).collect();
                        assert!(ids.is_empty(), "{}: {path} is read by {ids:?}", kind.id);
                    }
                }
            }
        }
    }

    #[test]
    fn every_pattern_finds_its_row() {
        for kind in table::all() {
            for path in kind.patterns.iter().map(Pattern::example) {
                for place in [Within::Tree, Within::Image] {
                    if kind.counts_in(place) {
                        assert_eq!(id(&path, place), Some(kind.id), "{path}");
                    }
                }
            }
        }
    }

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let mut ids: Vec<_> = table::all().map(|kind| kind.id).collect();
        let kebab = |id: &str| {
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(ids.iter().all(|id| kebab(id)));
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn places_and_classes() {
        assert_eq!(id("a/bun.lockb", Within::Tree), Some("bun-lockb"));
        assert_eq!(id("a/bun.lockb", Within::Image), None);
        assert_eq!(id("lib/A.WHL", Within::Tree), Some("python-wheel"));
        assert_eq!(id("a/Dockerfile.dev", Within::Tree), Some("dockerfile"));
        assert_eq!(id("a/dev.Dockerfile", Within::Tree), Some("dockerfile"));
        assert_eq!(id("src/main.rs", Within::Tree), None);
        let gap = recognise("a/bun.lockb", Within::Tree)
            .unwrap()
            .gap("a/bun.lockb");
        assert_eq!(
            (gap.kind, gap.class),
            (GapKind::NotRead, GapClass::Unjudged)
        );
        let gap = recognise("x.whl", Within::Tree).unwrap().gap("x.whl");
        assert_eq!((gap.kind, gap.class), (GapKind::NotRead, GapClass::Partial));
        let store = "gnu/store/0123-bash-5.2/bin/bash";
        let gap = recognise(store, Within::Image).unwrap().gap(store);
        assert_eq!(&*gap.location.path, "gnu/store/0123-bash-5.2");
    }
}
