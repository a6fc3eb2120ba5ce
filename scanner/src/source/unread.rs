//! What a file of a layer is that no parser wants: of a kind that is recognised and not read, by
//! its path or by its content. Only executables and files whose names allow such a kind are looked
//! into.

use std::io::{self, BufRead, Read};

use super::tar;
use super::wanted::Registry;
use crate::inventory::recognised::executable::{self, Ends};
use crate::inventory::recognised::{CONTENT_BYTES, Kind, confirm};

/// Buffers that are used for file after file.
#[derive(Default)]
pub(super) struct Unread {
    content: Vec<u8>,
    ends: Ends,
}

impl Unread {
    /// Looks at a file whose `first` bytes were read already.
    pub(super) fn look(
        &mut self,
        content: &mut impl BufRead,
        path: &str,
        is_executable: bool,
        size: u64,
        first: &[u8],
        registry: &Registry,
    ) -> io::Result<Option<&'static Kind>> {
        match (registry.recognise)(path) {
            Some(kind) if kind.needs_content() => {
                self.content.clear();
                self.content.extend_from_slice(first);
                let more = CONTENT_BYTES.saturating_sub(first.len());
                content.take(more as u64).read_to_end(&mut self.content)?;
                Ok(confirm(kind, &self.content))
            }
            Some(kind) => Ok(Some(kind)),
            None if is_executable => self.executable(content, size, first),
            None => Ok(None),
        }
    }

    fn executable(
        &mut self,
        content: &mut impl BufRead,
        size: u64,
        first: &[u8],
    ) -> io::Result<Option<&'static Kind>> {
        let mut magic = [0; executable::MAGIC_BYTES];
        let mut start = io::Cursor::new(first).chain(&mut *content);
        let count = tar::fill(&mut start, &mut magic)?;
        let head = magic.get(..count).unwrap_or_default();
        if !executable::is_executable(head) {
            return Ok(None);
        }
        self.ends.begin(size);
        self.ends.feed(head);
        self.ends.feed(first.get(count..).unwrap_or_default());
        loop {
            let bytes = content.fill_buf()?;
            if bytes.is_empty() {
                return Ok(self.ends.kind());
            }
            self.ends.feed(bytes);
            let count = bytes.len();
            content.consume(count);
        }
    }
}
