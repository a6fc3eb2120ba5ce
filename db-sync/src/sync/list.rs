//! The bucket's lists: `ecosystems.txt` and `modified_id.csv`. Every line is
//! checked before anything is named after it; bad ones are warnings.

use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::osv::is_directory_name;
use std::collections::{BTreeMap, BTreeSet};

/// Longest id; as the record reader has it.
const MAX_ID: usize = 128;
/// Bad lines that are told one by one.
const TOLD: usize = 20;

/// The records that a list names.
#[derive(Debug, Default)]
pub(super) struct Listed<'a> {
    /// The newest time of each id.
    pub(super) ids: BTreeMap<&'a str, Moment>,
    pub(super) newest: Option<Moment>,
    /// Lines that could not be used: what they named may still exist.
    pub(super) bad: usize,
}

/// Reads `modified_id.csv` of one directory.
pub(super) fn modified<'a>(
    source: &str,
    bytes: &'a [u8],
    warnings: &mut Vec<Warning>,
) -> Listed<'a> {
    let mut listed = Listed::default();
    let mut all: Vec<(&str, Moment)> = Vec::new();
    let mut last: Option<Moment> = None;
    let mut unordered = false;
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    for line in body.split(|byte| *byte == b'\n') {
        if bytes.is_empty() {
            break;
        }
        match one(line) {
            Ok((time, id)) => {
                // Sorted as text, times within one second may be swapped.
                unordered |= last.is_some_and(|last| time.seconds() > last.seconds());
                last = Some(time);
                listed.newest = listed.newest.max(Some(time));
                all.push((id, time));
            }
            Err(cause) => {
                listed.bad = listed.bad.saturating_add(1);
                if listed.bad <= TOLD {
                    let text = String::from_utf8_lossy(line);
                    let cause = format!("line skipped: {cause}");
                    warnings.push(Warning::new(
                        &format!("{source}/modified_id.csv"),
                        &text,
                        cause,
                    ));
                }
            }
        }
    }
    // Ascending, so that the newest time of a repeated id stays.
    all.sort_unstable();
    listed.ids = all.into_iter().collect();
    let name = format!("{source}/modified_id.csv");
    if let Some(more) = listed.bad.checked_sub(TOLD).filter(|more| *more > 0) {
        warnings.push(Warning::new(
            &name,
            "",
            format!("{more} more lines skipped"),
        ));
    }
    if unordered {
        let cause = "lines are not sorted by time: all of them were compared";
        warnings.push(Warning::new(&name, "", cause));
    }
    listed
}

fn one(line: &[u8]) -> Result<(Moment, &str), &'static str> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8")?;
    if line.is_empty() {
        return Err("empty");
    }
    let (time, id) = line.split_once(',').ok_or("one column")?;
    let (time, id) = (unquoted(time), unquoted(id));
    if id.contains(',') {
        return Err("more than two columns");
    }
    let time = Moment::parse(time).ok_or("no time")?;
    if !is_id(id) {
        return Err("no id that can be a file name");
    }
    Ok((time, id))
}

fn unquoted(field: &str) -> &str {
    field
        .strip_prefix('"')
        .and_then(|field| field.strip_suffix('"'))
        .unwrap_or(field)
}

/// Whether `<id>.json` is one file name that stays in its folder.
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MAX_ID
        && !id.starts_with('.')
        && !id
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '/' | '\\' | '"' | ','))
}

/// Reads `ecosystems.txt`.
pub(super) fn ecosystems(bytes: &[u8], warnings: &mut Vec<Warning>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = body.split(|byte| *byte == b'\n');
    for line in lines.filter(|_| !bytes.is_empty()) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        let cause = match std::str::from_utf8(line) {
            Err(_) => "line is not UTF-8",
            Ok(name) if !is_directory_name(name) => "line is not a directory name",
            Ok(name) if name.contains(':') => "line has a release suffix: directories have none",
            Ok(name) if !names.insert(name.to_owned()) => "listed twice",
            Ok(_) => continue,
        };
        warnings.push(Warning::new("ecosystems.txt", &text, cause));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{ecosystems, modified};

    #[test]
    fn bad_lines_are_skipped_and_counted() {
        let text = b"2026-01-03T00:00:00Z,A-1\n\nnot-a-date,A-2\n2026-01-05T00:00:00Z,../../etc/passwd\n\
            2026-01-04T00:00:00Z,A-3,x\n\"2026-01-01T00:00:00Z\",\"A-4\"\r\n2026-01-06T00:00:00Z,A-5\n\
            2026-01-01T00:00:00.5Z,A-5\n2026-01-01T00:00:00Z,LAST";
        let mut warnings = Vec::new();
        let listed = modified("x", text, &mut warnings);
        let ids: Vec<&str> = listed.ids.keys().copied().collect();
        assert_eq!(ids, ["A-1", "A-4", "A-5", "LAST"]);
        assert_eq!((listed.bad, warnings.len()), (4, 5));
        let newest = listed.newest.map(|time| time.to_string());
        assert_eq!(newest.as_deref(), Some("2026-01-06T00:00:00Z"));
        assert_eq!(listed.ids.get("A-5").copied(), listed.newest);
        assert!(modified("x", b"", &mut warnings).ids.is_empty());
    }

    #[test]
    fn ecosystem_lines_are_checked() {
        let mut warnings = Vec::new();
        let names = ecosystems(
            b"crates.io\n\n../evil\nDebian\nDebian:12\ncrates.io\n[EMPTY]\nGIT\n\xff\xfe\nlast",
            &mut warnings,
        );
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["Debian", "GIT", "[EMPTY]", "crates.io", "last"]);
        assert_eq!(warnings.len(), 5);
    }
}
