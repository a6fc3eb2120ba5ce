//! The objects of a git repository on this disk: loose ones and packs, of clones, work trees, bare
//! and shallow repositories, and of stores that they borrow from. Owns how a name becomes a commit,
//! and a commit a tree of files; starts no process, asks nobody, writes nothing. Every object's id is
//! computed from its content before it is believed.
//!
//! Many threads may read one [`Repository`].

mod error;
mod history;
mod layout;
mod loose;
mod pack;
mod refs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use self::error::StoreError;
use self::error::{damaged, io_error};
use self::layout::Layout;
use self::pack::{Pack, Raw};
use super::delta;
use super::object::{self, Id, Kind, TreeEntry};

/// What reading may cost.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of one object; larger ones are [`StoreError::Limit`].
    pub object: u64,
    /// Bytes of objects that are kept because others may be deltas against them.
    pub cache: u64,
    /// Commits that are looked at for one question about history.
    pub commits: usize,
    /// Deltas between an object and a whole one; git itself makes 50, and refuses to make more than
    /// 4095.
    pub chain: usize,
    /// Packs of all stores.
    pub packs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            object: 256 << 20,
            cache: 32 << 20,
            commits: 1_000_000,
            chain: 4095,
            packs: 10_000,
        }
    }
}

/// The type and content of an object.
pub type Object = (Kind, Arc<[u8]>);

/// See the module.
#[derive(Debug)]
pub struct Repository {
    layout: Layout,
    packs: Vec<Pack>,
    shallow: Vec<Id>,
    options: Options,
    /// By pack and offset.
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    objects: BTreeMap<(usize, u64), Object>,
    bytes: u64,
}

/// A commit, as far as it says what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: Id,
    /// What it was made from; none for the first, and at the end of a shallow clone.
    pub parents: Vec<Id>,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

impl Repository {
    /// Opens the repository that a work tree belongs to, by its top directory, or a bare one.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let layout = Layout::find(path)?;
        let mut packs = Vec::new();
        for store in &layout.objects {
            for index in indexes(&store.join("pack"))? {
                if packs.len() >= options.packs {
                    return Err(StoreError::Limit {
                        what: "the number of packs".to_owned(),
                        limit: options.packs as u64,
                    });
                }
                packs.push(Pack::open(&index, layout.format)?);
            }
        }
        let shallow = layout::small(&layout.common.join("shallow"))?.unwrap_or_default();
        let shallow = shallow.lines().filter_map(|line| layout.format.parse(line));
        Ok(Self {
            shallow: shallow.collect(),
            layout,
            packs,
            options,
            cache: Mutex::default(),
        })
    }

    /// An object, of whatever kind.
    pub fn object(&self, id: &[u8]) -> Result<Object, StoreError> {
        for (number, pack) in self.packs.iter().enumerate() {
            if let Some(offset) = pack.find(id)? {
                let found = self.packed(number, pack, offset)?;
                return self.checked(id, found);
            }
        }
        for store in &self.layout.objects {
            if let Some(found) = loose::read(store, id, self.options.object)? {
                return self.checked(id, found);
            }
        }
        Err(StoreError::Missing {
            id: hex::encode(id),
        })
    }

    /// The length of an object in bytes, as it says itself, without reading it.
    pub fn size(&self, id: &[u8]) -> Result<u64, StoreError> {
        for pack in &self.packs {
            if let Some(offset) = pack.find(id)? {
                let head = pack.head(offset)?;
                if matches!(head.raw, Raw::Whole(_)) {
                    return Ok(head.size);
                }
                let delta = pack.beginning_of(&head)?;
                return delta::size(&delta).map_err(|cause| damaged(hex::encode(id), cause));
            }
        }
        for store in &self.layout.objects {
            if let Some((_, size)) = loose::head(store, id)? {
                return Ok(size);
            }
        }
        Err(StoreError::Missing {
            id: hex::encode(id),
        })
    }

    fn checked(&self, id: &[u8], found: Object) -> Result<Object, StoreError> {
        if object::id(self.layout.format, found.0, &found.1) == id {
            Ok(found)
        } else {
            Err(damaged(hex::encode(id), "its content has another name"))
        }
    }

    /// The object at an offset: a whole one, and the deltas on the way from it.
    fn packed(&self, number: usize, pack: &Pack, offset: u64) -> Result<Object, StoreError> {
        let mut deltas = Vec::new();
        let mut at = offset;
        let (kind, mut data) = loop {
            if let Some(known) = self.kept((number, at)) {
                break known;
            }
            let head = pack.head(at)?;
            self.allow(head.size)?;
            let content = pack.content(&head)?;
            match head.raw {
                Raw::Whole(kind) => {
                    let whole: Object = (kind, content.into());
                    self.keep((number, at), &whole);
                    break whole;
                }
                Raw::Offset(base) => {
                    deltas.push((at, content));
                    at = base;
                }
                Raw::Named(base) => {
                    deltas.push((at, content));
                    match pack.find(&base)? {
                        Some(offset) => at = offset,
                        // A pack that borrows, as none on a disk should.
                        None => return Err(damaged("a pack", "a delta's base is not in it")),
                    }
                }
            }
            if deltas.len() > self.options.chain {
                return Err(StoreError::Limit {
                    what: "a chain of deltas".to_owned(),
                    limit: self.options.chain as u64,
                });
            }
        };
        while let Some((at, delta)) = deltas.pop() {
            let broken = |cause| damaged("a pack", cause);
            self.allow(delta::size(&delta).map_err(broken)?)?;
            data = delta::apply(&data, &delta).map_err(broken)?.into();
            self.keep((number, at), &(kind, Arc::clone(&data)));
        }
        Ok((kind, data))
    }

    fn allow(&self, size: u64) -> Result<(), StoreError> {
        if size <= self.options.object {
            return Ok(());
        }
        Err(StoreError::Limit {
            what: "the size of an object".to_owned(),
            limit: self.options.object,
        })
    }

    fn kept(&self, place: (usize, u64)) -> Option<Object> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.objects.get(&place).cloned()
    }

    fn keep(&self, place: (usize, u64), object: &Object) {
        let size = object.1.len() as u64;
        if size > self.options.cache / 4 {
            return;
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.bytes.saturating_add(size) > self.options.cache {
            // What is needed again soon comes back soon.
            *cache = Cache::default();
        }
        if cache.objects.insert(place, object.clone()).is_none() {
            cache.bytes = cache.bytes.saturating_add(size);
        }
    }

    fn of_kind(&self, id: &[u8], kind: Kind) -> Result<Arc<[u8]>, StoreError> {
        let (found, data) = self.object(id)?;
        if found == kind {
            return Ok(data);
        }
        let cause = format!("it is a {}, not a {}", found.name(), kind.name());
        Err(damaged(hex::encode(id), cause))
    }

    /// The content of a file, or where a link leads.
    pub fn blob(&self, id: &[u8]) -> Result<Arc<[u8]>, StoreError> {
        self.of_kind(id, Kind::Blob)
    }

    /// The names in a folder, in git's order.
    pub fn tree(&self, id: &[u8]) -> Result<Vec<TreeEntry>, StoreError> {
        let data = self.of_kind(id, Kind::Tree)?;
        object::entries(self.layout.format, &data)
            .ok_or_else(|| damaged(hex::encode(id), "the tree is malformed"))
    }

    /// What a commit says.
    pub fn commit(&self, id: &[u8]) -> Result<Commit, StoreError> {
        let data = self.of_kind(id, Kind::Commit)?;
        let malformed = || damaged(hex::encode(id), "the commit is malformed");
        let mut commit = history::parse(self.layout.format, &data).ok_or_else(malformed)?;
        if self.shallow.iter().any(|end| end == id) {
            commit.parents.clear();
        }
        Ok(commit)
    }

    /// The commit that a name such as `main`, `origin/main`, `v1.2`, `HEAD~2` or the beginning of an id
    /// stands for; of an annotated tag, what it was put on.
    pub fn resolve(&self, name: &str) -> Result<Id, StoreError> {
        refs::resolve(self, name)
    }
}

/// The indexes of a directory of packs, sorted by name.
fn indexes(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut indexes = Vec::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(indexes),
        Err(error) => return Err(io_error(directory)(error)),
    };
    for entry in entries {
        let path = entry.map_err(io_error(directory))?.path();
        // One whose pack is not there is being written, or being removed.
        if path.extension().is_some_and(|end| end == "idx") && path.with_extension("pack").is_file()
        {
            indexes.push(path);
        }
    }
    indexes.sort();
    Ok(indexes)
}
