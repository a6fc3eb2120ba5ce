//! The table of contents: the JSON that both formats share, as the members of a tar. A file may lie in
//! several chunks, each with its own digest, and these must make up the file exactly.

use serde::Deserialize;

use crate::source::digest::Digest;
use crate::source::tar::{Member, MemberKind};

#[derive(Deserialize)]
struct Document {
    version: u32,
    entries: Vec<Entry>,
}

/// As written; what is not there is zero or empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    link_name: String,
    #[serde(default)]
    mode: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    end_offset: u64,
    #[serde(default)]
    inner_offset: u64,
    #[serde(default)]
    chunk_size: u64,
    #[serde(default)]
    chunk_offset: u64,
    #[serde(default)]
    chunk_digest: String,
    #[serde(default)]
    chunk_type: String,
}

impl Entry {
    fn is_zeros(&self) -> bool {
        self.chunk_type == "zeros"
    }
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// So many zeros, which are not stored.
    Zeros(u64),
    Stored(Stored),
}

/// A piece that is in the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// Where the compressed stream begins that has it.
    pub(super) start: u64,
    /// Where that ends at the latest.
    pub(super) end: u64,
    /// Bytes of the uncompressed stream in front of it.
    pub(super) skip: u64,
    /// Bytes that it has.
    pub(super) size: u64,
    pub(super) digest: Digest,
}

/// A member of the layer, and which entries of the table are its pieces.
pub(super) struct Item {
    pub(super) member: Member,
    first: usize,
    count: usize,
}

/// See the module.
pub(super) struct Contents {
    entries: Vec<Entry>,
    pub(super) items: Vec<Item>,
    /// Where streams begin, sorted; the last one is where the table does.
    starts: Vec<u64>,
}

impl Contents {
    /// Reads a table that begins at `start`. The error says what is wrong with it.
    pub(super) fn parse(json: &[u8], start: u64) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(json).map_err(|error| format!("not readable: {error}"))?;
        if document.version != 1 {
            return Err(format!("version {} is not known", document.version));
        }
        let mut items: Vec<Item> = Vec::new();
        let mut starts = vec![start];
        for (number, entry) in document.entries.iter().enumerate() {
            let kind = match entry.kind.as_str() {
                "chunk" => {
                    let file = items.last_mut();
                    let file = file.filter(|file| {
                        file.member.kind == MemberKind::File
                            && file.member.path == entry.name.as_bytes()
                    });
                    let file = file.ok_or("a chunk does not follow its file")?;
                    file.count = file.count.saturating_add(1);
                    None
                }
                "reg" => Some(MemberKind::File),
                "dir" => Some(MemberKind::Directory),
                "symlink" => Some(MemberKind::Symlink),
                "hardlink" => Some(MemberKind::HardLink),
                "char" | "block" | "fifo" => Some(MemberKind::Special),
                _ => return Err("an entry is of an unknown type".to_owned()),
            };
            if matches!(kind, None | Some(MemberKind::File)) && entry.offset > 0 {
                if entry.offset >= start {
                    return Err("a file lies outside of the files".to_owned());
                }
                starts.push(entry.offset);
            }
            if let Some(kind) = kind {
                let is_file = kind == MemberKind::File;
                let member = Member {
                    kind,
                    path: entry.name.clone().into_bytes(),
                    link: entry.link_name.clone().into_bytes(),
                    size: if is_file { entry.size } else { 0 },
                    executable: entry.mode & 0o111 != 0,
                };
                items.push(Item {
                    member,
                    first: number,
                    count: 1,
                });
            }
        }
        starts.sort_unstable();
        starts.dedup();
        Ok(Self {
            entries: document.entries,
            items,
            starts,
        })
    }

    /// The pieces of a file, in order. The error says why they are not the whole file, or are not
    /// verified.
    pub(super) fn chunks(&self, item: &Item) -> Result<Vec<Chunk>, String> {
        let size = item.member.size;
        if size == 0 {
            return Ok(Vec::new());
        }
        let last = item.first.saturating_add(item.count);
        let entries = self.entries.get(item.first..last).unwrap_or_default();
        let end_of_file = entries.first().map_or(0, |entry| entry.end_offset);
        let mut chunks = Vec::new();
        let mut done = 0_u64;
        for (number, entry) in entries.iter().enumerate() {
            let is_last = number.saturating_add(1) == entries.len();
            let left = size.saturating_sub(done);
            let length = if entry.chunk_size == 0 && is_last {
                left
            } else {
                entry.chunk_size
            };
            if entry.chunk_offset != done || length == 0 || length > left {
                return Err("the chunks of a file are not the file".to_owned());
            }
            done = done.saturating_add(length);
            chunks.push(if entry.is_zeros() {
                Chunk::Zeros(length)
            } else {
                let mut stored = self.stored(entry, length, entries.len() == 1)?;
                if is_last && end_of_file > stored.start {
                    stored.end = stored.end.min(end_of_file);
                }
                Chunk::Stored(stored)
            });
        }
        if done != size {
            return Err("the chunks of a file are not the file".to_owned());
        }
        Ok(chunks)
    }

    fn stored(&self, entry: &Entry, size: u64, is_alone: bool) -> Result<Stored, String> {
        if !entry.chunk_type.is_empty() {
            return Err("a chunk is of an unknown type".to_owned());
        }
        let digest = match entry.chunk_digest.as_str() {
            "" if is_alone => entry.digest.as_str(),
            digest => digest,
        };
        let digest = Digest::parse(digest)
            .map_err(|_| "a file has no digest, or one that is not known".to_owned())?;
        let next = self.starts.partition_point(|start| *start <= entry.offset);
        let end = self.starts.get(next).copied();
        let end = end.ok_or("a file lies outside of the files")?;
        Ok(Stored {
            start: entry.offset,
            end,
            skip: entry.inner_offset,
            size,
            digest,
        })
    }
}
