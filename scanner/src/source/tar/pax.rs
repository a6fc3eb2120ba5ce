//! What PAX records (POSIX.1-2001) and GNU long names say about the next member, as Go's
//! `archive/tar` understands them. What it refuses, because readers disagree about it (a NUL in a
//! path, a size that is not one), is refused here; what only loses a record is a trouble.

use super::Trouble;
use super::header::{Member, MemberKind, until_nul};
use crate::model::gap::GapKind;

/// The overriding values collected before a member.
#[derive(Default)]
pub(super) struct Extra {
    records: Records,
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pending: bool,
}

/// The records of one PAX header that matter. A record without a value leaves to the header what
/// it would say.
#[derive(Default)]
struct Records {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: Sparse,
}

/// GNU's records of a file with holes (tar(5), "GNU tar pax archives").
#[derive(Default)]
struct Sparse {
    name: Option<Vec<u8>>,
    major: Vec<u8>,
    minor: Vec<u8>,
    map: bool,
}

impl Sparse {
    /// Whether the member is such a file: by the version, or without one by its map.
    fn applies(&self) -> bool {
        match (self.major.as_slice(), self.minor.as_slice()) {
            (b"0", b"0" | b"1") | (b"1", b"0") => true,
            (b"", b"") => self.map,
            _ => false,
        }
    }
}

impl Extra {
    /// Whether a member has to follow.
    pub(super) const fn is_pending(&self) -> bool {
        self.pending
    }

    /// A header of this kind was met; a PAX header replaces an earlier one.
    pub(super) fn begin(&mut self, kind: MemberKind) {
        self.pending = true;
        if kind == MemberKind::Pax {
            self.records = Records::default();
        }
    }

    /// Reads the content of such a header. What leaves open where or how long the next member is
    /// is an error: nothing after it could be found.
    pub(super) fn read(
        &mut self,
        kind: MemberKind,
        text: &[u8],
        troubles: &mut Vec<Trouble>,
    ) -> Result<(), String> {
        self.begin(kind);
        match kind {
            MemberKind::LongName => self.long_path = named(until_nul(text)),
            MemberKind::LongLink => self.long_link = named(until_nul(text)),
            _ => self.records = Records::read(text, troubles)?,
        }
        Ok(())
    }

    /// A global header was met, which Go gives to its caller as a member of its own: what was
    /// collected before it is forgotten, and what it says itself applies to nothing. Other readers
    /// keep the one and apply the other to all members that follow.
    pub(super) fn read_global(
        &mut self,
        text: &[u8],
        troubles: &mut Vec<Trouble>,
    ) -> Result<(), String> {
        if self.pending {
            troubles.push((
                GapKind::Ambiguous,
                "a global header between a member and its own headers, which were dropped".into(),
            ));
        }
        *self = Self::default();
        let records = Records::read(text, troubles)?;
        let says = records.path.is_some() || records.link.is_some() || records.size.is_some();
        if says || records.sparse.applies() {
            troubles.push((
                GapKind::Ambiguous,
                "a global header with a path, link or size for all members, which was not applied"
                    .into(),
            ));
        }
        Ok(())
    }

    /// Applies it, as Go's `archive/tar` does: GNU long names win over PAX, PAX over ustar, and
    /// the name of a sparse file over all.
    pub(super) fn apply(self, member: &mut Member) {
        let records = self.records;
        if let Some(path) = self.long_path.or(records.path) {
            member.path = path;
        }
        if let Some(link) = self.long_link.or(records.link) {
            member.link = link;
        }
        if let Some(size) = records.size {
            member.size = size;
        }
        if member.kind == MemberKind::File && records.sparse.applies() {
            member.kind = MemberKind::Sparse;
            if let Some(path) = records.sparse.name {
                member.path = path;
            }
        }
    }
}

fn named(value: &[u8]) -> Option<Vec<u8>> {
    (!value.is_empty()).then(|| value.to_vec())
}

impl Records {
    fn read(text: &[u8], troubles: &mut Vec<Trouble>) -> Result<Self, String> {
        let mut records = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let Some((key, value, next)) = record(rest) else {
                troubles.push((
                    GapKind::Malformed,
                    "a PAX record is malformed; it and those after it were not read".into(),
                ));
                break;
            };
            records.set(key, value)?;
            rest = next;
        }
        Ok(records)
    }

    /// Of records with one key the last counts, even if it is empty.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let path = || {
            if value.contains(&0) {
                return Err("a PAX path with a NUL in it".to_owned());
            }
            Ok(named(value))
        };
        match key {
            b"path" => self.path = path()?,
            b"linkpath" => self.link = path()?,
            b"size" if value.is_empty() => self.size = None,
            b"size" => {
                let size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse::<i64>().ok())
                    .and_then(|size| u64::try_from(size).ok())
                    .ok_or("the PAX size of a member is not a size")?;
                self.size = Some(size);
            }
            b"GNU.sparse.name" => self.sparse.name = path()?,
            b"GNU.sparse.major" => self.sparse.major = value.to_vec(),
            b"GNU.sparse.minor" => self.sparse.minor = value.to_vec(),
            // Version 0.0 has a pair of records for each part instead of a map.
            b"GNU.sparse.map" | b"GNU.sparse.offset" => self.sparse.map = !value.is_empty(),
            // Owners, times, extended attributes, comments: nothing that is judged.
            _ => {}
        }
        Ok(())
    }
}

/// `length key=value\n`, where the length counts all of it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(text.get(..space)?).ok()?.parse().ok()?;
    let body = text.get(space.checked_add(1)?..length)?;
    let body = body.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = body.split_at_checked(equals)?;
    Some((key, value.get(1..)?, text.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::record;

    #[test]
    fn records_are_cut_by_their_length() {
        assert_eq!(
            record(b"12 path=a=b\nrest"),
            Some((&b"path"[..], &b"a=b"[..], &b"rest"[..]))
        );
        for bad in [
            &b"999999999999999999 path=x\n"[..],
            b"5 a\n0 ",
            b"0 \n",
            b"-3 a=b\n",
            b"7 a=bc",
            b"99999999999999999999999999 a=b\n",
        ] {
            assert!(record(bad).is_none(), "{bad:?}");
        }
    }
}
