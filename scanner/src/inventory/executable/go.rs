//! Go's build information (package `debug/buildinfo`): a header of 32 bytes, then, since Go 1.18, the
//! version of the toolchain and the modules, each with its length before it. Older linkers point to
//! both from the header; there the modules are found by the marks around them, and the version is not
//! read.

use memchr::memmem;

use crate::inventory::collect::shown;
use crate::model::facts::Facts;
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

const MAGIC: &[u8] = b"\xff Go buildinf:";
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
    is_found: bool,
    version: Option<String>,
    /// The list with what it is framed by, and how much of it is still to come.
    modules: Vec<u8>,
    missing: usize,
    is_too_long: bool,
}

impl BuildInfo {
    /// Takes what follows a list that was found.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.missing == 0 {
            return;
        }
        let part = bytes.get(..self.missing.min(bytes.len()));
        let part = part.unwrap_or_default();
        self.modules.extend_from_slice(part);
        self.missing = self.missing.saturating_sub(part.len());
    }

    /// Looks at what begins at one of the first bytes. The first information that makes sense counts.
    pub(super) fn search(&mut self, bytes: &[u8], begins: usize) {
        if self.is_found {
            return;
        }
        for at in memmem::find_iter(bytes, MAGIC).take_while(|at| *at < begins) {
            if self.inline(bytes.get(at..).unwrap_or_default()).is_some() {
                return;
            }
        }
        // A list of an older linker: its length is not said, and its end is marked.
        if let Some(at) = memmem::find(bytes, START).filter(|at| *at < begins) {
            let rest = bytes.get(at..).unwrap_or_default();
            let after = rest.get(MARK..).unwrap_or_default();
            if after.starts_with(b"path\t") || after.starts_with(b"mod\t") {
                self.is_found = true;
                self.modules = rest.to_vec();
                self.missing = MAX_MODULES;
            }
        }
    }

    /// The form since Go 1.18.
    fn inline(&mut self, bytes: &[u8]) -> Option<()> {
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
        self.is_found = true;
        self.version = Some(version.to_owned());
        if length > MAX_MODULES {
            self.is_too_long = true;
            return Some(());
        }
        let have = rest.get(..length.min(rest.len())).unwrap_or_default();
        self.modules = have.to_vec();
        self.missing = length.saturating_sub(have.len());
        Some(())
    }

    /// Adds the modules and the standard library; `false` if it is not a program of Go.
    pub(super) fn packages(&self, path: &str, facts: &mut Facts) -> bool {
        if !self.is_found {
            return false;
        }
        let place = Location::file(path);
        let package = |name: &str, version: &str| {
            Package::new(PackageType::GOLANG, name, version).at(place.clone())
        };
        match self.version.as_deref().map(release) {
            Some(Some(version)) => facts.add(package("stdlib", version)),
            found => {
                let cause = match found {
                    Some(_) => "built with a Go toolchain that is not a release",
                    None => "built with Go 1.17 or older: the version of the toolchain is not read",
                };
                facts.gap(path, None, GapKind::UnknownVersion, cause);
            }
        }
        if self.is_too_long {
            let cause = format!("the list of modules is longer than {MAX_MODULES} bytes");
            facts.unjudged(path, None, GapKind::Limit, cause);
            return true;
        }
        let Some(text) = framed(&self.modules) else {
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
                    let mut own = package(name, version);
                    if !is_release(version) {
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
                _ => {}
            }
        }
        facts.extend(last);
        true
    }
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
    // The second mark is the first byte that no list has.
    let end = inner
        .iter()
        .position(|byte| *byte >= 0x80 || *byte < b'\t')
        .unwrap_or(inner.len());
    let text = std::str::from_utf8(inner.get(..end)?).ok()?;
    // The mark may begin with bytes that look like text: the last line is whole or none.
    let end = text.rfind('\n').map_or(0, |at| at.saturating_add(1));
    text.get(..end).filter(|text| text.contains('\t'))
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
