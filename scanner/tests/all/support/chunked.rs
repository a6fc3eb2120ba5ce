//! Writes layers with a table of contents: zstd:chunked and eStargz, small, and as wrong as a test
//! wants them.

use std::io::Write as _;

use serde_json::{Value, json};

use super::image::{digest, gzip};

/// One member of a layer.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    /// As tables call it.
    pub(crate) kind: &'static str,
    pub(crate) mode: u32,
    pub(crate) link: &'static str,
    pub(crate) content: Vec<u8>,
}

impl Member {
    pub(crate) fn file(name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name,
            kind: "reg",
            mode: 0o644,
            link: "",
            content: content.into(),
        }
    }

    pub(crate) fn link(name: &'static str, kind: &'static str, link: &'static str) -> Self {
        Self {
            kind,
            link,
            ..Self::file(name, "")
        }
    }

    fn header(&self) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(match self.kind {
            "reg" => tar::EntryType::Regular,
            "dir" => tar::EntryType::Directory,
            "symlink" => tar::EntryType::Symlink,
            "hardlink" => tar::EntryType::Link,
            _ => tar::EntryType::Char,
        });
        let name = self.name.as_bytes();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..self.link.len()].copy_from_slice(self.link.as_bytes());
        header.set_mode(self.mode);
        header.set_size(self.content.len() as u64);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn entry(&self) -> Value {
        let mut entry = json!({"type": self.kind, "name": self.name, "mode": self.mode});
        if !self.link.is_empty() {
            entry["linkName"] = json!(self.link);
        }
        if !self.content.is_empty() {
            entry["size"] = json!(self.content.len());
            entry["digest"] = json!(digest(&self.content));
        }
        entry
    }
}

/// A layer as it is stored.
pub(crate) struct Layer {
    pub(crate) blob: Vec<u8>,
    pub(crate) diff_id: String,
    pub(crate) annotations: Value,
}

/// Bytes of a chunk.
const CHUNK: usize = 3000;

struct Writer {
    pack: fn(&[u8]) -> Vec<u8>,
    blob: Vec<u8>,
    tar: Vec<u8>,
    entries: Vec<Value>,
}

impl Writer {
    fn put(&mut self, bytes: &[u8]) {
        self.blob.extend((self.pack)(bytes));
        self.tar.extend(bytes);
    }

    fn members(&mut self, members: &[Member], zeros: bool) {
        for member in members {
            self.put(&member.header());
            let mut entry = member.entry();
            let mut at = 0;
            let mut chunks = Vec::new();
            for chunk in member.content.chunks(CHUNK) {
                let is_zeros = zeros && chunk.iter().all(|byte| *byte == 0);
                let mut part = json!({
                    "type": "chunk", "name": member.name, "offset": self.blob.len(),
                    "chunkOffset": at, "chunkSize": chunk.len(), "chunkDigest": digest(chunk),
                });
                if is_zeros {
                    part["chunkType"] = json!("zeros");
                }
                self.put(chunk);
                at += chunk.len();
                chunks.push(part);
            }
            let end = self.blob.len();
            self.put(&vec![0; member.content.len().wrapping_neg() % 512]);
            for (number, part) in chunks.into_iter().enumerate() {
                if number > 0 {
                    self.entries.push(part);
                    continue;
                }
                for key in [
                    "offset",
                    "chunkOffset",
                    "chunkSize",
                    "chunkDigest",
                    "chunkType",
                ] {
                    if let Some(value) = part.get(key) {
                        entry[key] = value.clone();
                    }
                }
                if zeros {
                    entry["endOffset"] = json!(end);
                }
                self.entries.push(entry.clone());
            }
            if member.content.is_empty() {
                self.entries.push(entry);
            }
        }
    }

    fn table(&mut self, change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut table = json!({"version": 1, "entries": std::mem::take(&mut self.entries)});
        change(&mut table);
        table.to_string().into_bytes()
    }
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// A layer in zstd:chunked, whose table was changed.
pub(crate) fn zstd_chunked(members: &[Member], change: impl Fn(&mut Value)) -> Layer {
    let mut writer = Writer {
        pack: frame,
        blob: Vec::new(),
        tar: Vec::new(),
        entries: Vec::new(),
    };
    writer.members(members, true);
    writer.put(&[0; 1024]);
    let table = writer.table(change);
    let packed = frame(&table);
    writer.blob.extend(0x184d_2a50_u32.to_le_bytes());
    writer
        .blob
        .extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
    let start = writer.blob.len();
    writer.blob.extend(&packed);
    let position = format!("{start}:{}:{}:1", packed.len(), table.len());
    Layer {
        blob: writer.blob,
        diff_id: digest(&writer.tar),
        annotations: json!({
            "io.github.containers.zstd-chunked.manifest-checksum": digest(&packed),
            "io.github.containers.zstd-chunked.manifest-position": position,
        }),
    }
}

/// A layer in eStargz, whose table was changed.
pub(crate) fn stargz(members: &[Member], change: impl Fn(&mut Value)) -> Layer {
    let mut writer = Writer {
        pack: gzip,
        blob: Vec::new(),
        tar: Vec::new(),
        entries: Vec::new(),
    };
    writer.members(members, false);
    let start = writer.blob.len();
    let table = writer.table(change);
    let file = Member::file("stargz.index.json", table.clone());
    let mut tar = file.header();
    tar.extend(&table);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    writer.put(&tar);
    writer
        .blob
        .extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0]);
    write!(writer.blob, "SG\x16\x00{start:016x}STARGZ").unwrap();
    writer
        .blob
        .extend([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    Layer {
        blob: writer.blob,
        diff_id: digest(&writer.tar),
        annotations: json!({"containerd.io/snapshot/stargz/toc.digest": digest(&table)}),
    }
}
