//! What PAX records (POSIX.1-2001) and GNU long names say about the next member.

use super::Trouble;
use super::header::{Kind, Member, until_nul};
use crate::gap::GapKind;

/// The overriding values collected before a member.
#[derive(Default)]
pub(super) struct Extra {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
    pending: bool,
}

impl Extra {
    /// Whether a member has to follow.
    pub(super) const fn is_pending(&self) -> bool {
        self.pending
    }

    /// A header of this kind was met; a PAX header replaces an earlier one.
    pub(super) fn begin(&mut self, kind: Kind) {
        self.pending = true;
        if kind == Kind::Pax {
            (self.path, self.link, self.size, self.sparse) = (None, None, None, false);
        }
    }

    /// Reads the content of such a header. A size that is none is an error: nothing after it
    /// could be found.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        text: &[u8],
        troubles: &mut Vec<Trouble>,
    ) -> Result<(), String> {
        self.begin(kind);
        match kind {
            Kind::LongName => self.long_path = Some(until_nul(text).to_vec()),
            Kind::LongLink => self.long_link = Some(until_nul(text).to_vec()),
            _ => {
                let mut rest = text;
                while !rest.is_empty() {
                    let Some((key, value, next)) = record(rest) else {
                        troubles.push((
                            GapKind::Malformed,
                            "a PAX record is malformed; it and those after it were not read".into(),
                        ));
                        break;
                    };
                    self.set(key, value)?;
                    rest = next;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        // An empty value takes a global record back.
        let given = (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" | b"GNU.sparse.name" => self.path = given.or(self.path.take()),
            b"linkpath" => self.link = given,
            b"size" if !value.is_empty() => {
                let size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|text| text.parse::<i64>().ok())
                    .and_then(|size| u64::try_from(size).ok())
                    .ok_or("the PAX size of a member is not a size")?;
                self.size = Some(size);
            }
            _ => {}
        }
        if key.starts_with(b"GNU.sparse.") {
            self.sparse = true;
        }
        Ok(())
    }

    /// Applies it, as Go's `archive/tar` does: GNU long names win over PAX, PAX over ustar.
    pub(super) fn apply(self, member: &mut Member) {
        if let Some(path) = self.long_path.or(self.path) {
            member.path = path;
        }
        if let Some(link) = self.long_link.or(self.link) {
            member.link = link;
        }
        if let Some(size) = self.size {
            member.size = size;
        }
        if self.sparse && member.kind == Kind::File {
            member.kind = Kind::Sparse;
        }
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
