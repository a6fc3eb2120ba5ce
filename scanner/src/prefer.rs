//! Which of a vulnerability's ids is shown. By default the database's choice: the ecosystem's own
//! record, then GHSA, then CVE; the user may prefer others. Changes names only: fingerprints, and
//! what suppressions fit, are made from the database's choice and from all ids.

use std::str::FromStr;
use std::sync::Arc;

/// Prefixes of ids, the most wanted first; empty: the database's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preference(Vec<Prefix>);

/// The first part of an id: `CVE` of `CVE-2024-1`, `DEBIAN-CVE` of `DEBIAN-CVE-2024-1`. In any
/// case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('-');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || !text.chars().all(is_plain) {
            return Err("expected the beginning of an advisory id, such as CVE".to_owned());
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

impl Prefix {
    fn fits(&self, id: &str) -> bool {
        id.split_at_checked(self.0.len())
            .is_some_and(|(start, rest)| {
                rest.starts_with('-') && start.eq_ignore_ascii_case(&self.0)
            })
    }
}

/// The ids of one vulnerability as they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The one to name.
    pub id: Arc<str>,
    /// All others, sorted.
    pub aliases: Vec<String>,
}

impl Preference {
    /// A preference for ids with these prefixes, in this order.
    pub fn new(prefixes: &[Prefix]) -> Self {
        Self(prefixes.to_vec())
    }

    /// Chooses among the ids of a vulnerability: `record`, which the database would show, `merged`,
    /// the records that matched, and `aliases`, all but `record`. Of several ids with one prefix
    /// `record` comes first, then what matched, then the first by text.
    pub fn show(&self, record: &str, merged: &[&str], mut aliases: Vec<String>) -> Shown {
        let wanted = self.0.iter().find_map(|prefix| {
            let all = std::iter::once(record)
                .chain(merged.iter().copied())
                .chain(aliases.iter().map(String::as_str));
            all.into_iter()
                .find(|id| prefix.fits(id))
                .map(str::to_owned)
        });
        let Some(id) = wanted.filter(|id| id != record) else {
            return Shown {
                id: record.into(),
                aliases,
            };
        };
        aliases.retain(|alias| *alias != id);
        aliases.push(record.to_owned());
        aliases.sort_unstable();
        Shown {
            id: id.into(),
            aliases,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(prefixes: &[&str], record: &str, merged: &[&str], aliases: &[&str]) -> Shown {
        let prefixes: Vec<Prefix> = prefixes
            .iter()
            .map(|prefix| prefix.parse().unwrap())
            .collect();
        let aliases = aliases.iter().map(|id| (*id).to_owned()).collect();
        Preference::new(&prefixes).show(record, merged, aliases)
    }

    #[test]
    fn the_first_prefix_that_any_id_has_decides() {
        let all = ["CVE-2020-1", "CVE-2020-2", "GHSA-a"];
        let shown = show(&["cve", "GHSA"], "RUSTSEC-1", &["RUSTSEC-1"], &all);
        assert_eq!(&*shown.id, "CVE-2020-1");
        assert_eq!(shown.aliases, ["CVE-2020-2", "GHSA-a", "RUSTSEC-1"]);
        let shown = show(&["OSV", "GHSA-"], "RUSTSEC-1", &["RUSTSEC-1"], &all);
        assert_eq!(&*shown.id, "GHSA-a");
        let shown = show(&["CVE"], "RUSTSEC-1", &["CVE-2020-2", "RUSTSEC-1"], &all);
        assert_eq!(&*shown.id, "CVE-2020-2", "what matched comes first");
    }

    #[test]
    fn without_a_fitting_id_nothing_changes() {
        for prefixes in [&[][..], &["PYSEC"], &["CV"], &["RUSTSEC"]] {
            let shown = show(prefixes, "RUSTSEC-1", &["RUSTSEC-1"], &["CVE-1"]);
            assert_eq!(
                (&*shown.id, shown.aliases),
                ("RUSTSEC-1", vec!["CVE-1".to_owned()])
            );
        }
        assert!("".parse::<Prefix>().is_err() && "C,V".parse::<Prefix>().is_err());
    }
}
