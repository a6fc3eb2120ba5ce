//! Git's objects: their ids, and what stands in commits and trees. An id is
//! computed from what it names, never taken from the server, so that a chain
//! from the tip down to a file holds only what the tip's id vouches for.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The bytes of an object's name.
pub type Id = Vec<u8>;

/// The hash of a repository (`object-format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Sha1,
    Sha256,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    #[cfg(feature = "network")]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Bytes of a hash.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(super) fn digest(self, parts: &[&[u8]]) -> Id {
        fn run<D: Digest>(parts: &[&[u8]]) -> Id {
            let mut hasher = D::new();
            for part in parts {
                hasher.update(part);
            }
            hasher.finalize().to_vec()
        }
        match self {
            Self::Sha1 => run::<Sha1>(parts),
            Self::Sha256 => run::<Sha256>(parts),
        }
    }

    /// Reads a hash in hexadecimal digits.
    pub(super) fn parse(self, text: &str) -> Option<Id> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let id: Option<Id> = pairs
            .iter()
            .map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok())
            .collect();
        id.filter(|id| rest.is_empty() && id.len() == self.length())
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A state of the whole tree, with its history.
    Commit,
    /// A folder.
    Tree,
    /// The content of a file, or where a link leads.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// Git's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// An object's name.
pub(super) fn id(format: Format, kind: Kind, data: &[u8]) -> Id {
    let head = format!("{} {}\0", kind.name(), data.len());
    format.digest(&[head.as_bytes(), data])
}

/// The objects of one commit, by their computed ids.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) format: Format,
    pub(super) tip: Id,
    pub(super) objects: BTreeMap<Id, (Kind, Vec<u8>)>,
}

/// What a name in a tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, executable or not.
    File,
    /// A tree.
    Folder,
    /// A symbolic link; its object is the path that it leads to.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// One name in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub kind: EntryKind,
    /// Without separators; none of `.`, `..` and `.git`.
    pub name: String,
    /// The object.
    pub id: Id,
}

impl Snapshot {
    /// The names in the top folder.
    pub fn root(&self) -> Result<Vec<Entry>, String> {
        let commit = self.get(&self.tip, Kind::Commit)?;
        let tree = commit
            .strip_prefix(b"tree ")
            .and_then(|rest| rest.split(|byte| *byte == b'\n').next())
            .and_then(|line| self.format.parse(std::str::from_utf8(line).ok()?))
            .ok_or("the tip's commit names no tree")?;
        self.tree(&tree)
    }

    /// The names in a folder.
    pub fn folder(&self, entry: &Entry) -> Result<Vec<Entry>, String> {
        self.tree(&entry.id)
    }

    /// The content of a file.
    pub fn file(&self, entry: &Entry) -> Result<&[u8], String> {
        self.get(&entry.id, Kind::Blob)
    }

    fn get(&self, id: &[u8], kind: Kind) -> Result<&[u8], String> {
        match self.objects.get(id) {
            Some((found, data)) if *found == kind => Ok(data),
            Some((found, _)) => Err(format!(
                "object {} is a {}, not a {}",
                hex::encode(id),
                found.name(),
                kind.name()
            )),
            None => Err(format!("object {} was not sent", hex::encode(id))),
        }
    }

    fn tree(&self, id: &[u8]) -> Result<Vec<Entry>, String> {
        let malformed = || format!("tree {} is malformed", hex::encode(id));
        let entries = entries(self.format, self.get(id, Kind::Tree)?).ok_or_else(malformed)?;
        let named = entries.into_iter().map(|entry| {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            // It becomes a path on systems with another separator, too.
            if name.contains('\\') {
                return Err(malformed());
            }
            Ok(Entry {
                kind: entry.kind,
                name,
                id: entry.id,
            })
        });
        named.collect()
    }
}

/// One name in a tree, as it is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it stands for.
    pub kind: EntryKind,
    /// Whether the file may be executed.
    pub is_executable: bool,
    /// Not empty, without `/` and NUL; none of `.`, `..` and `.git`.
    pub name: Vec<u8>,
    /// The object.
    pub id: Id,
}

/// The names in a tree; `None` where one is malformed.
pub(super) fn entries(format: Format, mut tree: &[u8]) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    while !tree.is_empty() {
        let (entry, after) = entry(format, tree)?;
        entries.push(entry);
        tree = after;
    }
    Some(entries)
}

/// `mode SP name NUL id`, and what follows.
fn entry(format: Format, bytes: &[u8]) -> Option<(TreeEntry, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let (mode, rest) = (bytes.get(..space)?, bytes.get(space.checked_add(1)?..)?);
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (name, rest) = (rest.get(..end)?, rest.get(end.checked_add(1)?..)?);
    let (id, after) = rest.split_at_checked(format.length())?;
    let kind = match mode {
        b"100644" | b"100755" | b"100664" => EntryKind::File,
        b"40000" | b"040000" => EntryKind::Folder,
        b"120000" => EntryKind::Link,
        b"160000" => EntryKind::Submodule,
        _ => return None,
    };
    let is_name = !name.is_empty()
        && !name.contains(&b'/')
        && !matches!(name, b"." | b"..")
        && !name.eq_ignore_ascii_case(b".git");
    let entry = TreeEntry {
        kind,
        is_executable: mode == b"100755",
        name: name.to_vec(),
        id: id.to_vec(),
    };
    is_name.then_some((entry, after))
}
