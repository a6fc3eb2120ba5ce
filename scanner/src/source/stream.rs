//! The two streams of a layer, verified: the blob as stored, whose digest and size the manifest
//! names, and the tar inside, whose digest is the diff ID of the config.
//!
//! Each byte is read once; hashing, decompression and tar run over the same buffers. Whatever
//! stops the reading is remembered, so that it is still known after a parser in the middle has
//! swallowed it. Nothing counts before [`LayerStream::finish`] has drained and compared both.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::decode::{self, Decoder, Encoding};
use super::digest::{Algorithm, Digest, Hasher};
use super::hashing::{Apart, Cores, TarHash};
use super::limits::{self, Budget, Name};
use super::partial::Table;
use super::stop::Stop;
use super::tar::Skip;
use super::totals::{Held, Totals};

/// Bytes read from the blob at once.
const INPUT_BUFFER: usize = 128 << 10;

/// Bytes decompressed at once: small enough for the second-level cache, large enough that the
/// inflater's copy of its window per call does not count.
const OUTPUT_BUFFER: usize = 256 << 10;

/// What the manifest and the config promise about a blob.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promise {
    pub(crate) size: Option<u64>,
    pub(crate) digest: Option<Digest>,
    pub(crate) diff_id: Option<Digest>,
    /// Its table of contents, if it has one.
    pub(crate) table: Option<Table>,
}

/// The digests as computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) digest: Arc<str>,
    /// Absent where a limit stopped the decompression.
    pub(crate) diff_id: Option<Arc<str>>,
    /// Bytes of the tar.
    pub(crate) unpacked: u64,
    /// The limit.
    pub(crate) stopped: Option<String>,
}

/// The blob as stored, hashed while it is read.
struct Raw<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    total: u64,
    /// Absent where nothing was promised: an archive around the blobs.
    hasher: Option<Hasher>,
}

impl<R: Read> Raw<R> {
    fn new(inner: R, algorithm: Option<Algorithm>) -> Self {
        Self {
            inner,
            buffer: vec![0; INPUT_BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            total: 0,
            hasher: algorithm.map(Hasher::new),
        }
    }

    /// Reads to the end.
    fn drain(&mut self) -> io::Result<()> {
        loop {
            let count = self.fill_buf()?.len();
            if count == 0 {
                return Ok(());
            }
            self.consume(count);
        }
    }
}

impl<R: Read> BufRead for Raw<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
            let count = super::tar::fill(&mut self.inner, &mut self.buffer)?;
            let fresh = self.buffer.get(..count).unwrap_or_default();
            if let Some(hasher) = &mut self.hasher {
                hasher.update(fresh);
            }
            self.total = self.total.saturating_add(count as u64);
            self.end = count;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}

/// Reads through the buffer.
fn read_buffered(stream: &mut impl BufRead, out: &mut [u8]) -> io::Result<usize> {
    let available = stream.fill_buf()?;
    let count = available.len().min(out.len());
    if let (Some(to), Some(from)) = (out.get_mut(..count), available.get(..count)) {
        to.copy_from_slice(from);
    }
    stream.consume(count);
    Ok(count)
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

fn encoding(raw: &mut Raw<impl Read>) -> Result<Encoding, Stop> {
    let first = raw
        .fill_buf()
        .map_err(|error| Stop::Broken(error.to_string()))?;
    if first.is_empty() {
        return Err(Stop::Broken("the blob has zero bytes".into()));
    }
    let encoding = Encoding::of(first);
    match encoding {
        Encoding::Unread(name) => Err(Stop::Broken(decode::unread(name).to_string())),
        _ => Ok(encoding),
    }
}

/// The verified tar stream of one layer.
pub(crate) struct LayerStream<R: Read> {
    decoder: Decoder<Raw<R>>,
    buffer: Arc<Vec<u8>>,
    start: usize,
    end: usize,
    total: u64,
    hash: TarHash,
    promise: Promise,
    cores: Arc<Cores>,
    /// Absent for an archive around the blobs, which is one stream.
    totals: Option<Arc<Totals>>,
    /// Held as long as the decoder is.
    window: Option<Held>,
    stop: Option<Stop>,
    at_end: bool,
}

fn stopped(stop: &Stop) -> io::Error {
    io::Error::other(stop.cause().to_owned())
}

/// What the streams of a target share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) cores: Arc<Cores>,
    pub(crate) totals: Arc<Totals>,
}

impl<R: Read> LayerStream<R> {
    /// Looks at the first bytes of `blob` and gets ready. As soon as one of the `cores` is free,
    /// the uncompressed stream is hashed on a second thread.
    pub(crate) fn open(blob: R, promise: Promise, shared: &Shared) -> Result<Self, Stop> {
        let algorithm =
            |digest: &Option<Digest>| digest.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let blob_algorithm = algorithm(&promise.digest);
        let tar_algorithm = algorithm(&promise.diff_id);
        let mut raw = Raw::new(blob, Some(blob_algorithm));
        let encoding = encoding(&mut raw)?;
        let hash = if encoding == Encoding::Plain && blob_algorithm == tar_algorithm {
            TarHash::None
        } else {
            TarHash::Here(Hasher::new(tar_algorithm))
        };
        let window = decode::window(raw.fill_buf().unwrap_or_default())
            .map(|bytes| shared.totals.windows.hold(bytes));
        let mut stream = Self::new(raw, encoding, hash, promise, Arc::clone(&shared.cores))?;
        stream.totals = Some(Arc::clone(&shared.totals));
        stream.window = window;
        Ok(stream)
    }

    /// The same without any hashing, for an archive around the blobs.
    pub(crate) fn open_unverified(archive: R) -> Result<Self, Stop> {
        let mut raw = Raw::new(archive, None);
        let encoding = encoding(&mut raw)?;
        let cores = Arc::new(Cores::new(1, 1));
        Self::new(raw, encoding, TarHash::None, Promise::default(), cores)
    }

    fn new(
        raw: Raw<R>,
        encoding: Encoding,
        hash: TarHash,
        promise: Promise,
        cores: Arc<Cores>,
    ) -> Result<Self, Stop> {
        Ok(Self {
            decoder: Decoder::new(encoding, raw)
                .map_err(|error| Stop::Broken(error.to_string()))?,
            buffer: Arc::new(vec![0; OUTPUT_BUFFER]),
            start: 0,
            end: 0,
            total: 0,
            hash,
            promise,
            cores,
            totals: None,
            window: None,
            stop: None,
            at_end: false,
        })
    }

    /// What stopped the reading, if anything.
    pub(crate) const fn stop(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// Stops the reading at a limit of the caller.
    pub(crate) fn stop_at(&mut self, limit: Stop) {
        self.stop.get_or_insert(limit);
    }

    /// A buffer that the hashing thread is done with, or a new one. Ours is given up first: the
    /// one that comes back may be that.
    fn spare_buffer(&mut self) -> Arc<Vec<u8>> {
        self.buffer = Arc::default();
        if let TarHash::Apart(apart) = &self.hash {
            while let Ok(mut buffer) = apart.spare.try_recv() {
                if Arc::get_mut(&mut buffer).is_some() {
                    return buffer;
                }
            }
        }
        Arc::new(vec![0; OUTPUT_BUFFER])
    }

    fn refill(&mut self) -> Result<(), Stop> {
        (self.start, self.end) = (0, 0);
        if Arc::get_mut(&mut self.buffer).is_none() {
            self.buffer = self.spare_buffer();
        }
        let Some(buffer) = Arc::get_mut(&mut self.buffer) else {
            return Err(Stop::Broken("a buffer is in use".into()));
        };
        let mut count = 0;
        while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match self.decoder.read(rest) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Broken(error.to_string())),
            }
        }
        self.end = count;
        self.total = self.total.saturating_add(count as u64);
        if self.cores.is_one_free() && matches!(self.hash, TarHash::Here(_)) {
            self.hash = match std::mem::replace(&mut self.hash, TarHash::None) {
                TarHash::Here(hasher) => Apart::start(hasher),
                other => other,
            };
        }
        match &mut self.hash {
            TarHash::None => {}
            TarHash::Here(hasher) => hasher.update(buffer.get(..count).unwrap_or_default()),
            TarHash::Apart(apart) => {
                if apart.queue.send((Arc::clone(&self.buffer), count)).is_err() {
                    return Err(Stop::Broken("the hashing thread ended".into()));
                }
            }
        }
        let budget = self.totals.as_ref().map(|totals| totals.budget);
        let budget = budget.unwrap_or_default();
        if budget.is_late() {
            return Err(Stop::Late);
        }
        check_limits(self.total, self.decoder.get_ref().total, budget)?;
        match &self.totals {
            Some(totals) => totals.unpack(count as u64),
            None => Ok(()),
        }
    }

    /// Drains what is left and compares digests and size with the promise.
    pub(crate) fn finish(mut self) -> Result<Verified, Stop> {
        while self.stop.is_none() && !self.at_end {
            (self.start, self.end) = (0, 0);
            if let Err(stop) = self.refill() {
                self.stop = Some(stop);
            }
        }
        // There is no time to verify it, so that it counts for nothing.
        if matches!(self.stop, Some(Stop::Late)) {
            return Err(Stop::Late);
        }
        let mut raw = self.decoder.into_inner();
        // Also behind a fault or a limit: that the blob is not the one promised says more.
        let rest = raw.drain();
        let hasher = raw.hasher.take();
        let digest = hasher
            .ok_or_else(|| Stop::Broken("nothing was hashed".into()))?
            .finish();
        if rest.is_ok() {
            check_blob(&self.promise, raw.total, &digest)?;
        }
        let limit = match self.stop.take() {
            Some(Stop::Limit(cause)) => Some(cause),
            Some(stop) => return Err(stop),
            None => None,
        };
        rest.map_err(|error| Stop::Broken(error.to_string()))?;
        let diff_id = match self.hash {
            TarHash::None => digest.clone(),
            TarHash::Here(hasher) => hasher.finish(),
            TarHash::Apart(apart) => {
                drop(apart.queue);
                apart
                    .thread
                    .join()
                    .ok()
                    .flatten()
                    .ok_or_else(|| Stop::Broken("the hashing thread failed".into()))?
            }
        };
        if limit.is_none()
            && let Some(promised) = self.promise.diff_id.filter(|promised| *promised != diff_id)
        {
            return Err(Stop::Broken(format!(
                "diff ID mismatch: the config says {promised}, the uncompressed layer has {diff_id}"
            )));
        }
        Ok(Verified {
            digest: digest.text(),
            diff_id: limit.is_none().then(|| diff_id.text()),
            unpacked: self.total,
            stopped: limit,
        })
    }
}

/// Compares the blob as stored with what the manifest says.
fn check_blob(promise: &Promise, total: u64, digest: &Digest) -> Result<(), Stop> {
    if let Some(size) = promise.size.filter(|size| *size != total) {
        return Err(Stop::Broken(format!(
            "the blob has {total} bytes, the manifest says {size}"
        )));
    }
    match &promise.digest {
        Some(promised) if promised != digest => Err(Stop::Broken(format!(
            "digest mismatch: the manifest says {promised}, the blob has {digest}"
        ))),
        _ => Ok(()),
    }
}

/// Refuses bombs: by length, and by ratio once the length matters.
pub(super) fn check_limits(total: u64, compressed: u64, budget: Budget) -> Result<(), Stop> {
    let most = budget.limit(Name::LayerBytes);
    if total > most {
        return Err(Stop::Limit(format!(
            "the layer unpacks to more than {most} bytes"
        )));
    }
    let ratio = budget.limit(Name::LayerRatio).max(1);
    if total > limits::RATIO_FLOOR && total / ratio > compressed {
        return Err(Stop::Limit(format!(
            "the layer unpacks to more than {ratio} times its size"
        )));
    }
    Ok(())
}

impl<R: Read> BufRead for LayerStream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(stop) = &self.stop {
            return Err(stopped(stop));
        }
        if self.start >= self.end
            && !self.at_end
            && let Err(stop) = self.refill()
        {
            let error = stopped(&stop);
            self.stop = Some(stop);
            return Err(error);
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}

impl<R: Read> Read for LayerStream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

impl<R: Read> Skip for LayerStream<R> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn sha(data: &[u8]) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(data);
        hasher.finish()
    }

    #[test]
    fn both_digests_are_compared_with_and_without_a_thread() {
        let tar: Vec<u8> = (0..3_000_000_u32)
            .map(|n| (n >> 7).to_le_bytes()[0])
            .collect();
        let blob = gzip(&tar);
        let good = Promise {
            size: Some(blob.len() as u64),
            digest: Some(sha(&blob)),
            diff_id: Some(sha(&tar)),
            table: None,
        };
        for count in [1, 2] {
            let shared = Shared {
                cores: Arc::new(Cores::new(count, 1)),
                totals: Arc::new(Totals::new(limits::Budget::default(), blob.len() as u64)),
            };
            let open =
                |promise: &Promise| LayerStream::open(&blob[..], promise.clone(), &shared).unwrap();
            let mut stream = open(&good);
            let mut start = [0; 10];
            stream.read_exact(&mut start).unwrap();
            let verified = stream.finish().unwrap();
            assert_eq!(verified.diff_id.as_deref(), Some(sha(&tar).as_str()));
            for bad in [
                Promise {
                    size: Some(1),
                    ..good.clone()
                },
                Promise {
                    digest: Some(sha(b"x")),
                    ..good.clone()
                },
                Promise {
                    diff_id: Some(sha(b"x")),
                    ..good.clone()
                },
            ] {
                assert!(matches!(open(&bad).finish(), Err(Stop::Broken(_))));
            }
        }
    }

    #[test]
    fn bombs_stop_at_a_limit() {
        let check_limits =
            |total, compressed| super::check_limits(total, compressed, Budget::default());
        assert!(check_limits(limits::RATIO_FLOOR, 1).is_ok());
        assert!(check_limits(limits::RATIO_FLOOR * 2, limits::RATIO_FLOOR / 50).is_ok());
        let ratio = check_limits(limits::RATIO_FLOOR * 2, limits::RATIO_FLOOR / 200);
        assert!(matches!(ratio, Err(Stop::Limit(_))));
        let bytes = check_limits(limits::LAYER_BYTES + 1, limits::LAYER_BYTES);
        assert!(matches!(bytes, Err(Stop::Limit(_))));
        let low = limits::Limits::default().with(Name::LayerRatio, 3);
        let low = Budget::default().limited(low);
        let floor = limits::RATIO_FLOOR;
        assert!(super::check_limits(floor * 2, floor / 2, low).is_err());
    }
}
