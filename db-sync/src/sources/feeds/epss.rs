//! FIRST's daily EPSS file: a comment line with model version and date, a
//! header, one line per CVE (<https://www.first.org/epss/data_stats>). Columns
//! are found by their names.

use super::{Complaints, Parsed, Refusal};
use crate::feed::{Cve, Day, Share};
use crate::store::feed::put_epss;
use std::cmp::Reverse;

/// Longest line that is read.
const MAX_LINE: usize = 4096;
/// Columns of a line that are looked at.
const MAX_COLUMNS: usize = 64;

/// Where the columns are that we read.
struct Columns {
    cve: usize,
    score: usize,
    percentile: usize,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<&str> = cells(header).collect();
        let find = |wanted: &str| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(wanted))
        };
        Some(Self {
            cve: find("cve")?,
            score: find("epss")?,
            percentile: find("percentile")?,
        })
    }

    fn read(&self, line: &str) -> Result<Row, String> {
        let (mut cve, mut score, mut percentile) = (None, None, None);
        for (number, cell) in cells(line).enumerate() {
            if number == self.cve {
                cve = Some(cell);
            } else if number == self.score {
                score = Some(cell);
            } else if number == self.percentile {
                percentile = Some(cell);
            }
        }
        let wrong = |what: &str, cell: Option<&str>| match cell {
            Some(cell) => format!("row skipped: {cell:?} is not a {what}"),
            None => format!("row skipped: it has no {what}"),
        };
        let (score_read, exact_score) = score
            .and_then(Share::read)
            .ok_or_else(|| wrong("score from 0 to 1", score))?;
        let (percentile, exact) = percentile
            .and_then(Share::read)
            .ok_or_else(|| wrong("percentile from 0 to 1", percentile))?;
        Ok(Row {
            cve: cve
                .and_then(Cve::parse)
                .ok_or_else(|| wrong("CVE id", cve))?,
            score: score_read,
            percentile,
            exact: exact_score && exact,
        })
    }
}

struct Row {
    cve: Cve,
    score: Share,
    percentile: Share,
    exact: bool,
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',')
        .take(MAX_COLUMNS)
        .map(|cell| cell.trim().trim_matches('"'))
}

/// Reads the text of a file.
pub(super) fn parse(
    text: &[u8],
    max_rows: u64,
    complaints: &mut Complaints,
) -> Result<Parsed, Refusal> {
    let (mut version, mut date, mut columns) = (String::new(), None, None);
    let mut parsed: Vec<Row> = Vec::new();
    let mut rounded = 0_u64;
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1_u64..) {
        let place = || format!("line {number}");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let line = match std::str::from_utf8(line) {
            Ok(line) if line.len() <= MAX_LINE => line.trim(),
            _ if columns.is_none() => break,
            Ok(_) => {
                complaints.about(
                    &place(),
                    format!("row skipped: it is longer than {MAX_LINE} bytes"),
                );
                continue;
            }
            Err(error) => {
                complaints.about(&place(), format!("row skipped: {error}"));
                continue;
            }
        };
        if let Some(comment) = line.trim_start_matches('"').strip_prefix('#') {
            for (key, value) in cells(comment).filter_map(|cell| cell.split_once(':')) {
                match key.trim() {
                    "model_version" => value.trim().clone_into(&mut version),
                    "score_date" => date = Day::parse(value.trim()),
                    _ => {}
                }
            }
            continue;
        }
        let Some(columns) = &columns else {
            columns = Columns::of(line);
            if columns.is_none() {
                break;
            }
            continue;
        };
        match columns.read(line) {
            Ok(row) => {
                if parsed.len() as u64 >= max_rows {
                    return Err(Refusal::Rows);
                }
                rounded = rounded.saturating_add(u64::from(!row.exact));
                parsed.push(row);
            }
            Err(cause) => complaints.about(&place(), cause),
        }
    }
    if columns.is_none() {
        return Err(Refusal::because(
            "the header cve,epss,percentile is missing",
        ));
    }
    let Some(date) = date else {
        let cause = "no comment line has the score_date: its age is not known";
        return Err(Refusal::because(cause));
    };
    if !text.ends_with(b"\n") {
        complaints.about("", "the last line does not end: the file may be cut off");
    }
    if rounded > 0 {
        let cause = format!("{rounded} rows have more than five decimals: rounded up");
        complaints.about("", cause);
    }
    unite(&mut parsed, complaints);
    let mut rows = Vec::new();
    for row in &parsed {
        put_epss(&mut rows, row.cve, row.score, row.percentile);
    }
    Ok(Parsed {
        date: date.to_string(),
        version,
        entries: parsed.len() as u64,
        rows,
    })
}

/// Sorts; of several rows of one CVE the highest score stays.
fn unite(rows: &mut Vec<Row>, complaints: &mut Complaints) {
    rows.sort_by_key(|row| (row.cve, Reverse((row.score, row.percentile))));
    let mut told = None;
    rows.dedup_by(|later, first| {
        let same = later.cve == first.cve;
        let differs = (later.score, later.percentile) != (first.score, first.percentile);
        if same && differs && told != Some(first.cve) {
            told = Some(first.cve);
            let cause = "scored differently in several rows: the highest counts";
            complaints.about(&first.cve.to_string(), cause);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedKind;

    const HEAD: &str =
        "#model_version:v2025.03.14,score_date:2026-11-20T12:55:00+0000\ncve,epss,percentile\n";

    fn read(text: &str) -> (Result<Parsed, Refusal>, Vec<String>) {
        let mut complaints = Complaints::new(FeedKind::Epss);
        let parsed = parse(text.as_bytes(), 1000, &mut complaints);
        let warnings = complaints.into_warnings();
        (parsed, warnings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_good_file() {
        let (parsed, warnings) = read(&format!(
            "{HEAD}CVE-2024-2000,0.94358,0.99\nCVE-2019-1000,0.00042,0.1\n"
        ));
        let parsed = parsed.expect("feed");
        assert_eq!(
            (parsed.date.as_str(), parsed.version.as_str()),
            ("2026-11-20", "v2025.03.14")
        );
        assert_eq!((parsed.entries, parsed.rows.len()), (2, 22));
        assert_eq!(parsed.rows.first_chunk(), Some(&2019_u16.to_le_bytes()));
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn other_spellings_of_a_good_file() {
        let text = "# score_date: 2026-11-20 , model_version: x\r\n\r\n\"percentile\",other,EPSS,\"CVE\"\r\n0.9,?,\"0.5\",\"CVE-2024-2000\"\r\n";
        let (parsed, warnings) = read(text);
        assert_eq!(parsed.expect("feed").entries, 1);
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn bad_rows_are_told_by_line_and_lose_only_themselves() {
        let (parsed, warnings) = read(&format!(
            "{HEAD}CVE-2024-2000,0.5,0.9\nCVE-2024-2001,1.5,0.9\nCVE-2024-2002,0.5\nGHSA-x,0.5,0.9\n{}\nCVE-2024-2004,0.123456,0.9\nCVE-2024-2000,0.6,0.9\nCVE-2024-2005,0.7,0.9",
            "x".repeat(MAX_LINE + 1)
        ));
        assert_eq!(parsed.expect("feed").entries, 3);
        assert_eq!(
            warnings,
            [
                "EPSS: line 4: row skipped: \"1.5\" is not a score from 0 to 1",
                "EPSS: line 5: row skipped: it has no percentile from 0 to 1",
                "EPSS: line 6: row skipped: \"GHSA-x\" is not a CVE id",
                "EPSS: line 7: row skipped: it is longer than 4096 bytes",
                "EPSS: the last line does not end: the file may be cut off",
                "EPSS: 1 rows have more than five decimals: rounded up",
                "EPSS: CVE-2024-2000: scored differently in several rows: the highest counts",
            ]
        );
    }

    #[test]
    fn floods_of_bad_rows_are_counted() {
        let (parsed, warnings) = read(&format!("{HEAD}{}", "x\n".repeat(500)));
        assert_eq!(parsed.expect("read").entries, 0);
        assert_eq!(warnings.len(), 101);
        assert_eq!(
            warnings[100],
            "EPSS: 400 more warnings of this feed are not listed"
        );
    }

    #[test]
    fn without_header_or_date_it_is_no_feed() {
        for text in [
            "",
            "CVE-2024-2000,0.5,0.9\n",
            "cve,epss,percentile\nCVE-2024-2000,0.5,0.9\n",
            "#score_date:soon\ncve,epss,percentile\n",
        ] {
            assert!(matches!(read(text).0, Err(Refusal::Unusable(_))), "{text}");
        }
        assert!(parse(b"\xff\xfe", 9, &mut Complaints::new(FeedKind::Epss)).is_err());
        let two = format!("{HEAD}CVE-2024-2000,0.5,0.9\nCVE-2024-2001,0.5,0.9\n");
        let refused = parse(two.as_bytes(), 1, &mut Complaints::new(FeedKind::Epss));
        assert_eq!(refused.expect_err("too many"), Refusal::Rows);
    }
}
