//! The RustSec tree in a tar archive, plain or packed with gzip or zstd, from
//! a file or an address.

use super::{MAX_ADVISORY, Tree, place};
use crate::sync::SyncError;
use crate::sync::cache::Cache;
use flate2::read::MultiGzDecoder;
use remote::fetch::{Access, Mirrors, Saved, is_intact};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use tar::PaxExtensions;

/// Longest archive, packed and unpacked.
const MAX_PACKED: u64 = 512 << 20;
const MAX_UNPACKED: u64 = 4 << 30;
/// Entries of an archive.
const MAX_ENTRIES: usize = 1_000_000;
/// Longest name that an entry of its own tells; as Linux has it.
const MAX_NAME: u64 = 4096;

pub(super) fn tree(
    from: &str,
    offline: bool,
    access: &Access,
    cache: &Cache,
) -> Result<Tree, SyncError> {
    let archive = cache.file("rustsec.archive");
    if !offline {
        let mirror = Mirrors::new(&[from.to_owned()], access)?;
        if mirror.save(&[], &archive, MAX_PACKED)? == Saved::Missing {
            return Err(SyncError::NotThere {
                what: from.to_owned(),
            });
        }
    }
    if offline && archive.is_file() && !is_intact(&archive) {
        return Err(SyncError::Damaged { path: archive });
    }
    let failed = |source| SyncError::Cache {
        path: archive.clone(),
        source,
    };
    let mut file = File::open(&archive).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
    let digest = hex::encode(hasher.finalize());
    let path = cache.file(&format!("rustsec-{}", digest.get(..16).unwrap_or_default()));
    if !path.is_dir() {
        let scratch = cache.file("rustsec-unpacked");
        let _ = fs::remove_dir_all(&scratch);
        file.rewind().map_err(failed)?;
        unpack(file, &scratch).map_err(|error| SyncError::RustSec {
            path: archive.clone(),
            cause: error.to_string(),
        })?;
        fs::rename(&scratch, &path).map_err(failed)?;
    }
    Ok(Tree {
        path,
        digest,
        from: String::new(),
        warnings: Vec::new(),
    })
}

/// Notices when more is read than there is. An archive ends with empty blocks:
/// one that ends without them lost entries that nobody would miss.
struct Whole<R> {
    inner: R,
    is_cut: bool,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.is_cut |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

/// The content of an entry that tells a name; the `tar` crate would read one of
/// any length.
fn short(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry
        .take(MAX_NAME.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_NAME {
        return Err(io::Error::other(format!(
            "an entry's name has more than {MAX_NAME} bytes"
        )));
    }
    Ok(bytes)
}

fn unpack(file: File, to: &Path) -> io::Result<()> {
    let mut file = BufReader::new(file);
    let mut magic = [0; 4];
    let read = file.read(&mut magic)?;
    file.rewind()?;
    let plain: Box<dyn Read> = match magic.get(..read) {
        Some([0x1f, 0x8b, ..]) => Box::new(MultiGzDecoder::new(file)),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    let mut archive = tar::Archive::new(Whole {
        inner: plain.take(MAX_UNPACKED),
        is_cut: false,
    });
    let mut found = 0_usize;
    // The name of the next entry, where an entry of its own tells it.
    let mut long_name = None;
    for (number, entry) in archive.entries()?.raw(true).enumerate() {
        let mut entry = entry?;
        if number >= MAX_ENTRIES {
            return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries")));
        }
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            long_name = Some(short(&mut entry)?);
            continue;
        }
        if kind.is_pax_local_extensions() {
            let lines = short(&mut entry)?;
            let fields = PaxExtensions::new(&lines).filter_map(Result::ok);
            let paths = fields.filter(|field| field.key_bytes() == b"path");
            long_name = paths.last().map(|field| field.value_bytes().to_vec());
            continue;
        }
        let name = long_name
            .take()
            .unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = name.strip_suffix(b"\0").unwrap_or(&name);
        let path = PathBuf::from(String::from_utf8_lossy(name).into_owned());
        let Some([collection, package, name]) = place(&path) else {
            continue;
        };
        if !entry.header().entry_type().is_file() || entry.size() > MAX_ADVISORY {
            continue;
        }
        let folder = to.join(collection).join(package);
        fs::create_dir_all(&folder)?;
        let mut out = File::create(folder.join(name))?;
        io::copy(&mut entry.take(MAX_ADVISORY), &mut out)?;
        found = found.saturating_add(1);
    }
    if archive.into_inner().is_cut {
        let cause = format!("it is cut off, or has more than {MAX_UNPACKED} bytes");
        return Err(io::Error::other(cause));
    }
    if found == 0 {
        return Err(io::Error::other("it holds no advisories"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, unpack};
    use std::fs::File;
    use std::io::Write as _;
    use std::path::Path;
    use tar::{Builder, EntryType, Header};
    use tempfile::TempDir;

    const NAME: &str = "crates/one/RUSTSEC-2026-0001.md";

    fn entry(kind: EntryType, name: &str, content: &[u8], tar: &mut Builder<Vec<u8>>) {
        let mut header = Header::new_gnu();
        header.set_path(name).expect("name");
        header.set_size(content.len() as u64);
        header.set_entry_type(kind);
        header.set_cksum();
        tar.append(&header, content).expect("entry");
    }

    /// Unpacks; the texts of the advisory, or why not.
    fn told(bytes: &[u8]) -> Result<Option<String>, String> {
        let directory = TempDir::new().expect("directory");
        let path = directory.path().join("tar");
        File::create(&path)
            .and_then(|mut file| file.write_all(bytes))
            .expect("write");
        let to = directory.path().join("to");
        unpack(File::open(&path).expect("open"), &to).map_err(|error| error.to_string())?;
        Ok(std::fs::read_to_string(to.join(Path::new(NAME))).ok())
    }

    #[test]
    fn long_names_are_read_and_endless_ones_refused() {
        let long = format!("{}/{NAME}\0", "x".repeat(300));
        let mut tar = Builder::new(Vec::new());
        entry(EntryType::GNULongName, "x", long.as_bytes(), &mut tar);
        entry(EntryType::Regular, "cut", b"gnu", &mut tar);
        let bytes = tar.into_inner().expect("tar");
        assert_eq!(told(&bytes), Ok(Some("gnu".to_owned())));

        let line = format!(" path={}/{NAME}\n", "x".repeat(300));
        let line = format!("{}{line}", line.len() + 3);
        let mut tar = Builder::new(Vec::new());
        entry(EntryType::XHeader, "x", line.as_bytes(), &mut tar);
        entry(EntryType::Regular, "cut", b"pax", &mut tar);
        let bytes = tar.into_inner().expect("tar");
        assert_eq!(told(&bytes), Ok(Some("pax".to_owned())));

        for kind in [EntryType::GNULongName, EntryType::XHeader] {
            let mut tar = Builder::new(Vec::new());
            let endless = vec![b'x'; usize::try_from(MAX_NAME).expect("small") + 1];
            entry(kind, "x", &endless, &mut tar);
            entry(EntryType::Regular, NAME, b"text", &mut tar);
            let refused = told(&tar.into_inner().expect("tar")).expect_err("too long");
            assert!(refused.contains("4096"), "{refused}");
        }
    }

    #[test]
    fn a_cut_archive_is_refused_wherever_it_is_cut() {
        let mut tar = Builder::new(Vec::new());
        entry(EntryType::Regular, NAME, b"text", &mut tar);
        let other = NAME.replace("0001", "0002");
        entry(EntryType::Regular, &other, &[b'x'; 600], &mut tar);
        let bytes = tar.into_inner().expect("tar");
        assert_eq!(told(&bytes), Ok(Some("text".to_owned())));
        for length in (0..bytes.len() - 1024).step_by(64) {
            assert!(told(&bytes[..length]).is_err(), "{length}");
        }
    }
}
