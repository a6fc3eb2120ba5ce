//! The ids of each vulnerability that has more than one.

use super::table::Table;
use crate::compile::BuildError;
use crate::compile::collect::{ALL, Stored};
use crate::compile::interner::Interner;
use crate::compile::vulnerability::Vulnerabilities;
use crate::problem::Warning;
use crate::store::codec::{put, put_text};
use std::collections::{BTreeMap, BTreeSet};

/// Ids that are listed for one vulnerability; a hostile set of aliases must not make
/// every match carry all ids of the database.
const MAX_ALIASES: usize = 1000;

/// Groups of more than one id, and the group of each vulnerability.
pub(super) struct Groups {
    pub(super) table: Table,
    /// Group number plus one, by root.
    by_root: BTreeMap<u32, u32>,
    /// Numbers plus one of groups with several records.
    shared: BTreeSet<u32>,
}

impl Groups {
    /// What a record's head says of its vulnerability's group: its number plus one, and
    /// in the lowest bit whether it has other records; 0 for an id alone.
    pub(super) fn of(&self, root: u32) -> u64 {
        let number = self.by_root.get(&root).copied().unwrap_or(0);
        u64::from(number) << 1 | u64::from(self.shared.contains(&number))
    }
}

pub(super) fn groups(
    records: &[&Stored],
    vulnerabilities: &mut Vulnerabilities,
    ids: &Interner,
    warnings: &mut Vec<Warning>,
) -> Result<Groups, BuildError> {
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for id in 0..u32::try_from(ids.len()).unwrap_or(u32::MAX) {
        let root = vulnerabilities.root(id);
        if root != id {
            members.entry(root).or_default().push(id);
        }
    }
    let numbers: BTreeMap<u32, u32> = records
        .iter()
        .zip(0..)
        .map(|(record, number)| (record.id, number))
        .collect();
    let mut sorted: Vec<(u32, Vec<u32>)> = members
        .into_iter()
        .map(|(root, mut group)| {
            group.push(root);
            group.sort_unstable_by(|left, right| ids.text(*left).cmp(ids.text(*right)));
            (root, group)
        })
        .collect();
    let first = |group: &[u32]| group.first().map_or("", |id| ids.text(*id)).to_owned();
    sorted.sort_by_cached_key(|(_, group)| first(group));
    let mut groups = Groups {
        table: Table::default(),
        by_root: BTreeMap::new(),
        shared: BTreeSet::new(),
    };
    for ((root, group), number) in sorted.into_iter().zip(1_u32..) {
        groups.table.mark()?;
        if group.len() > MAX_ALIASES {
            let cause = format!(
                "{} ids are linked as one vulnerability: {MAX_ALIASES} are listed",
                group.len()
            );
            warnings.push(Warning::new(ALL, &first(&group), cause));
        }
        for id in group.iter().take(MAX_ALIASES) {
            put_id(
                &mut groups.table.bytes,
                ids.text(*id),
                numbers.get(id).copied(),
            );
        }
        groups.by_root.insert(root, number);
        if group.iter().filter(|id| numbers.contains_key(id)).count() > 1 {
            groups.shared.insert(number);
        }
    }
    groups.table.mark()?;
    Ok(groups)
}

/// An id as short as can be: a record's number, a CVE's numbers, or its text.
fn put_id(out: &mut Vec<u8>, id: &str, record: Option<u32>) {
    if let Some(record) = record {
        put(out, u64::from(record) << 2);
    } else if let Some((year, serial)) = cve(id) {
        put(out, (serial << 14 | year) << 2 | 1);
    } else {
        put(out, 2);
        put_text(out, id);
    }
}

/// Year and number of an id that is exactly `CVE-YYYY-NNNN…`.
fn cve(id: &str) -> Option<(u64, u64)> {
    let (year, serial) = id.strip_prefix("CVE-")?.split_once('-')?;
    let (year, serial): (u64, u64) = (year.parse().ok()?, serial.parse().ok()?);
    (year < 10_000 && serial < 1 << 40 && format!("CVE-{year:04}-{serial:04}") == id)
        .then_some((year, serial))
}
