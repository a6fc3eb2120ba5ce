//! A tar archive around the blobs of an image: which members it has, and reading them.
//!
//! A plain archive is indexed once by seeking from header to header, and its members are read at
//! their positions, several at once. A compressed one cannot be read at a position, and nothing
//! is unpacked to disk: it is streamed once for the list of members and the JSON documents, and
//! once more for the layers, in the order in which they come. Member names are looked up as they
//! are; one that leaves the archive names nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::decode::{self, Encoding};
use super::stream::LayerStream;
use super::tar::{MemberKind, Skip, Tar, TarError};
use super::{SourceError, invalid, limits, names, tar};

/// One member.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Position in the order of the archive; a name that comes twice means the last one.
    pub(super) ordinal: usize,
    pub(super) size: u64,
    offset: u64,
    /// Links of old `docker save` archives: layers that are the same are stored once.
    link: Option<String>,
    is_file: bool,
}

/// An opened archive.
pub(super) struct Archive {
    path: PathBuf,
    members: BTreeMap<String, Entry>,
    /// Only for a compressed archive.
    documents: Option<BTreeMap<String, Vec<u8>>>,
    /// Files that come more than once: some readers take the first, some the last.
    twice: BTreeSet<String>,
    /// Whether members follow the end of the tar.
    followed: bool,
}

/// A plain tar on disk, which passes over members by seeking.
pub(super) struct Seekable {
    file: BufReader<File>,
    position: u64,
    length: u64,
}

impl Seekable {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: BufReader::with_capacity(4096, file),
            position: 0,
            length,
        })
    }
}

impl Read for Seekable {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl BufRead for Seekable {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.file.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.position = self.position.saturating_add(count as u64);
        self.file.consume(count);
    }
}

impl Skip for Seekable {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let cut_off = || {
            io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive ends in the middle of a member",
            )
        };
        let end = self
            .position
            .checked_add(count)
            .filter(|end| *end <= self.length)
            .ok_or_else(cut_off)?;
        self.file
            .seek_relative(i64::try_from(count).map_err(|_| cut_off())?)?;
        self.position = end;
        Ok(())
    }
}

/// Any image archive, for listing.
pub(super) enum Stream {
    Plain(Seekable),
    Compressed(Box<LayerStream<File>>),
}

impl Stream {
    pub(super) const fn is_compressed(&self) -> bool {
        matches!(self, Self::Compressed(_))
    }

    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut first = [0; decode::MAGIC];
        let mut file = File::open(path)?;
        let count = tar::fill(&mut file, &mut first)?;
        match Encoding::of(first.get(..count).unwrap_or_default()) {
            Encoding::Plain => return Ok(Self::Plain(Seekable::open(path)?)),
            Encoding::Unread(name) => return Err(decode::unread(name)),
            Encoding::Gzip | Encoding::Zstd | Encoding::Xz => {}
        }
        file.seek(SeekFrom::Start(0))?;
        match LayerStream::open_unverified(file) {
            Ok(stream) => Ok(Self::Compressed(Box::new(stream))),
            Err(stop) => Err(io::Error::other(stop.cause().to_owned())),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(inner) => inner.read(out),
            Self::Compressed(inner) => inner.read(out),
        }
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(inner) => inner.fill_buf(),
            Self::Compressed(inner) => inner.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Self::Plain(inner) => inner.consume(count),
            Self::Compressed(inner) => inner.consume(count),
        }
    }
}

impl Skip for Stream {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        match self {
            Self::Plain(inner) => inner.skip(count),
            Self::Compressed(inner) => inner.skip(count),
        }
    }
}

impl Archive {
    /// Lists the members; for a compressed archive keeps the JSON documents.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Io {
            path: path.to_owned(),
            source,
        };
        let broken = |error: TarError| invalid("archive", error.to_string());
        let stream = Stream::open(path).map_err(unreadable)?;
        let compressed = stream.is_compressed();
        let mut tar = Tar::new(stream);
        let mut members = BTreeMap::new();
        let mut documents = BTreeMap::new();
        let mut twice = BTreeSet::new();
        let mut kept = 0_usize;
        let mut name_bytes = 0_usize;
        let mut ordinal = 0;
        while let Some((member, _)) = tar.next().map_err(broken)? {
            ordinal += 1;
            if ordinal > limits::ARCHIVE_MEMBERS {
                let cause = format!("more than {} members", limits::ARCHIVE_MEMBERS);
                return Err(invalid("archive", cause));
            }
            let Ok(name) = names::normalise(&member.path) else {
                continue;
            };
            if member.kind == MemberKind::Directory {
                continue;
            }
            name_bytes = name_bytes.saturating_add(name.len());
            if name_bytes > limits::ARCHIVE_NAME_BYTES {
                let cause = format!("more than {} bytes of names", limits::ARCHIVE_NAME_BYTES);
                return Err(invalid("archive", cause));
            }
            let is_file = matches!(member.kind, MemberKind::File | MemberKind::Unknown(_));
            let link = match member.kind {
                MemberKind::Symlink => {
                    let target = names::join(names::split(&name).0, &names::text(&member.link));
                    names::normalise(target.as_bytes()).ok()
                }
                MemberKind::HardLink => names::normalise(&member.link).ok(),
                _ => None,
            };
            documents.remove(&name);
            if compressed && is_file {
                let mut first = [0; 1];
                let count =
                    tar::fill(&mut tar, &mut first).map_err(|error| broken(TarError::Io(error)))?;
                let is_json = matches!(first, [b'{' | b'[' | b' ' | b'\n']);
                if count == 1
                    && (is_json && member.size <= limits::DOCUMENT_BYTES
                        || member.size <= limits::SMALL_BYTES)
                {
                    let mut content = first.to_vec();
                    tar.read_to_end(&mut content)
                        .map_err(|error| broken(TarError::Io(error)))?;
                    kept = kept.saturating_add(content.len());
                    if kept > limits::DOCUMENTS_BYTES {
                        let cause = format!("more than {} bytes of JSON", limits::DOCUMENTS_BYTES);
                        return Err(invalid("archive", cause));
                    }
                    documents.insert(name.clone(), content);
                }
            }
            let entry = Entry {
                ordinal,
                size: member.size,
                offset: tar.offset(),
                link,
                is_file,
            };
            if members.insert(name.clone(), entry).is_some() {
                twice.insert(name);
            }
        }
        let followed = tar
            .is_followed(limits::TRAILING_BYTES)
            .map_err(|error| broken(TarError::Io(error)))?;
        Ok(Self {
            twice,
            followed,
            path: path.to_owned(),
            members,
            documents: compressed.then_some(documents),
        })
    }

    /// The file that it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether members have to be read in order.
    pub(super) const fn is_compressed(&self) -> bool {
        self.documents.is_some()
    }

    /// The name of the file that a name leads to, through links inside the archive.
    pub(super) fn resolve(&self, name: &str) -> Option<(&str, &Entry)> {
        let mut name = name;
        for _ in 0..limits::ARCHIVE_LINK_HOPS {
            let (key, entry) = self.members.get_key_value(name)?;
            match &entry.link {
                Some(link) => name = link,
                None => return entry.is_file.then_some((key, entry)),
            }
        }
        None
    }

    /// Whether there is any member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether members follow the end of the tar.
    pub(super) const fn is_followed(&self) -> bool {
        self.followed
    }

    /// A small member as a whole.
    pub(super) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let Some((key, entry)) = self.resolve(name) else {
            return Ok(None);
        };
        // Blobs are checked by their digest, whichever it is.
        let is_twice = self.twice.contains(name) || self.twice.contains(key);
        if is_twice && !key.starts_with("blobs/") {
            let cause = "it comes twice in the archive: some engines read the first, some the last";
            return Err(invalid(name, cause));
        }
        if entry.size > limits::DOCUMENT_BYTES {
            return Err(invalid(
                name,
                format!("more than {} bytes", limits::DOCUMENT_BYTES),
            ));
        }
        if let Some(documents) = &self.documents {
            // What does not look like JSON was not kept.
            return Ok(Some(documents.get(key).cloned().unwrap_or_default()));
        }
        let mut content = Vec::new();
        self.member(entry)
            .and_then(|mut member| member.read_to_end(&mut content))
            .map_err(|source| SourceError::Io {
                path: self.path.clone(),
                source,
            })?;
        Ok(Some(content))
    }

    /// The content of a member of a plain archive.
    pub(super) fn member(&self, entry: &Entry) -> io::Result<io::Take<File>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.offset))?;
        Ok(file.take(entry.size))
    }

    /// Streams a compressed archive and shows every file to `each`, in order, by its ordinal.
    pub(super) fn stream(
        &self,
        mut each: impl FnMut(usize, &mut dyn Read),
    ) -> Result<(), SourceError> {
        let broken = |error: TarError| invalid("archive", error.to_string());
        let stream = Stream::open(&self.path).map_err(|source| SourceError::Io {
            path: self.path.clone(),
            source,
        })?;
        let mut tar = Tar::new(stream);
        let mut ordinal = 0;
        while let Some((member, _)) = tar.next().map_err(broken)? {
            ordinal += 1;
            if matches!(member.kind, MemberKind::File | MemberKind::Unknown(_)) {
                each(ordinal, &mut tar);
            }
        }
        Ok(())
    }
}
