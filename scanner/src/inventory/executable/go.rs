//! Go's build information (package `debug/buildinfo`): a header of 32 bytes, then, since Go 1.18, the
//! version of the toolchain and the modules, each with its length before it. Older linkers point to
//! both from the header; there the modules are found by the marks around them, and the version where the
//! header points to (`pointers`).

use memchr::memmem;

use super::flags;

use crate::inventory::collect::shown;
use crate::model::facts::Facts;
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

pub(super) const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;

/// What the linker writes around the list of modules (`cmd/go/internal/modload`).
const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const MARK: usize = 16;

/// Bytes of a list of modules. The longest seen has 100 KB.
const MAX_MODULES: usize = 4 << 20;

/// Bytes of a version.
const MAX_VERSION: usize = 256;

/// What is looked for, and what was found of it.
#[derive(Debug, Default)]
pub(super) struct BuildInfo {
    /// Behind the header, with the version of the toolchain.
    inline: Option<(String, List)>,
    /// A list by the marks around it. Newer programs have it twice, and this one first.
    marked: Option<List>,
}

/// A list of modules with what it is framed by.
#[derive(Debug, Default)]
struct List {
    bytes: Vec<u8>,
    /// How much of it is still to come.
    missing: usize,
    is_too_long: bool,
}

/// What a program has that was built without modules.
static NO_LIST: List = List {
    bytes: Vec::new(),
    missing: 0,
    is_too_long: false,
};

impl List {
    fn of(bytes: &[u8], length: usize) -> Self {
        let have = bytes.get(..length.min(bytes.len())).unwrap_or_default();
        Self {
            missing: length.saturating_sub(have.len()),
            bytes: have.to_vec(),
            is_too_long: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let part = bytes.get(..self.missing.min(bytes.len()));
        let part = part.unwrap_or_default();
        self.bytes.extend_from_slice(part);
        self.missing = self.missing.saturating_sub(part.len());
    }

    /// Ends a list whose length is not said where its bytes are no longer text.
    fn end(&mut self, from: usize) {
        let fresh = self.bytes.get(from..).unwrap_or_default();
        if let Some(at) = fresh.iter().position(|byte| !is_text(*byte)) {
            self.bytes.truncate(from.saturating_add(at));
            self.missing = 0;
        }
    }
}

impl BuildInfo {
    /// Takes what follows a list that was found.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if let Some((_, list)) = &mut self.inline {
            list.feed(bytes);
        }
        if let Some(list) = self.marked.as_mut().filter(|list| list.missing > 0) {
            let from = list.bytes.len();
            list.feed(bytes);
            list.end(from);
        }
    }

    /// Looks at what begins at one of the first bytes. The first information that makes sense counts.
    pub(super) fn search(&mut self, bytes: &[u8], begins: usize) {
        if self.inline.is_some() {
            return;
        }
        let mut all = memmem::find_iter(bytes, MAGIC).take_while(|at| *at < begins);
        self.inline = all.find_map(|at| inline(bytes.get(at..)?));
        if self.inline.is_some() {
            self.marked = None;
        } else if self.marked.is_none()
            && let Some(at) = memmem::find(bytes, START).filter(|at| *at < begins)
        {
            let rest = bytes.get(at..).unwrap_or_default();
            let after = rest.get(MARK..).unwrap_or_default();
            if after.starts_with(b"path\t") || after.starts_with(b"mod\t") {
                let mut list = List::of(rest, MAX_MODULES);
                list.end(MARK);
                self.marked = Some(list);
            }
        }
    }

    /// Adds the modules and the standard library; `false` if it is not a program of Go.
    ///
    /// `old` is the version that a program of Go 1.17 or older points to.
    pub(super) fn packages(&self, path: &str, old: Option<&str>, facts: &mut Facts) -> bool {
        let (version, list) = match (&self.inline, &self.marked, old) {
            (Some((version, list)), _, _) => (Some(version.as_str()), list),
            (None, Some(list), old) => (old, list),
            (None, None, Some(old)) => (Some(old), &NO_LIST),
            (None, None, None) => return false,
        };
        let place = Location::file(path);
        let package = |name: &str, version: &str| {
            Package::new(PackageType::GOLANG, name, version).at(place.clone())
        };
        match version.map(release) {
            Some(Some(version)) => facts.add(package("stdlib", version)),
            found => {
                let cause = match found {
                    Some(_) => "built with a Go toolchain that is not a release",
                    None => "the version of the toolchain, of Go 1.17 or older, is not found",
                };
                facts.gap(path, None, GapKind::UnknownVersion, cause);
            }
        }
        if list.is_too_long {
            let cause = format!("the list of modules is longer than {MAX_MODULES} bytes");
            facts.unjudged(path, None, GapKind::Limit, cause);
            return true;
        }
        let Some(text) = framed(&list.bytes) else {
            // Built without modules, or with `-buildvcs=false -trimpath` by another tool.
            let cause = "a Go program without a list of modules";
            facts.gap(path, None, GapKind::NotRead, cause);
            return true;
        };
        let mut last: Option<Package> = None;
        for line in text.lines() {
            let mut words = line.split('\t');
            let kind = words.next().unwrap_or_default();
            let (name, version) = (words.next().unwrap_or_default(), words.next());
            match (kind, version) {
                ("mod", Some(version)) => {
                    facts.extend(last.take());
                    let flagged = (!is_release(version))
                        .then(|| flags::version(text, name))
                        .flatten();
                    let mut own = package(name, flagged.as_deref().unwrap_or(version));
                    if !is_release(version) && flagged.is_none() {
                        own.ecosystem = None;
                        let cause = format!(
                            "{} itself has no version: advisories about it are not matched",
                            shown(name)
                        );
                        facts.gap(path, None, GapKind::UnknownVersion, cause);
                    }
                    last = Some(own);
                }
                ("dep", Some(version)) => {
                    facts.extend(last.take());
                    last = Some(package(name, version));
                }
                // What stands in its place is what runs; a directory is part of the project.
                ("=>", Some(version)) => {
                    let is_module = is_release(version);
                    last = is_module.then(|| package(name, version));
                }
                ("=>", None) => last = None,
                ("mod" | "dep", None) => {
                    let cause = format!("module {} has no version", shown(name));
                    facts.malformed(path, None, cause);
                }
                // "path" and "build" lines name the program and its settings, no module.
                _ => {}
            }
        }
        facts.extend(last);
        true
    }
}

/// The form since Go 1.18: the version, and the list.
fn inline(bytes: &[u8]) -> Option<(String, List)> {
    let flags = bytes.get(15)?;
    if flags & 2 == 0 {
        return None;
    }
    let (length, rest) = varint(bytes.get(HEADER..)?)?;
    if length > MAX_VERSION {
        return None;
    }
    let (version, rest) = rest.split_at_checked(length)?;
    let version = std::str::from_utf8(version).ok()?;
    if !version.starts_with("go") && !version.starts_with("devel") {
        return None;
    }
    let (length, rest) = varint(rest)?;
    let list = if length > MAX_MODULES {
        List {
            is_too_long: true,
            ..List::default()
        }
    } else {
        List::of(rest, length)
    };
    Some((version.to_owned(), list))
}

/// A length in seven bits a byte, the lowest first (package `encoding/binary`).
fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        let bits = usize::from(byte & 0x7f);
        let shift = u32::try_from(place).ok()?.checked_mul(7)?;
        value |= bits.checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place.checked_add(1)?..)?));
        }
    }
    None
}

/// The text between the two marks.
fn framed(bytes: &[u8]) -> Option<&str> {
    let inner = bytes.get(MARK..)?;
    // The second mark begins with a byte that no list has.
    let end = inner.iter().position(|byte| !is_text(*byte));
    let end = end.unwrap_or(inner.len());
    let text = std::str::from_utf8(inner.get(..end)?).ok()?;
    // The mark may begin with bytes that look like text: the last line is whole or none.
    let end = text.rfind('\n').map_or(0, |at| at.saturating_add(1));
    text.get(..end).filter(|text| text.contains('\t'))
}

const fn is_text(byte: u8) -> bool {
    byte < 0x80 && byte >= b'\t'
}

/// The version of a released toolchain: `go1.22.1` and `go1.22.1 X:boringcrypto` are 1.22.1.
fn release(version: &str) -> Option<&str> {
    let number = version.strip_prefix("go")?;
    let number = number.split([' ', '-']).next()?;
    number
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(number)
}

/// Whether a module has a version that others can name; one that was built from a checkout with
/// changes has none.
fn is_release(version: &str) -> bool {
    version.starts_with('v') && !version.ends_with("+dirty")
}
