//! The list of crates that `cargo auditable` compiles into a program (its format description, version
//! 0 and 1): JSON, compressed with zlib, in a section `.dep-v0`. Where the sections lie is said at the
//! end of a file, so that the list is found by its first bytes.

use std::sync::Arc;

use document::Node;
use flate2::{Decompress, FlushDecompress, Status};

use crate::model::facts::{Facts, Requested};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, Scope};

/// Bytes of a list once it is inflated; a program of 1,000 crates has 150 KB.
const MAX_LIST: usize = 8 << 20;

/// The beginning of every list.
const BEGINS: &[u8] = b"{\"packages\":[";

/// The first byte of a zlib stream with the usual window.
const ZLIB: u8 = 0x78;

/// What is looked for, and what was found of it.
#[derive(Default)]
pub(super) struct Audit {
    inflater: Option<Decompress>,
    is_found: bool,
    is_whole: bool,
    list: Vec<u8>,
    broken: Option<&'static str>,
}

impl Audit {
    pub(super) fn clear(&mut self) {
        let inflater = self.inflater.take();
        *self = Self {
            inflater,
            ..Self::default()
        };
    }

    /// Takes what follows a list that was found.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.is_found && !self.is_whole && self.broken.is_none() {
            self.inflate(bytes);
        }
    }

    /// Looks at what begins at one of the first bytes.
    pub(super) fn search(&mut self, bytes: &[u8], begins: usize) {
        if self.is_found {
            return;
        }
        let first = bytes.get(..begins).unwrap_or_default();
        for at in memchr::memchr_iter(ZLIB, first) {
            let rest = bytes.get(at..).unwrap_or_default();
            if !may_begin(rest) {
                continue;
            }
            let inflater = self.inflater.get_or_insert_with(|| Decompress::new(true));
            inflater.reset(true);
            let mut start = [0; BEGINS.len()];
            let tried = inflater.decompress(rest, &mut start, FlushDecompress::None);
            if tried.is_ok() && start == BEGINS {
                inflater.reset(true);
                self.is_found = true;
                self.inflate(rest);
                return;
            }
        }
    }

    fn inflate(&mut self, mut bytes: &[u8]) {
        let inflater = self.inflater.get_or_insert_with(|| Decompress::new(true));
        loop {
            if self.list.len() >= MAX_LIST {
                self.broken = Some("is longer than 8 MiB");
                return;
            }
            self.list.reserve(16 << 10);
            let before = inflater.total_in();
            let status = inflater.decompress_vec(bytes, &mut self.list, FlushDecompress::None);
            let taken = inflater.total_in().saturating_sub(before);
            let taken = usize::try_from(taken).unwrap_or(usize::MAX);
            bytes = bytes.get(taken..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => {
                    self.is_whole = true;
                    return;
                }
                Ok(_) if bytes.is_empty() && self.list.len() < self.list.capacity() => return,
                Ok(_) => {}
                Err(_) => {
                    self.broken = Some("cannot be inflated");
                    return;
                }
            }
        }
    }

    /// Adds the crates; `false` if there is no list.
    pub(super) fn packages(&self, path: &str, facts: &mut Facts) -> bool {
        if !self.is_found {
            return false;
        }
        let fault = match (self.broken, self.is_whole) {
            (Some(cause), _) => Some(cause.to_owned()),
            (None, false) => Some("is cut off".to_owned()),
            (None, true) => list(&self.list, path, facts).err(),
        };
        if let Some(fault) = fault {
            let cause = format!("the list of crates {fault}");
            facts.unjudged(path, None, GapKind::Malformed, cause);
        }
        true
    }
}

/// The header of a zlib stream (RFC 1950, section 2.2) with a block of compressed data behind it (RFC
/// 1951, section 3.2.3).
fn may_begin(bytes: &[u8]) -> bool {
    let (Some(flags), Some(block)) = (bytes.get(1), bytes.get(2)) else {
        return false;
    };
    let header = u16::from_be_bytes([ZLIB, *flags]);
    header.is_multiple_of(31) && flags & 0x20 == 0 && matches!(block >> 1 & 3, 1 | 2)
}

fn list(json: &[u8], path: &str, facts: &mut Facts) -> Result<(), String> {
    let text = std::str::from_utf8(json).map_err(|_| "is not UTF-8".to_owned())?;
    let document = document::json(text).map_err(|error| format!("is not read: {error}"))?;
    let nodes = document
        .items_at("packages")
        .map_err(|error| format!("is not read: {error}"))?;
    let names: Vec<Option<Arc<str>>> = nodes.iter().map(edge).collect();
    let mut roots = Vec::new();
    let mut foreign = 0_usize;
    for node in nodes {
        let (Some(name), Some(version)) = (node.text_at("name"), node.text_at("version")) else {
            facts.malformed(path, None, "a crate without name or version");
            continue;
        };
        let mut package = Package::new(PackageType::CARGO, name, version).at(Location::file(path));
        package.dependencies = edges(node, &names);
        package.public = node.text_at("source") == Some("crates.io");
        let is_build = node.text_at("kind") == Some("build");
        package.scope = Some(if is_build {
            Scope::Build
        } else {
            Scope::Runtime
        });
        let is_root = node.is_true("root");
        if is_root {
            roots.extend(package.dependencies.iter().cloned().map(Requested::from));
        }
        if !package.public {
            package.ecosystem = None;
            foreign = foreign.saturating_add(usize::from(!is_root));
        }
        facts.add(package);
    }
    if !roots.is_empty() {
        facts.roots = Some(roots);
    }
    if foreign > 0 {
        let cause = format!(
            "{foreign} of the crates come from elsewhere than crates.io, which public advisories do not cover"
        );
        facts.gap(path, None, GapKind::ForeignPackage, cause);
    }
    Ok(())
}

/// A crate as others depend on it.
fn edge(node: &Node<'_>) -> Option<Arc<str>> {
    let (name, version) = (node.text_at("name")?, node.text_at("version")?);
    Some(format!("{name}@{version}").into())
}

/// The crates that one depends on, by their places in the list.
fn edges(node: &Node<'_>, names: &[Option<Arc<str>>]) -> Vec<Arc<str>> {
    let places = node.get("dependencies").map_or(&[][..], Node::items);
    let places = places
        .iter()
        .filter_map(|place| place.scalar()?.parse::<usize>().ok());
    places
        .filter_map(|place| names.get(place)?.clone())
        .collect()
}
