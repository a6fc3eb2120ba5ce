//! CISA's catalogue of known exploited vulnerabilities, JSON
//! (<https://www.cisa.gov/known-exploited-vulnerabilities-catalog>). Each entry
//! is read on its own; fields that we do not know are passed over, and an
//! entry whose CVE can be read stays, whatever is wrong with its dates.

use super::{Complaints, Parsed, Refusal};
use crate::feed::{Cve, Day, Kev};
use crate::store::feed::put_kev;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue<'a> {
    #[serde(borrow)]
    catalog_version: Option<&'a RawValue>,
    #[serde(borrow)]
    date_released: Option<&'a RawValue>,
    #[serde(borrow)]
    count: Option<&'a RawValue>,
    #[serde(borrow)]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, rename = "cveID")]
    cve_id: Option<&'a RawValue>,
    #[serde(borrow)]
    date_added: Option<&'a RawValue>,
    #[serde(borrow)]
    due_date: Option<&'a RawValue>,
    #[serde(borrow)]
    known_ransomware_campaign_use: Option<&'a RawValue>,
}

/// The text in a field, if it is one.
fn text(field: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(field?.get()).ok()
}

/// Reads the text of a file.
pub(super) fn parse(
    bytes: &[u8],
    max_rows: u64,
    complaints: &mut Complaints,
) -> Result<Parsed, Refusal> {
    let catalogue: Catalogue<'_> = serde_json::from_slice(bytes).map_err(Refusal::because)?;
    if catalogue.vulnerabilities.len() as u64 > max_rows {
        return Err(Refusal::Rows);
    }
    let version = text(catalogue.catalog_version).unwrap_or_default();
    let released = text(catalogue.date_released);
    // The version is the day, too: `2026.11.20`.
    let date = released
        .as_deref()
        .and_then(Day::parse)
        .or_else(|| Day::parse(version.get(..10)?.replace('.', "-").as_str()))
        .ok_or_else(|| Refusal::because("no dateReleased: its age is not known"))?;
    let mut entries: Vec<Kev> = Vec::new();
    for (raw, number) in catalogue.vulnerabilities.iter().zip(1_u64..) {
        match entry(raw, number, complaints) {
            Ok(entry) => entries.push(entry),
            Err(cause) => {
                complaints.about(
                    &format!("entry {number}"),
                    format!("entry skipped: {cause}"),
                );
            }
        }
    }
    let claimed: Option<u64> = catalogue
        .count
        .and_then(|count| serde_json::from_str(count.get()).ok());
    let found = catalogue.vulnerabilities.len() as u64;
    if let Some(claimed) = claimed.filter(|claimed| *claimed != found) {
        complaints.about("", format!("it claims {claimed} entries and has {found}"));
    }
    unite(&mut entries, complaints);
    let mut rows = Vec::new();
    for entry in &entries {
        put_kev(&mut rows, entry);
    }
    Ok(Parsed {
        date: date.to_string(),
        version,
        entries: entries.len() as u64,
        rows,
    })
}

fn entry(raw: &RawValue, number: u64, complaints: &mut Complaints) -> Result<Kev, String> {
    // A list would be read field by field, too.
    if !raw.get().starts_with('{') {
        return Err("it is not an object".to_owned());
    }
    let entry: Entry<'_> = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    let id = text(entry.cve_id).ok_or("it has no cveID")?;
    let cve = Cve::parse(id.trim()).ok_or_else(|| format!("{id:?} is not a CVE id"))?;
    let mut day = |field: Option<&RawValue>, name: &str, needed: bool| {
        let day = text(field).and_then(|text| Day::parse(text.trim()));
        if day.is_none() && (needed || field.is_some()) {
            let shown = field.map_or("", RawValue::get);
            let cause = format!("{name} {shown} is not a date: the entry counts without it");
            complaints.about(&format!("entry {number} ({cve})"), cause);
        }
        day
    };
    Ok(Kev {
        cve,
        date_added: day(entry.date_added, "dateAdded", true),
        due_date: day(entry.due_date, "dueDate", false),
        ransomware: text(entry.known_ransomware_campaign_use)
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("known")),
    })
}

/// Sorts; of several entries of one CVE the first date counts, and any that
/// knows of ransomware.
fn unite(entries: &mut Vec<Kev>, complaints: &mut Complaints) {
    entries.sort_by_key(|entry| {
        (
            entry.cve,
            entry.date_added,
            entry.due_date,
            entry.ransomware,
        )
    });
    let mut claimed = None;
    entries.dedup_by(|later, first| {
        let same = later.cve == first.cve;
        if same && later != first && claimed != Some(first.cve) {
            claimed = Some(first.cve);
            let cause = "listed in several entries: the first date counts";
            complaints.about(&first.cve.to_string(), cause);
        }
        if same {
            first.ransomware |= later.ransomware;
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedKind;

    fn read(text: &str) -> (Result<Parsed, Refusal>, Vec<String>) {
        let mut complaints = Complaints::new(FeedKind::Kev);
        let parsed = parse(text.as_bytes(), 1000, &mut complaints);
        let warnings = complaints.into_warnings();
        (parsed, warnings.iter().map(ToString::to_string).collect())
    }

    fn catalogue(entries: &str) -> String {
        format!(
            r#"{{"title":"KEV","catalogVersion":"2026.11.20","dateReleased":"2026-11-19T15:00:02.2918Z","future":{{"deep":[1]}},"vulnerabilities":[{entries}]}}"#
        )
    }

    #[test]
    fn a_good_catalogue() {
        let (parsed, warnings) = read(&catalogue(
            r#"{"cveID":"CVE-2021-44228","vendorProject":"Apache","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known","cwes":["CWE-20"]},
               {"cveID":"CVE-2019-1000","dateAdded":"2022-01-01","knownRansomwareCampaignUse":"Unknown"}"#,
        ));
        let parsed = parsed.expect("feed");
        assert_eq!(
            (parsed.date.as_str(), parsed.version.as_str()),
            ("2026-11-19", "2026.11.20")
        );
        assert_eq!((parsed.entries, parsed.rows.len()), (2, 30));
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn bad_entries_are_told_and_lose_only_themselves() {
        let (parsed, warnings) = read(&catalogue(
            r#"{"cveID":"CVE-2021-44228","dateAdded":"soon","dueDate":7}, 5, null, [], {"cveID":"CVE-1"}, {"cveID":1},
               {"cveID":"CVE-2020-1000","dateAdded":"2022-01-01"}, {"cveID":"CVE-2020-1000","dateAdded":"2021-01-01","knownRansomwareCampaignUse":"Known"},
               {"cveID":"CVE-2020-1001","cveID":"CVE-2020-1002"}"#,
        ));
        assert_eq!(parsed.expect("feed").entries, 2);
        assert_eq!(warnings.len(), 9, "{warnings:?}");
        assert_eq!(
            warnings[0],
            "KEV: entry 1 (CVE-2021-44228): dateAdded \"soon\" is not a date: the entry counts without it"
        );
        assert_eq!(
            warnings[2],
            "KEV: entry 2: entry skipped: it is not an object"
        );
        assert_eq!(
            warnings[8],
            "KEV: CVE-2020-1000: listed in several entries: the first date counts"
        );
    }

    #[test]
    fn the_version_dates_a_catalogue_that_does_not_say_when() {
        let (parsed, warnings) =
            read(r#"{"catalogVersion":"2026.11.20","count":3,"vulnerabilities":[]}"#);
        assert_eq!(parsed.expect("feed").date, "2026-11-20");
        assert_eq!(warnings, ["KEV: it claims 3 entries and has 0"]);
    }

    #[test]
    fn what_is_no_catalogue_is_refused() {
        let deep = format!("{{\"vulnerabilities\":{}", "[".repeat(100_000));
        for text in [
            r#"{"vulnerabilities":[]}"#,
            r#"{"catalogVersion":"2026.11.20"}"#,
            r#"{"vulnerabilities":{}}"#,
            "[1,2]",
            &deep,
        ] {
            assert!(matches!(read(text).0, Err(Refusal::Unusable(_))));
        }
        // Nesting in a field that nobody reads costs nothing.
        let deep = catalogue(&format!(
            r#"{{"cveID":"CVE-2020-1000","dateAdded":"2021-01-01","x":{}{}}}"#,
            "[".repeat(50_000),
            "]".repeat(50_000)
        ));
        assert_eq!(read(&deep).0.expect("feed").entries, 1);
        let two = catalogue(r#"{"cveID":"CVE-2020-1000"},{"cveID":"CVE-2020-1001"}"#);
        let refused = parse(two.as_bytes(), 1, &mut Complaints::new(FeedKind::Kev));
        assert_eq!(refused.expect_err("too many"), Refusal::Rows);
    }
}
