//! A stream that shows what is read from it to watchers, without a copy.

use std::io::{self, BufRead, Read};

use super::{Reading, Watching};
use crate::model::facts::Facts;

/// See the module. Without watchers it only passes on.
pub(crate) struct Tee<'w, R> {
    inner: R,
    watching: Vec<Watching<'w>>,
}

impl<'w, R: BufRead> Tee<'w, R> {
    pub(crate) fn new(inner: R, watching: Vec<Watching<'w>>) -> Self {
        Self { inner, watching }
    }

    /// Reads on to the end, if anybody watches, and collects what the watchers say. An error means
    /// that they did not see the file whole.
    pub(crate) fn finish(mut self) -> io::Result<Vec<Reading>> {
        if self.watching.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            let count = self.inner.fill_buf()?.len();
            if count == 0 {
                break;
            }
            self.consume(count);
        }
        let said = self.watching.into_iter().map(|watching| Reading {
            analyzer: watching.id.into(),
            database: false,
            also_hidden: true,
            facts: watching.watch.finish(),
        });
        Ok(said
            .filter(|reading| reading.facts != Facts::default())
            .collect())
    }
}

impl<R: BufRead> BufRead for Tee<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if !self.watching.is_empty() {
            // What is consumed was filled before, so that this reads nothing.
            let seen = self.inner.fill_buf().ok();
            let seen = seen.and_then(|bytes| bytes.get(..count));
            for watching in &mut self.watching {
                watching.watch.feed(seen.unwrap_or_default());
            }
        }
        self.inner.consume(count);
    }
}

impl<R: BufRead> Read for Tee<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        for watching in &mut self.watching {
            watching.watch.feed(out.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}
