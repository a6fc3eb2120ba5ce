//! What a file of a layer is that no parser wants by its path: one of an object of the Nix store, a program,
//! whose parts are read, or of a kind that is recognised and not read, by its path or by its content. Only executables and files
//! whose names allow such a kind are looked into.

use std::io::{self, BufRead, Read as _};

use super::executable;
use super::{CONTENT_BYTES, Within, confirm, recognise};
use crate::analyzer::{Entry, Look, Reach};
use crate::inventory::executable::{self as programs, Program};
use crate::inventory::store::{self, Store};
use crate::model::facts::Facts;

/// Buffers that are used for file after file.
#[derive(Default)]
pub(crate) struct Unread {
    content: Vec<u8>,
    program: Program,
    store: Store,
}

impl Look for Unread {
    fn version(&self) -> u32 {
        // Whatever the tables say is in the gaps that are kept.
        let words = super::table::all().flat_map(|kind| kind.id.bytes().chain(kind.phrase.bytes()));
        let sum = words.fold(0_u32, |sum, byte| {
            sum.rotate_left(5).wrapping_add(u32::from(byte))
        });
        sum.wrapping_add(programs::VERSION)
            .wrapping_add(store::VERSION.rotate_left(16))
    }

    fn reach(&self, entry: &Entry<'_>) -> Reach {
        match recognise(entry.path, Within::Image) {
            Some(kind) if kind.needs_content() => Reach::First(CONTENT_BYTES as u64),
            None if entry.is_executable => Reach::Whole,
            Some(_) | None => Reach::Nothing,
        }
    }

    fn look(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn BufRead,
    ) -> io::Result<Option<(&'static str, Facts)>> {
        let object = self.store.meet(entry.path);
        let file = self.file(entry, content)?;
        Ok(match (object, file) {
            (Some(mut facts), Some((_, more))) => {
                facts.absorb(more);
                Some((store::ID, facts))
            }
            (Some(facts), None) => Some((store::ID, facts)),
            (None, file) => file,
        })
    }
}

impl Unread {
    fn file(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn BufRead,
    ) -> io::Result<Option<(&'static str, Facts)>> {
        let kind = match recognise(entry.path, Within::Image) {
            Some(kind) if kind.needs_content() => {
                self.content.clear();
                let most = CONTENT_BYTES as u64;
                content.take(most).read_to_end(&mut self.content)?;
                confirm(kind, &self.content)
            }
            Some(kind) => Some(kind),
            None if entry.is_executable => return self.executable(content, entry),
            None => None,
        };
        Ok(kind.map(|kind| {
            let mut facts = Facts::default();
            facts.gaps.push(kind.gap(entry.path));
            (kind.id, facts)
        }))
    }

    fn executable(
        &mut self,
        content: &mut dyn BufRead,
        entry: &Entry<'_>,
    ) -> io::Result<Option<(&'static str, Facts)>> {
        let mut magic = [0; executable::MAGIC_BYTES];
        let mut count = 0;
        while let Some(rest) = magic.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match content.read(rest) {
                Ok(0) => break,
                Ok(more) => count = count.saturating_add(more),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let head = magic.get(..count).unwrap_or_default();
        if !executable::is_executable(head) {
            return Ok(None);
        }
        self.program.begin(entry.size);
        self.program.feed(head);
        loop {
            let bytes = content.fill_buf()?;
            if bytes.is_empty() {
                return Ok(self.program.finish(entry.path));
            }
            self.program.feed(bytes);
            let count = bytes.len();
            content.consume(count);
        }
    }
}
