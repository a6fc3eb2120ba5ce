//! The one loop: runs all readers of a file on one reading of its bytes, while the watchers of the
//! stream see them pass.

use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use super::{Beside, Content, Need, Reader, Tee};
use crate::model::facts::Facts;

/// Buffers of files that were longer are given back after the file.
const KEPT_BUFFER: usize = 1 << 20;

/// One reader on one file.
pub(crate) struct Run {
    /// The path that the reader is told: the file's own, or that of a link to it.
    pub(crate) path: Arc<str>,
    pub(crate) reader: &'static dyn Reader,
}

impl Run {
    /// Whether it reads the file as it comes.
    pub(crate) fn is_streamed(&self) -> bool {
        self.reader.need() == Need::Stream
    }

    /// The longest file that it reads, where the file has to be held; `most` is the longest that
    /// may be held at all.
    fn limit(&self, most: u64) -> u64 {
        match self.reader.need() {
            Need::Stream => most,
            Need::Whole(limit) => limit.min(most),
        }
    }
}

/// What became of a file with one of its readers.
pub(crate) enum Answer {
    Read(Box<Facts>),
    /// The file is longer than this, and was not read.
    TooLong(u64),
}

/// Whether a file of `size` bytes is read by any of its readers.
pub(crate) fn fits(size: u64, runs: &[Run], most: u64) -> bool {
    match runs {
        [run] if run.is_streamed() => true,
        _ => runs.iter().any(|run| size <= run.limit(most)),
    }
}

/// Runs readers on the content of one file of about `size` bytes; one answer for each. An error
/// means that the content could not be read to its end: no answer counts.
pub(crate) fn examine<R: BufRead>(
    content: &mut Tee<'_, R>,
    size: u64,
    runs: &[Run],
    buffer: &mut Vec<u8>,
    most: u64,
    beside: &dyn Beside,
) -> io::Result<Vec<Answer>> {
    if let [run] = runs
        && run.is_streamed()
    {
        let facts = run.reader.read(&run.path, Content::Stream(content), beside);
        return Ok(vec![Answer::Read(Box::new(facts))]);
    }
    buffer.clear();
    let longest = runs.iter().map(|run| run.limit(most)).max();
    let mut size = size;
    if let Some(longest) = longest.filter(|longest| size <= *longest) {
        // A file may grow while it is read.
        content
            .take(longest.saturating_add(1))
            .read_to_end(buffer)?;
        size = size.max(buffer.len() as u64);
    }
    let answers = runs.iter().map(|run| {
        let limit = run.limit(most);
        if size > limit {
            return Answer::TooLong(limit);
        }
        Answer::Read(Box::new(match run.reader.need() {
            Need::Whole(_) => run.reader.read(&run.path, Content::Whole(buffer), beside),
            Need::Stream => {
                let mut stream = buffer.as_slice();
                run.reader
                    .read(&run.path, Content::Stream(&mut stream), beside)
            }
        }))
    });
    let answers = answers.collect();
    // A large file must not stay in memory for the rest of the target.
    if buffer.capacity() > KEPT_BUFFER {
        *buffer = Vec::new();
    }
    Ok(answers)
}
