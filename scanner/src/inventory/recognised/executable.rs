//! What an executable is made with, by its first and last bytes: Go's build id and the tables of
//! sections. What it is made of is read elsewhere (`inventory::executable`).

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memmem;

use super::FileKind;
use super::table::files;

/// How many first bytes are looked at: Go's build id stands at the start of the code or in a note
/// before it.
pub const HEAD_BYTES: usize = 16 << 10;

/// How many last bytes are looked at.
pub const END_BYTES: usize = 64 << 10;

/// How many first bytes [`is_executable`] needs.
pub const MAGIC_BYTES: usize = 4;

/// The id of Go programs.
pub const GO: &str = files::GO_EXECUTABLE.id;

/// The id of Rust programs without a list of crates.
pub const RUST: &str = files::RUST_EXECUTABLE.id;

/// Whether a file begins as an ELF, PE or Mach-O file; an object file of ELF, which is not linked
/// yet, is none.
pub fn is_executable(first: &[u8]) -> bool {
    const MAGIC: [&[u8]; 7] = [
        b"\x7fELF",
        b"MZ",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xfe\xed\xfa\xcf",
        b"\xfe\xed\xfa\xce",
        b"\xca\xfe\xba\xbe",
    ];
    MAGIC.iter().any(|magic| first.starts_with(magic)) && !is_object(first)
}

/// ELF: the byte order, and the type of the file.
fn is_object(first: &[u8]) -> bool {
    let is_big_endian = first.get(5) == Some(&2);
    let object: &[u8] = if is_big_endian { &[0, 1] } else { &[1, 0] };
    first.starts_with(b"\x7fELF") && first.get(16..18) == Some(object)
}

/// What an executable is, by its two ends (the same bytes where it is short).
pub fn kind(head: &[u8], tail: &[u8]) -> Option<&'static FileKind> {
    if !is_executable(head) {
        return None;
    }
    let has = |mark: &[u8]| {
        let in_tail = mark != GO_NOTE && memmem::find(tail, mark).is_some();
        in_tail || memmem::find(head, mark).is_some()
    };
    let found = MARKS.iter().find(|(mark, _)| has(mark));
    found.map(|(_, kind)| *kind)
}

/// The head of Go's note in ELF files, which means nothing elsewhere.
const GO_NOTE: &[u8] = b"\x04\x00\x00\x00Go\x00\x00";

/// What the marks of an executable say; the first one counts. One after the other they are found
/// faster than all at once.
static MARKS: [(&[u8], &FileKind); 11] = [
    (b".dep-v0", &files::AUDITABLE_EXECUTABLE),
    (b"Go build ID: \"", &files::GO_EXECUTABLE),
    (b"\xff Go buildinf:", &files::GO_EXECUTABLE),
    (b".go.buildinfo", &files::GO_EXECUTABLE),
    (b"__go_buildinfo", &files::GO_EXECUTABLE),
    (b".note.go.buildid", &files::GO_EXECUTABLE),
    (GO_NOTE, &files::GO_EXECUTABLE),
    (b"rustc version ", &files::RUST_EXECUTABLE),
    (b"__rust_", &files::RUST_EXECUTABLE),
    (b"rust_eh_personality", &files::RUST_EXECUTABLE),
    (b"/rustc/", &files::RUST_EXECUTABLE),
];

/// The kind of an id.
pub fn by_id(id: &str) -> Option<&'static FileKind> {
    let mut kinds = MARKS.iter().map(|(_, kind)| *kind);
    kinds.find(|kind| kind.id == id)
}

/// What an executable in a file is; the file is read from its start.
pub fn of_file(file: &mut (impl Read + Seek)) -> io::Result<Option<&'static FileKind>> {
    let limit = u64::try_from(END_BYTES).unwrap_or(u64::MAX);
    let mut head = Vec::new();
    file.by_ref()
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    if !is_executable(&head) {
        return Ok(None);
    }
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut tail = Vec::new();
    file.by_ref().take(limit).read_to_end(&mut tail)?;
    Ok(kind(&head, &tail))
}

/// The two ends of a stream of known length that is read once; what lies between them is not
/// kept.
#[derive(Debug, Default)]
pub struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Where the tail begins, and how much was seen.
    start: u64,
    seen: u64,
}

impl Ends {
    /// Begins a file of this many bytes.
    pub fn begin(&mut self, size: u64) {
        self.head.clear();
        self.tail.clear();
        self.start = size.saturating_sub(END_BYTES as u64);
        self.seen = 0;
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        let head = bytes.get(..room).unwrap_or_default();
        self.head.extend_from_slice(head);
        let before = self.start.saturating_sub(self.seen);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        let tail = bytes.get(before..).unwrap_or_default();
        self.tail.extend_from_slice(tail);
        self.seen = self.seen.saturating_add(bytes.len() as u64);
    }

    /// The first bytes, as far as they came.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// What it is.
    pub fn kind(&self) -> Option<&'static FileKind> {
        kind(&self.head, &self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(head: &[u8], tail: &[u8]) -> Option<&'static str> {
        kind(head, tail).map(|kind| kind.id)
    }

    #[test]
    fn ends_tell_what_it_is() {
        let note = b"\x7fELF....\x04\x00\x00\x00S\x00\x00\x00\x04\x00\x00\x00Go\x00\x00id";
        assert_eq!(id(note, b""), Some("go-executable"));
        assert_eq!(
            id(b"MZ..\xff Go build ID: \"x\"", b""),
            Some("go-executable")
        );
        assert_eq!(id(b"\x7fELF", b".go.buildinfo"), Some("go-executable"));
        assert_eq!(id(b"\x7fELF", b"a.dep-v0b"), Some("auditable-executable"));
        assert_eq!(
            id(b"\x7fELF", b"rustc version 1.80"),
            Some("rust-executable")
        );
        assert_eq!(id(b"\x7fELF", b"GCC: 12"), None);
        let object = b"\x7fELF\x02\x01\x01.........\x01\x00.go.buildinfo";
        assert_eq!(id(object, b""), None);
        assert_eq!(id(b"#!/bin/sh .go.buildinfo", b""), None);
    }

    #[test]
    fn a_stream_and_a_file_give_the_same() {
        let mut bytes = b"\x7fELF".to_vec();
        bytes.resize(END_BYTES * 5, 0);
        bytes.extend_from_slice(b".go.buildinfo");
        bytes.resize(bytes.len() + END_BYTES / 2, 0);
        let mut ends = Ends::default();
        ends.begin(bytes.len() as u64);
        for chunk in bytes.chunks(10_007) {
            ends.feed(chunk);
        }
        assert_eq!(ends.kind().unwrap().id, "go-executable");
        let mut file = io::Cursor::new(bytes);
        assert_eq!(of_file(&mut file).unwrap().unwrap().id, "go-executable");
    }
}
