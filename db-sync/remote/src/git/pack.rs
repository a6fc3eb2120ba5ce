//! Reads a pack (gitformat-pack(5)) that a server sent: whole objects and
//! deltas against others of the same pack. Nothing in it is believed: sizes
//! are bounds for inflating and not for allocating, and every object is known
//! by the id of what it became.

use super::Bounds;
use super::delta::{self, Cursor};
use super::object::{Format, Id, Kind, Snapshot, id};
use crate::fault::{Fault, refused};
use flate2::bufread::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::Read;

/// What a size in a pack may make us allocate at once.
const FIRST_ALLOCATION: usize = 64 << 10;

/// Where a delta's base is.
enum Base {
    Offset(usize),
    Id(Id),
}

/// An object as it lies in the pack.
enum Raw {
    Whole(Kind, Vec<u8>),
    Delta(Base, Vec<u8>),
}

/// An object on the way to its dependants.
struct Resolved {
    offset: usize,
    kind: Kind,
    id: Id,
    /// Deltas between it and a whole object.
    depth: usize,
}

struct Unpacker<'a> {
    bounds: &'a Bounds,
    format: Format,
    unpacked: u64,
}

/// The objects of a pack, by their computed ids.
pub(super) fn read(
    pack: &[u8],
    format: Format,
    tip: Id,
    bounds: &Bounds,
) -> Result<Snapshot, Fault> {
    let mut unpacker = Unpacker {
        bounds,
        format,
        unpacked: 0,
    };
    unpacker
        .run(pack)
        .map(|objects| Snapshot {
            format,
            tip,
            objects,
        })
        .map_err(|cause| refused(&cause))
}

impl Unpacker<'_> {
    fn run(&mut self, pack: &[u8]) -> Result<BTreeMap<Id, (Kind, Vec<u8>)>, String> {
        let end = pack.len().checked_sub(self.format.length());
        let (covered, trailer) = end
            .and_then(|end| pack.split_at_checked(end))
            .ok_or("it is too short")?;
        if self.format.digest(&[covered]) != trailer {
            return Err("its checksum is wrong".to_owned());
        }
        let mut reader = Cursor(covered, 0);
        let version = match reader.take(8)? {
            [b'P', b'A', b'C', b'K', 0, 0, 0, version] => *version,
            _ => return Err("it does not begin like one".to_owned()),
        };
        if !matches!(version, 2 | 3) {
            return Err(format!("its version is {version}"));
        }
        let count = reader.take(4)?.iter();
        let count = count.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        if count > self.bounds.objects {
            return Err(format!("it has more than {} objects", self.bounds.objects));
        }
        let mut whole = Vec::new();
        let mut by_offset: BTreeMap<usize, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
        let mut by_id: BTreeMap<Id, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
        for _ in 0..count {
            let offset = reader.1;
            match self.raw(&mut reader)? {
                Raw::Whole(kind, data) => whole.push((offset, kind, data)),
                Raw::Delta(Base::Offset(base), delta) => {
                    by_offset.entry(base).or_default().push((offset, delta));
                }
                Raw::Delta(Base::Id(base), delta) => {
                    by_id.entry(base).or_default().push((offset, delta));
                }
            }
        }
        if reader.1 != covered.len() {
            return Err("there is something behind its objects".to_owned());
        }
        let mut objects = BTreeMap::new();
        let mut work = Vec::new();
        for (offset, kind, data) in whole {
            let id = id(self.format, kind, &data);
            objects.insert(id.clone(), (kind, data));
            work.push(Resolved {
                offset,
                kind,
                id,
                depth: 0,
            });
        }
        // What waits for a base is taken out once it is there: each delta is
        // applied once, and those without a base are left.
        while let Some(base) = work.pop() {
            let mut waiting = by_offset.remove(&base.offset).unwrap_or_default();
            waiting.extend(by_id.remove(&base.id).unwrap_or_default());
            let depth = base.depth.saturating_add(1);
            if !waiting.is_empty() && depth > self.bounds.chain {
                return Err(format!("a chain of more than {} deltas", self.bounds.chain));
            }
            for (offset, delta) in waiting {
                let from = objects
                    .get(&base.id)
                    .map(|(_, data): &(_, Vec<u8>)| data.as_slice());
                let data = self.apply(from.unwrap_or_default(), &delta)?;
                let id = id(self.format, base.kind, &data);
                objects.insert(id.clone(), (base.kind, data));
                work.push(Resolved {
                    offset,
                    kind: base.kind,
                    id,
                    depth,
                });
            }
        }
        if by_offset.is_empty() && by_id.is_empty() {
            Ok(objects)
        } else {
            Err("a delta has no base in it".to_owned())
        }
    }

    fn raw(&mut self, reader: &mut Cursor<'_>) -> Result<Raw, String> {
        let start = reader.1;
        let (kind, size) = reader.head()?;
        Ok(match kind {
            1 => Raw::Whole(Kind::Commit, self.inflate(reader, size)?),
            2 => Raw::Whole(Kind::Tree, self.inflate(reader, size)?),
            3 => Raw::Whole(Kind::Blob, self.inflate(reader, size)?),
            4 => Raw::Whole(Kind::Tag, self.inflate(reader, size)?),
            6 => {
                let distance = usize::try_from(reader.distance()?).unwrap_or(usize::MAX);
                let base = start
                    .checked_sub(distance)
                    .filter(|base| *base < start)
                    .ok_or("a delta's base lies outside of it")?;
                Raw::Delta(Base::Offset(base), self.inflate(reader, size)?)
            }
            7 => {
                let base = reader.take(self.format.length())?.to_vec();
                Raw::Delta(Base::Id(base), self.inflate(reader, size)?)
            }
            kind => return Err(format!("an object is of the unknown kind {kind}")),
        })
    }

    /// Counts bytes that are about to be held.
    fn claim(&mut self, size: u64) -> Result<(), String> {
        self.unpacked = self.unpacked.saturating_add(size);
        if size > self.bounds.object {
            return Err(format!(
                "an object has more than {} bytes",
                self.bounds.object
            ));
        }
        if self.unpacked > self.bounds.unpacked {
            return Err(format!(
                "its objects have more than {} bytes",
                self.bounds.unpacked
            ));
        }
        Ok(())
    }

    fn inflate(&mut self, reader: &mut Cursor<'_>, size: u64) -> Result<Vec<u8>, String> {
        self.claim(size)?;
        let mut data = Vec::with_capacity(
            usize::try_from(size)
                .unwrap_or(usize::MAX)
                .min(FIRST_ALLOCATION),
        );
        let mut decoder = ZlibDecoder::new(reader.rest());
        // One byte more than there shall be: the stream has to end there.
        let read = (&mut decoder)
            .take(size.saturating_add(1))
            .read_to_end(&mut data)
            .map_err(|error| format!("an object cannot be inflated: {error}"))?;
        if read as u64 != size {
            return Err("an object has another size than it says".to_owned());
        }
        reader.skip(usize::try_from(decoder.total_in()).unwrap_or(usize::MAX));
        Ok(data)
    }

    fn apply(&mut self, base: &[u8], delta: &[u8]) -> Result<Vec<u8>, String> {
        self.claim(delta::size(delta)?)?;
        delta::apply(base, delta)
    }
}
