//! Whether a file is an image archive, by what its members are called and hold, and whether a
//! directory is an image, by the files that mark one. A tar has no order: what says so may come
//! last, so that all of its members are looked at, up to limits.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::archive::Stream;
use super::decode::Encoding;
use super::manifest::Document;
use super::tar::{self, MemberKind, Tar};
use super::{ImageKind, limits, names};

/// Bytes of a file from which [`may_be_archive`] knows.
pub const FIRST_BYTES: usize = 512;

/// Whether a file that begins with these bytes (as many of [`FIRST_BYTES`] as it has) may be an
/// image archive, so that a further look is worth its time. One that is compressed in a way that
/// is not read may be one, too.
pub fn may_be_archive(first: &[u8]) -> bool {
    Encoding::of(first) != Encoding::Plain || tar::is_header(first)
}

/// How the file `version` of skopeo's directories begins.
const MARK: &[u8] = b"Directory Transport Version";

/// What kind of image a directory is.
pub(super) fn directory(path: &Path) -> Option<ImageKind> {
    let is_file = |name: &str| path.join(name).is_file();
    if is_file("oci-layout") || is_file("index.json") && path.join("blobs").is_dir() {
        return Some(ImageKind::OciLayout);
    }
    // The two files by which skopeo knows its own.
    let mut first = Vec::new();
    let is_marked = is_file("manifest.json")
        && is_file("version")
        && File::open(path.join("version"))
            .and_then(|file| file.take(MARK.len() as u64).read_to_end(&mut first))
            .is_ok()
        && first == MARK;
    is_marked.then_some(ImageKind::SkopeoDirectory)
}

/// Whether a path in a directory that is an image is a blob or a document of it, which is read
/// through it (image-spec, `image-layout.md`).
pub fn is_part_of_image(kind: ImageKind, path: &str) -> bool {
    let is_hex = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = path.split('/').collect();
    match (kind, parts.as_slice()) {
        (ImageKind::OciLayout, ["oci-layout" | "index.json"])
        | (ImageKind::SkopeoDirectory, ["manifest.json" | "version"]) => true,
        (ImageKind::OciLayout, ["blobs", _, digest]) => is_hex(digest),
        (ImageKind::SkopeoDirectory, [name]) => {
            is_hex(name.strip_suffix(".manifest.json").unwrap_or(name))
                || name
                    .strip_prefix("signature-")
                    .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        }
        _ => false,
    }
}

/// Why it is not known whether a file is an image.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// An archive that breaks off before it says what it is.
    #[error("{0}")]
    Broken(String),
    /// What would say it is not read.
    #[error("{0}")]
    NotRead(String),
}

/// What is known of an archive that goes on.
#[derive(Default)]
struct Seen {
    /// A member that every image archive of some kind has.
    usual: bool,
    strangers: usize,
    blobs: bool,
    index: bool,
    saved: bool,
    /// Layers of Docker before 1.10, which wrote no `manifest.json`.
    legacy: bool,
    /// A folder of it is an image.
    below: bool,
    /// The files of a distribution, as `docker export` writes them.
    exported: bool,
}

/// Files that every distribution has one of, where `docker export` puts them.
const OF_A_DISTRIBUTION: [&str; 4] = [
    "etc/os-release",
    "usr/lib/os-release",
    "var/lib/dpkg/status",
    "lib/apk/db/installed",
];

impl Seen {
    fn is_strange(&self) -> bool {
        !self.usual && self.strangers > limits::RECOGNISE_STRANGERS
    }
}

/// Says what a file is; see [`super::recognise`].
pub(super) fn looks_like(path: &Path) -> Result<Option<ImageKind>, Unknown> {
    let stream = Stream::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::Unsupported => Unknown::NotRead(error.to_string()),
        _ => Unknown::Broken(error.to_string()),
    })?;
    let compressed = stream.is_compressed();
    let mut tar = Tar::new(stream);
    let mut seen = Seen::default();
    let mut ordinal = 0;
    loop {
        let member = match tar.next() {
            Ok(Some((member, _))) => member,
            Ok(None) => break,
            // What is no tar from its first byte on is something else, and a damaged archive of
            // many other things is no image for anybody.
            Err(_) if ordinal == 0 || seen.is_strange() => break,
            Err(error) => return Err(Unknown::Broken(error.to_string())),
        };
        ordinal += 1;
        if ordinal > limits::RECOGNISE_MEMBERS {
            let cause = format!("more than {} members", limits::RECOGNISE_MEMBERS);
            return Err(Unknown::NotRead(cause));
        }
        if compressed && !seen.usual && tar.offset() > limits::RECOGNISE_BYTES {
            let cause = format!("its first {} bytes do not say", limits::RECOGNISE_BYTES);
            return Err(Unknown::NotRead(cause));
        }
        let Ok(name) = names::normalise(&member.path) else {
            continue;
        };
        match name.as_str() {
            _ if member.kind == MemberKind::Directory => {}
            "oci-layout" | "index.json" | "manifest.json" => {
                let mut content = Vec::new();
                let head = (&mut tar)
                    .take(limits::DOCUMENT_BYTES)
                    .read_to_end(&mut content);
                if head.is_err() {
                    continue;
                }
                match name.as_str() {
                    "oci-layout" if holds(&content, &["imageLayoutVersion"]) => {
                        return Ok(Some(ImageKind::OciArchive));
                    }
                    "index.json" if is_index(&content) => return Ok(Some(ImageKind::OciArchive)),
                    "index.json" => seen.index = true,
                    // An OCI archive may follow in the same file, and is the better of the two.
                    "manifest.json" if content.trim_ascii_start().starts_with(b"[") => {
                        seen.saved = true;
                        seen.usual = true;
                    }
                    _ => seen.strangers += 1,
                }
            }
            _ if is_usual(&name) => {
                seen.usual = true;
                seen.blobs |=
                    name.starts_with("blobs/sha256/") || name.starts_with("blobs/sha512/");
                seen.legacy |= name.ends_with("/layer.tar");
            }
            _ => {
                seen.strangers += 1;
                seen.below |= name.ends_with("/oci-layout");
                seen.exported |= OF_A_DISTRIBUTION.contains(&name.as_str());
            }
        }
    }
    if seen.index && seen.blobs {
        return Ok(Some(ImageKind::OciArchive));
    }
    if seen.saved {
        return Ok(Some(ImageKind::DockerArchive));
    }
    if seen.legacy {
        let cause = "it is laid out as by Docker before 1.10, which is not read";
        return Err(Unknown::NotRead(cause.into()));
    }
    if seen.below {
        let cause = "a folder of the archive holds an image layout";
        return Err(Unknown::NotRead(cause.into()));
    }
    if seen.exported {
        let cause = "it holds the files of a distribution without an image around them";
        return Err(Unknown::NotRead(cause.into()));
    }
    Ok(None)
}

fn holds(content: &[u8], words: &[&str]) -> bool {
    let text = String::from_utf8_lossy(content);
    words.iter().all(|word| text.contains(word))
}

fn is_index(content: &[u8]) -> bool {
    holds(content, &["\"manifests\"", "\"digest\""])
        || Document::parse(content).is_ok_and(|document| document.manifests.is_some())
}

/// Names that image archives have: blobs, layers and configs called by their digest.
fn is_usual(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    let stem = first.split('.').next().unwrap_or_default();
    let stem = stem.strip_prefix("sha256:").unwrap_or(stem);
    name.starts_with("blobs/sha256/")
        || name.starts_with("blobs/sha512/")
        || first == "repositories"
        || stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}
