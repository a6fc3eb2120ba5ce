//! What a file of a layer is that no parser wants: of a kind that is recognised and not read, by
//! its path or by its content. Only executables and files whose names allow such a kind are looked
//! into.

use std::io::{self, BufRead, Read as _};

use super::executable::{self, Ends};
use super::{CONTENT_BYTES, FileKind, Within, confirm, recognise};
use crate::analyzer::{Entry, Look};
use crate::model::gap::Gap;

/// Buffers that are used for file after file.
#[derive(Default)]
pub(crate) struct Unread {
    content: Vec<u8>,
    ends: Ends,
}

impl Look for Unread {
    fn look(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn BufRead,
    ) -> io::Result<Option<(&'static str, Gap)>> {
        let kind = match recognise(entry.path, Within::Image) {
            Some(kind) if kind.needs_content() => {
                self.content.clear();
                let most = CONTENT_BYTES as u64;
                content.take(most).read_to_end(&mut self.content)?;
                confirm(kind, &self.content)
            }
            Some(kind) => Some(kind),
            None if entry.is_executable => self.executable(content, entry.size)?,
            None => None,
        };
        Ok(kind.map(|kind| (kind.id, kind.gap(entry.path))))
    }
}

impl Unread {
    fn executable(
        &mut self,
        content: &mut dyn BufRead,
        size: u64,
    ) -> io::Result<Option<&'static FileKind>> {
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
        self.ends.begin(size);
        self.ends.feed(head);
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
