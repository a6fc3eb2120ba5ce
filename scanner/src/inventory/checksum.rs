//! Checksums of the files of language packages that an operating-system package may own, in the
//! three kinds that package databases write. Only files in the system's own directories are
//! hashed, and of those only the few small ones that describe a package.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

pub use crate::model::facts::Digests;
use md5::Digest as _;

/// Names, or ends of names, of the files that describe an installed package.
const DESCRIPTIONS: [&str; 6] = [
    "METADATA",
    "PKG-INFO",
    "package.json",
    ".egg-info",
    ".gemspec",
    "installed.json",
];

/// Whether the checksums of a file are wanted.
pub(super) fn is_wanted(path: &str) -> bool {
    is_of_system(path) && DESCRIPTIONS.iter().any(|name| path.ends_with(name))
}

/// Whether a line of a list may name a file whose owner matters: a description or an archive of
/// packages. Lists have thousands of other lines.
pub(super) fn may_be_listed(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let archives = [".jar", ".war", ".ear", ".egg", ".whl"];
    let mut names = DESCRIPTIONS.iter().chain(&archives);
    names.any(|name| line.ends_with(name.as_bytes()))
}

/// Whether a path lies where distributions put files: they leave `usr/local` and all but the
/// directories of the system to others.
pub(super) fn is_of_system(path: &str) -> bool {
    match path.split_once('/') {
        Some(("usr", rest)) => !rest.starts_with("local/"),
        Some((first, _)) => first == "bin" || first == "sbin" || first.starts_with("lib"),
        None => false,
    }
}

impl Digests {
    /// Whether the file is the one with this checksum, `md5:…`; `None` where that cannot be said.
    /// Where a list has the checksum of an empty file, nobody computed one: no such file is empty.
    pub(super) fn agrees(&self, digest: &str) -> Option<bool> {
        let (kind, text) = digest.split_once(':')?;
        let (own, empty) = match kind {
            "md5" => (&self.md5, "d41d8cd98f00b204e9800998ecf8427e"),
            "sha1" => (&self.sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            "sha256" => (
                &self.sha256,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            _ => return None,
        };
        if text.eq_ignore_ascii_case(empty) {
            return None;
        }
        Some(own.eq_ignore_ascii_case(text))
    }
}

#[derive(Default)]
struct Hashers {
    md5: md5::Md5,
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
}

impl Hashers {
    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    fn finish(self) -> Digests {
        Digests {
            md5: hexadecimal(&self.md5.finalize()),
            sha1: hexadecimal(&self.sha1.finalize()),
            sha256: hexadecimal(&self.sha256.finalize()),
        }
    }
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> Arc<str> {
    hex::encode(bytes).into()
}

/// The checksums of a file in memory.
pub(super) fn of(bytes: &[u8]) -> Digests {
    let mut hashers = Hashers::default();
    hashers.update(bytes);
    hashers.finish()
}

/// A stream whose checksums are computed while it is read.
pub(super) struct Hashed<'a> {
    stream: &'a mut dyn BufRead,
    hashers: Hashers,
}

impl<'a> Hashed<'a> {
    pub(super) fn new(stream: &'a mut dyn BufRead) -> Self {
        Self {
            stream,
            hashers: Hashers::default(),
        }
    }

    /// Reads the rest of the stream; `None` if that fails.
    pub(super) fn finish(mut self) -> Option<Digests> {
        io::copy(&mut self, &mut io::sink()).ok()?;
        Some(self.hashers.finish())
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.hashers.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl BufRead for Hashed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What was filled is still there: asking again reads nothing.
        if let Ok(bytes) = self.stream.fill_buf() {
            self.hashers.update(bytes.get(..count).unwrap_or_default());
        }
        self.stream.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_the_checksums_of_its_bytes_however_it_is_read() {
        let text = b"Metadata-Version: 2.1\nName: requests\nVersion: 2.28.1\n\n";
        let whole = of(text);
        assert_eq!(&*whole.md5, "31618bd0f4f3d68d1bf31df9de35dca1");
        let mut stream = io::BufReader::with_capacity(7, text.as_slice());
        let mut hashed = Hashed::new(&mut stream);
        let mut line = Vec::new();
        hashed.read_until(b'\n', &mut line).unwrap();
        assert_eq!(hashed.finish(), Some(whole.clone()));
        assert_eq!(whole.agrees(&format!("md5:{}", whole.md5)), Some(true));
        assert_eq!(whole.agrees(&format!("sha256:{}", whole.sha1)), Some(false));
        assert_eq!(whole.agrees("md5:d41d8cd98f00b204e9800998ecf8427e"), None);
        assert_eq!(whole.agrees("crc:1"), None);
    }

    #[test]
    fn only_descriptions_in_the_system_are_wanted() {
        for (path, wanted) in [
            ("usr/lib/python3/dist-packages/x-1.dist-info/METADATA", true),
            ("usr/share/nodejs/x/package.json", true),
            (
                "usr/local/lib/python3/site-packages/x.dist-info/METADATA",
                false,
            ),
            ("opt/app/node_modules/x/package.json", false),
            ("usr/share/java/x.jar", false),
            ("METADATA", false),
        ] {
            assert_eq!(is_wanted(path), wanted, "{path}");
        }
    }
}
