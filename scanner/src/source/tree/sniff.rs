//! Says by its content what a file may be whose name does not decide: an image archive, an
//! executable, or a document of a kind that its name only allows. A program of a language whose packages
//! stand in it is read, as in an image.

use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use rules::kinds;

use crate::analyzer::{Reading, Tee, Watching};
use crate::inventory::Facts;
use crate::inventory::executable::{ID as PROGRAM, Program};
use crate::inventory::recognised::executable;
use crate::inventory::recognised::tree::{Looked, look};
use crate::inventory::recognised::{CONTENT_BYTES, FileKind};
use crate::source::root::Root;
use crate::source::{self, ImageKind, Unknown, tar};

/// What the content said.
pub(super) enum Sniffed {
    /// Nothing that we look for.
    Nothing,
    /// An image archive.
    Image(ImageKind),
    /// An executable of a language whose packages stand in it, and that is not read.
    Executable(&'static FileKind),
    /// What a program says that was read.
    Program(Box<Facts>),
    /// Infrastructure code of this kind of input.
    Code(&'static str),
    /// What the content of a document told.
    Looked(Looked),
    /// Perhaps an image archive; why it was not read so far.
    NotRead(String),
    /// It looks like an image archive and breaks off before it says what it is.
    Broken(String),
    /// It could not be opened or read.
    Unreadable(String),
}

/// Bytes of a program that is read; a longer one is a gap.
pub(super) const PROGRAM_BYTES: u64 = 512 << 20;

/// Looks at a regular file, which is shown at a path; `kind` is what its name allows.
pub(super) fn sniff(
    root: &dyn Root,
    (real, path): (&Path, &str),
    kind: Option<&'static FileKind>,
    watching: Vec<Watching<'_>>,
) -> (Sniffed, Vec<Reading>) {
    let unreadable = |error: io::Error| (Sniffed::Unreadable(error.kind().to_string()), Vec::new());
    let looked = if watching.is_empty() {
        ends(root, (real, path), kind).map(|sniffed| (sniffed, Vec::new()))
    } else {
        whole(root, (real, path), kind, watching)
    };
    looked.unwrap_or_else(unreadable)
}

/// What an archive is, where its first bytes say that it may be an image.
fn archive(root: &dyn Root, real: &Path, first: &[u8]) -> Option<Sniffed> {
    if !source::may_be_archive(first) {
        return None;
    }
    let Some(place) = root.place() else {
        let cause = "an archive in the tree of a commit is not looked into";
        return Some(Sniffed::NotRead(cause.to_owned()));
    };
    match source::recognise_or(&place.join(real)) {
        Ok(Some(image)) => Some(Sniffed::Image(image)),
        Ok(None) => None,
        Err(Unknown::Broken(cause)) => Some(Sniffed::Broken(cause)),
        Err(Unknown::NotRead(cause)) => Some(Sniffed::NotRead(cause)),
    }
}

/// What a document is whose first bytes are these.
fn document(real: &Path, kind: &'static FileKind, first: &[u8]) -> Sniffed {
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    match kinds::by_content(&name, first) {
        Some(input) => Sniffed::Code(input.id()),
        None => Sniffed::Looked(look(kind, first)),
    }
}

/// What a program says, all of which is read.
fn program(content: &mut dyn BufRead, size: u64, path: &str) -> io::Result<Sniffed> {
    let mut program = Program::default();
    program.begin(size);
    loop {
        let bytes = content.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        program.feed(bytes);
        let count = bytes.len();
        content.consume(count);
    }
    Ok(match program.finish(path) {
        None => Sniffed::Nothing,
        Some((PROGRAM, facts)) => Sniffed::Program(Box::new(facts)),
        Some((id, _)) => executable::by_id(id).map_or(Sniffed::Nothing, Sniffed::Executable),
    })
}

/// Reads no more than the two ends of the file, unless it is a program of a language whose packages
/// stand in it.
fn ends(
    root: &dyn Root,
    (real, path): (&Path, &str),
    kind: Option<&'static FileKind>,
) -> io::Result<Sniffed> {
    let mut file = root.open(real)?;
    let mut magic = [0u8; source::FIRST_BYTES];
    let count = tar::fill(&mut file, &mut magic)?;
    let first = magic.get(..count).unwrap_or_default();
    if let Some(sniffed) = archive(root, real, first) {
        return Ok(sniffed);
    }
    if let Some(kind) = kind {
        let mut content = first.to_vec();
        let more = CONTENT_BYTES.saturating_sub(count) as u64;
        file.take(more).read_to_end(&mut content)?;
        return Ok(document(real, kind, &content));
    }
    if executable::is_executable(first) {
        file.seek(SeekFrom::Start(0))?;
        let Some(kind) = executable::of_file(&mut file)? else {
            return Ok(Sniffed::Nothing);
        };
        let size = root.length(real)?;
        if size > PROGRAM_BYTES {
            return Ok(Sniffed::Executable(kind));
        }
        file.seek(SeekFrom::Start(0))?;
        let mut content = BufReader::with_capacity(CONTENT_BYTES, file.take(PROGRAM_BYTES));
        return program(&mut content, size, path);
    }
    Ok(Sniffed::Nothing)
}

/// Reads the file once, for those that watch it, too. An image is a target of its own, and seen
/// through its layers.
fn whole(
    root: &dyn Root,
    (real, path): (&Path, &str),
    kind: Option<&'static FileKind>,
    watching: Vec<Watching<'_>>,
) -> io::Result<(Sniffed, Vec<Reading>)> {
    let size = root.length(real)?;
    let mut file = BufReader::with_capacity(CONTENT_BYTES, root.open(real)?);
    let first = file.fill_buf()?;
    let first = first.get(..source::FIRST_BYTES).unwrap_or(first);
    let found = archive(root, real, first);
    if matches!(found, Some(Sniffed::Image(_))) {
        return Ok((found.unwrap_or(Sniffed::Nothing), Vec::new()));
    }
    let is_executable = executable::is_executable(first);
    let mut content = Tee::new(file, watching);
    let sniffed = match (found, kind) {
        (Some(sniffed), _) => sniffed,
        (None, Some(kind)) => {
            let mut start = Vec::new();
            let most = CONTENT_BYTES as u64;
            content.by_ref().take(most).read_to_end(&mut start)?;
            document(real, kind, &start)
        }
        (None, None) if is_executable => program(&mut content, size, path)?,
        (None, None) => Sniffed::Nothing,
    };
    Ok((sniffed, content.finish()?))
}
