//! Fits a run under what code scanning ingests. The least severe results go first; how many
//! went is said in the run itself. The compressed size is not guessed but measured, by
//! compressing into a sink that only counts.

use std::cmp::Reverse;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::row::Row;

/// What the consumer takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Results of a run; as many rules are taken, so this bounds both.
    pub(crate) results: usize,
    /// Bytes of the file after gzip.
    pub(crate) gzip: u64,
    /// Gaps listed one by one. No limit of the consumer, but a hostile image could hold millions.
    pub(crate) gaps: usize,
}

/// GitHub code scanning: 25,000 results, 10 MB of gzip. The margin is for another compressor.
pub(crate) const CODE_SCANNING: Limits = Limits {
    results: 25_000,
    gzip: 9_500_000,
    gaps: 1_000,
};

/// Of all rows those that fit, in their order. `write` writes the document with these rows.
pub(crate) fn fit<'a>(
    rows: &'a [Row<'a>],
    limits: Limits,
    mut write: impl FnMut(&[&'a Row<'a>], &mut dyn Write) -> io::Result<()>,
) -> io::Result<Vec<&'a Row<'a>>> {
    let mut ranked: Vec<usize> = (0..rows.len()).collect();
    ranked.sort_by_key(|index| {
        rows.get(*index).map(|row| {
            let finding = row.finding;
            // The bits of positive floats sort like the floats.
            let score = finding
                .score
                .filter(|score| *score > 0.0)
                .map_or(0, f64::to_bits);
            (
                finding.suppressed.is_some(),
                Reverse((finding.severity, score)),
            )
        })
    });
    let mut keep = rows.len().min(limits.results);
    loop {
        let mut chosen: Vec<usize> = ranked.iter().copied().take(keep).collect();
        chosen.sort_unstable();
        let kept: Vec<&Row<'a>> = chosen.iter().filter_map(|index| rows.get(*index)).collect();
        let size = compressed_size(limits.gzip, |out| write(&kept, out))?;
        if size <= limits.gzip || keep == 0 {
            return Ok(kept);
        }
        keep = fewer(keep, limits.gzip, size);
    }
}

/// The next number to try: what would fit if all results were alike, less a sixteenth; always
/// fewer than before.
fn fewer(keep: usize, limit: u64, size: u64) -> usize {
    let scaled = (keep as u128)
        .saturating_mul(u128::from(limit))
        .saturating_mul(15)
        / u128::from(size.max(1)).saturating_mul(16);
    usize::try_from(scaled)
        .unwrap_or(0)
        .min(keep.saturating_sub(1))
}

/// The size of a document after gzip; the plain size where that is within the limit already.
fn compressed_size(
    limit: u64,
    mut write: impl FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<u64> {
    let mut plain = Counter::default();
    write(&mut plain)?;
    if plain.0 <= limit {
        return Ok(plain.0);
    }
    let mut encoder = GzEncoder::new(Counter::default(), Compression::default());
    write(&mut encoder)?;
    Ok(encoder.finish()?.0)
}

/// Counts bytes and keeps none.
#[derive(Default)]
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
