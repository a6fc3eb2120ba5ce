//! When a match does not stand by itself: a version above all that is known to
//! be affected, and one that the ecosystem's own database calls free of the
//! vulnerability while a copy elsewhere has a range without an end.

use super::evaluate::Judgement;
use super::head;
use super::package::{Package, Scratch};
use crate::id;
use crate::store::ReadError;

/// Why a match is shown, and not taken as proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// The version lies above the last one that a record knows to be affected,
    /// and no record names one that is fixed.
    Possible,
    /// The ecosystem's own database says that the version is not affected; those
    /// that say it is name no end.
    Disputed,
}

impl Doubt {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Disputed => "disputed",
        }
    }
}

/// The records of the ecosystem's own database that speak of the package and do
/// not call the version affected, where that disputes the match: all of its
/// records in `scratch` are copies elsewhere, whose ranges have no end there. A
/// copy that names an end, or the very version, knows something of its own.
pub(super) fn denied_by<'p, 'db>(
    package: &Package<'p, 'db>,
    group: &[u8],
    scratch: &mut Scratch<'p, 'db>,
) -> Result<Vec<&'db str>, ReadError> {
    let (store, views) = (package.store, package.views);
    let (Some(asked), false) = (package.asked, group.is_empty()) else {
        return Ok(Vec::new());
    };
    if id::home(package.ecosystem).is_none() {
        return Ok(Vec::new());
    }
    let is_home = |record: u32| -> Result<bool, ReadError> {
        Ok(id::is_home(
            package.ecosystem,
            head::record_id(store, record)?,
        ))
    };
    for entry in &scratch.entries {
        if is_home(entry.record)? {
            return Ok(Vec::new());
        }
        let is_open = match asked.judge(store, views, entry)? {
            Judgement::NotAffected | Judgement::Possible => true,
            // What is known to reach so far has its end beside the range.
            _ if !views.beside(entry).is_empty() => false,
            _ => asked.rests_on_open_ends(store, views, entry)?,
        };
        if !is_open {
            return Ok(Vec::new());
        }
    }
    scratch.silent.clear();
    package.silent(group, scratch)?;
    let mut denied = Vec::new();
    let silent: Vec<_> = scratch
        .silent
        .iter()
        .map(|entry| (*entry).clone())
        .collect();
    for record in silent.chunk_by(|left, right| left.record == right.record) {
        let Some(number) = record.first().map(|entry| entry.record) else {
            continue;
        };
        if !is_home(number)? {
            continue;
        }
        let speaks = record
            .iter()
            .any(|entry| !views.spans(entry).is_empty() || !entry.listed.is_empty());
        match package.judge(record)?.0 {
            Judgement::NotAffected if speaks => denied.push(head::record_id(store, number)?),
            Judgement::NotAffected => {}
            _ => return Ok(Vec::new()),
        }
    }
    Ok(denied)
}
