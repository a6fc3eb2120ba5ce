//! Programs of Go and Rust: the modules and crates that they are made of, as the linker left them.
//!
//! A program is read once, as it comes, and never held: what is looked for announces itself. Go writes
//! its build information behind a magic text, `cargo auditable` a compressed list that begins like no
//! other, and other Rust programs name the files of their crates in their messages. Where none of
//! these is there, the two ends of the file say what it is, and the rest is a gap.

mod flags;
mod go;
mod paths;
mod pointers;
mod rust;
mod window;

use crate::inventory::graph;
use crate::inventory::recognised::executable::{self, Ends};
use crate::model::facts::Facts;
use crate::model::gap::GapKind;

use go::BuildInfo;
use paths::Crates;
use pointers::Pointers;
use rust::Audit;
use window::Window;

/// Id of what these programs say.
pub(crate) const ID: &str = "executable";

/// Grows whenever the same bytes would give other facts.
pub(crate) const VERSION: u32 = 3;

/// One program as it comes.
#[derive(Default)]
pub(crate) struct Program {
    ends: Ends,
    window: Window,
    /// Where in the file the window begins.
    base: u64,
    go: BuildInfo,
    /// Whether the first bytes are those of a Go program, once all of them came.
    is_go: Option<bool>,
    pointers: Pointers,
    rust: Audit,
    crates: Crates,
}

impl Program {
    /// Begins a program of this many bytes.
    pub(crate) fn begin(&mut self, size: u64) {
        self.ends.begin(size);
        self.window.clear();
        self.base = 0;
        self.go = BuildInfo::default();
        self.is_go = None;
        self.pointers = Pointers::default();
        self.rust.clear();
        self.crates = Crates::default();
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.ends.feed(bytes);
        self.go.feed(bytes);
        self.rust.feed(bytes);
        self.window.feed(bytes);
        if self.window.is_full() {
            self.search(false);
        }
    }

    fn search(&mut self, is_end: bool) {
        let (bytes, begins) = self.window.settled(is_end);
        self.go.search(bytes, begins);
        self.rust.search(bytes, begins);
        self.crates.search(bytes, begins);
        let head = self.ends.head();
        let is_go = self.is_go.get_or_insert_with(|| {
            let kind = executable::kind(head, &[]);
            kind.is_some_and(|kind| kind.id == executable::GO)
        });
        if *is_go {
            self.pointers.search(bytes, begins, self.base, head);
        }
        let searched = u64::try_from(begins).unwrap_or(u64::MAX);
        self.base = self.base.saturating_add(searched);
        self.window.forget(begins);
    }

    /// What it says; its id in the table of what is recognised, or [`ID`] if it was read.
    pub(crate) fn finish(&mut self, path: &str) -> Option<(&'static str, Facts)> {
        let (id, mut facts) = self.read(path)?;
        graph::settle(&mut facts);
        facts.close(path);
        Some((id, facts))
    }

    fn read(&mut self, path: &str) -> Option<(&'static str, Facts)> {
        self.search(true);
        let mut facts = Facts::default();
        let old = self.pointers.version(self.ends.head());
        if self.go.packages(path, old.as_deref(), &mut facts)
            || self.rust.packages(path, &mut facts)
        {
            return Some((ID, facts));
        }
        let kind = self.ends.kind()?;
        if kind.id == executable::RUST && !is_part(path) && self.crates.packages(path, &mut facts) {
            let cause = "a Rust program without its list of crates: these are named in its messages, and it may contain others";
            facts.gap(path, None, GapKind::NotRead, cause);
            return Some((ID, facts));
        }
        facts.gaps.push(kind.gap(path));
        Some((kind.id, facts))
    }
}

/// Whether a file is a part of an installed language package: what is in it is the business of that
/// package's advisories, as with the packages of a distribution.
fn is_part(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| {
        matches!(
            part,
            "site-packages" | "dist-packages" | "node_modules" | "gems"
        )
    })
}

/// Whether a program may lie there, so that its owner matters: a directory of programs, and a name
/// without an extension.
pub(crate) fn may_be(directory: &str, name: &str) -> bool {
    let last = directory.rsplit('/').next().unwrap_or(directory);
    let is_of_programs = matches!(last, "bin" | "sbin" | "libexec" | "cli-plugins")
        || directory.contains("libexec/")
        || directory.contains("pkg/tool/");
    is_of_programs && !name.contains('.')
}

#[cfg(test)]
mod tests;
