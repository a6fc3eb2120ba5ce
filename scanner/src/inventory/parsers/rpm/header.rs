//! The header of an installed rpm as the databases store it (rpm's `docs/manual/format_header.md`):
//! a count of tags, a count of bytes, the tags, the data. It reads the few tags that the
//! inventory needs, and refuses a header whose sizes do not fit its bytes.

use std::sync::Arc;

use crate::inventory::bytes::Order;
use crate::inventory::{Facts, limits};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, SourcePackage};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const ARCH: u32 = 1022;
const FILE_DIGESTS: u32 = 1035;
const SOURCE_RPM: u32 = 1044;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;
const FILE_DIGEST_ALGORITHM: u32 = 5011;
const MODULARITY_LABEL: u32 = 5096;

/// All numbers are in network order.
const BIG: Order = Order::Big;

/// Keys in the database that are no packages.
const PUBLIC_KEY: &str = "gpg-pubkey";

struct Header<'a> {
    tags: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    fn new(blob: &'a [u8]) -> Option<Self> {
        let tags = BIG.size(blob, 0)?;
        if tags > limits::RPM_TAGS {
            return None;
        }
        let (tags, data) = blob.get(8..)?.split_at_checked(tags.checked_mul(16)?)?;
        let data = data.get(..BIG.size(blob, 4)?)?;
        // RPM_CHAR_TYPE to RPM_I18NSTRING_TYPE: an entry of any other type was damaged, and nobody
        // knows which tag it was.
        let types = tags.chunks_exact(16).map(|entry| BIG.u32(entry, 4));
        for kind in types {
            if !(1..=9).contains(&kind?) {
                return None;
            }
        }
        Some(Self { tags, data })
    }

    /// The data of a tag from its offset on, and its count.
    fn find(&self, tag: u32) -> Option<(&'a [u8], usize)> {
        let entry = self
            .tags
            .chunks_exact(16)
            .find(|entry| BIG.u32(entry, 0) == Some(tag))?;
        Some((self.data.get(BIG.size(entry, 8)?..)?, BIG.size(entry, 12)?))
    }

    fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> {
        let (data, count) = self.find(tag).unwrap_or_default();
        data.split(|&byte| byte == 0).take(count)
    }

    fn string(&self, tag: u32) -> Option<&'a str> {
        let text = self.strings(tag).next()?;
        std::str::from_utf8(text)
            .ok()
            .filter(|text| !text.is_empty())
    }

    fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> {
        let (data, count) = self.find(tag).unwrap_or_default();
        data.chunks_exact(4)
            .take(count)
            .filter_map(|four| BIG.u32(four, 0))
    }
}

/// Adds the package of one header and the files it owns.
pub(crate) fn read(blob: &[u8], path: &Arc<str>, facts: &mut Facts) {
    let Some(header) = Header::new(blob) else {
        return facts.malformed(path, None, "an rpm header whose sizes or types do not fit");
    };
    let parts = (
        header.string(NAME),
        header.string(VERSION),
        header.string(RELEASE),
    );
    let (Some(name), Some(version), Some(release)) = parts else {
        return facts.malformed(path, None, "an rpm header without name, version or release");
    };
    if name == PUBLIC_KEY {
        return;
    }
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain(name) || !plain(version) || !plain(release) {
        return facts.malformed(path, None, "an rpm header with an invalid name or version");
    }
    let full = format!("{version}-{release}");
    let place = Location::file(Arc::clone(path));
    let mut package = Package::new(PackageType::RPM, name, full).at(place);
    package.epoch = header.numbers(EPOCH).next().filter(|&epoch| epoch != 0);
    package.arch = header.string(ARCH).map(Arc::from);
    package.module = header.string(MODULARITY_LABEL).map(Arc::from);
    package.vendor = header
        .string(VENDOR)
        .map(|vendor| vendor.chars().take(60).collect::<String>().into());
    set_source(&mut package, header.string(SOURCE_RPM));
    let owner = Arc::clone(&package.name);
    facts.add(package);
    own(&header, &owner, facts);
}

/// Notes the source package, from the file name of the source rpm; also that there is none.
pub(crate) fn set_source(package: &mut Package, file: Option<&str>) {
    let source = file.and_then(source);
    package.lacks_source = source.is_none();
    package.source =
        source.filter(|source| source.name != package.name || source.version != package.version);
}

/// `name-version-release.src.rpm`.
fn source(file: &str) -> Option<SourcePackage> {
    let stem = file
        .strip_suffix(".src.rpm")
        .or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage {
        name: name.into(),
        version: format!("{version}-{release}").into(),
    })
}

fn own(header: &Header<'_>, owner: &Arc<str>, facts: &mut Facts) {
    let directories: Vec<_> = header.strings(DIRECTORY_NAMES).collect();
    let names = header.strings(BASE_NAMES);
    // PGPHASHALGO: without the tag, and where it is 1, MD5; 8 is SHA-256.
    let kind = match header.numbers(FILE_DIGEST_ALGORITHM).next() {
        None | Some(1) => Some("md5"),
        Some(2) => Some("sha1"),
        Some(8) => Some("sha256"),
        Some(_) => None,
    };
    let digests = header.strings(FILE_DIGESTS).map(Some);
    let digests = digests.chain(std::iter::repeat(None));
    let indexes = header.numbers(DIRECTORY_INDEXES);
    for ((name, index), digest) in names.zip(indexes).zip(digests) {
        let directory = usize::try_from(index)
            .ok()
            .and_then(|index| directories.get(index));
        let texts = (
            directory.and_then(|directory| std::str::from_utf8(directory).ok()),
            std::str::from_utf8(name).ok(),
        );
        // A name that is not UTF-8 is none that a parser wants.
        if let (Some(directory), Some(name)) = texts {
            facts.own_summed(owner, directory, name, || {
                let text = std::str::from_utf8(digest?).ok()?;
                let kind = kind.filter(|_| !text.is_empty())?;
                Some(format!("{kind}:{text}").into())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tag, type and data of every entry.
    pub(super) fn header(entries: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let mut tags = Vec::new();
        let mut data: Vec<u8> = Vec::new();
        for (tag, kind, count, bytes) in entries {
            let offset = u32::try_from(data.len()).unwrap();
            for number in [*tag, *kind, offset, *count] {
                tags.extend_from_slice(&number.to_be_bytes());
            }
            data.extend_from_slice(bytes);
        }
        let counts =
            [entries.len(), data.len()].map(|count| u32::try_from(count).unwrap().to_be_bytes());
        [counts.concat(), tags, data].concat()
    }

    #[test]
    fn a_header_gives_package_source_module_and_files() {
        let blob = header(&[
            (NAME, 6, 1, b"nodejs-libs\0"),
            (VERSION, 6, 1, b"18.1\0"),
            (RELEASE, 6, 1, b"2.el9\0"),
            (EPOCH, 4, 1, &1_u32.to_be_bytes()),
            (ARCH, 6, 1, b"x86_64\0"),
            (SOURCE_RPM, 6, 1, b"nodejs-18.1-2.el9.src.rpm\0"),
            (MODULARITY_LABEL, 6, 1, b"nodejs:18:1:2\0"),
            (DIRECTORY_INDEXES, 4, 2, &[0, 0, 0, 1, 0, 0, 0, 9]),
            (BASE_NAMES, 8, 2, b"package.json\0x\0"),
            (DIRECTORY_NAMES, 8, 2, b"/\0/usr/lib/node_modules/a/\0"),
        ]);
        let mut facts = Facts::default();
        read(&blob, &"db".into(), &mut facts);
        let package = &facts.packages[0];
        assert_eq!((&*package.version, package.epoch), ("18.1-2.el9", Some(1)));
        assert_eq!(&*package.source.as_ref().unwrap().name, "nodejs");
        assert_eq!(package.module.as_deref(), Some("nodejs:18:1:2"));
        assert_eq!(&*facts.owned[0].path, "usr/lib/node_modules/a/package.json");
        assert_eq!(facts.owned.len(), 1);
        for cut in 0..blob.len() {
            read(&blob[..cut], &"db".into(), &mut Facts::default());
        }
    }

    #[test]
    fn impossible_sizes_are_gaps() {
        for blob in [vec![0xFF; 64], vec![0; 3], [[0, 1, 0, 0], [0; 4]].concat()] {
            let mut facts = Facts::default();
            read(&blob, &"db".into(), &mut facts);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1));
        }
    }
}
