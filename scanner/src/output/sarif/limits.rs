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

/// The size of a document after gzip. The fastest level comes first, as it compresses worst: a
/// document that fits with it fits with any.
fn compressed_size(
    limit: u64,
    mut write: impl FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<u64> {
    let mut size = 0;
    for level in [Compression::fast(), Compression::default()] {
        let mut encoder = GzEncoder::new(Counter::default(), level);
        write(&mut encoder)?;
        size = encoder.finish()?.0;
        if size <= limit {
            break;
        }
    }
    Ok(size)
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::finding::{Finding, FindingKind, Misconfiguration, Severity};
    use crate::model::location::Location;
    use crate::model::report::Report;
    use crate::model::suppression::{Origin, Status, Suppression};
    use crate::output::sarif::row;

    /// Six findings on lines 1 to 6, of which one is suppressed.
    fn report() -> Report {
        let finding = |(line, severity): (u32, Severity)| {
            let kind = FindingKind::Misconfiguration(Misconfiguration {
                resource: "a.b".into(),
                fix: None,
                content: "".into(),
                calls: Vec::new(),
            });
            let place = Location::line("main.tf", line);
            let by = Suppression::new(Origin::Vex, "vex.json", Status::NotAffected);
            Finding {
                severity,
                score: (line == 4).then_some(8.5),
                fingerprint: format!("v2:{line}"),
                suppressed: (line == 1).then_some(by),
                ..Finding::new("r", place, kind)
            }
        };
        let severities = [
            (1, Severity::Critical),
            (2, Severity::Unknown),
            (3, Severity::High),
            (4, Severity::High),
            (5, Severity::Critical),
            (6, Severity::Low),
        ];
        Report {
            findings: severities.map(finding).into(),
            ..Report::default()
        }
    }

    fn lines(kept: &[&Row<'_>]) -> Vec<u32> {
        kept.iter().map(|row| row.region.start_line).collect()
    }

    #[test]
    fn the_worst_stay_in_their_order() {
        let report = report();
        let rows = row::rows(&report);
        let within = |results, gzip| {
            let limits = Limits {
                results,
                gzip,
                gaps: 0,
            };
            let kept = fit(&rows, limits, |kept, out| {
                out.write_all(&vec![b'x'; kept.len()])
            });
            lines(&kept.unwrap())
        };
        assert_eq!(within(9, 100), [1, 2, 3, 4, 5, 6]);
        assert_eq!(within(5, 100), [2, 3, 4, 5, 6]);
        assert_eq!(within(2, 100), [4, 5]);
        assert_eq!(within(0, 100), [0u32; 0]);
    }

    #[test]
    fn the_size_is_measured_until_it_fits() {
        let report = report();
        let rows = row::rows(&report);
        let tries = Cell::new(0);
        let limits = Limits {
            results: 9,
            gzip: 80,
            gaps: 0,
        };
        let kept = fit(&rows, limits, |kept, out| {
            tries.set(tries.get() + 1);
            // Bytes that do not compress: 24 for each result.
            let mut state = 1u32;
            for _ in 0..kept.len() * 24 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                out.write_all(&[state.to_be_bytes()[0]])?;
            }
            Ok(())
        });
        assert_eq!(lines(&kept.unwrap()), [4, 5]);
        assert!(tries.get() > 2);
    }

    #[test]
    fn nothing_fits_a_limit_that_the_frame_exceeds() {
        let report = report();
        let rows = row::rows(&report);
        let limits = Limits {
            results: 9,
            gzip: 3,
            gaps: 0,
        };
        let kept = fit(&rows, limits, |_, out| out.write_all(b"too large")).unwrap();
        assert!(kept.is_empty());
        assert_eq!(fewer(1_000, 10, 20), 468);
        assert_eq!(fewer(1, 10, 11), 0);
    }
}
