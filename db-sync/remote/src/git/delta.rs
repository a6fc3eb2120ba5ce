//! Deltas (gitformat-pack(5), "Deltified representation"), and the numbers of packs.

/// How long the object is that a delta makes.
pub(super) fn size(delta: &[u8]) -> Result<u64, String> {
    let mut reader = Cursor(delta, 0);
    reader.size()?;
    reader.size()
}

/// Makes an object from its base. Whether it may be as long as [`size`] says is for the caller to
/// decide.
pub(super) fn apply(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, String> {
    let broken = || "a delta is malformed".to_owned();
    let mut reader = Cursor(delta, 0);
    if reader.size()? != base.len() as u64 {
        return Err(broken());
    }
    let size = reader.size()?;
    let mut data: Vec<u8> = Vec::new();
    while !reader.rest().is_empty() {
        let code = reader.byte()?;
        let piece = if code & 0x80 == 0 {
            if code == 0 {
                return Err(broken());
            }
            reader.take(usize::from(code))?
        } else {
            let from = reader.scattered(code, 4)?;
            let length = match reader.scattered(code >> 4, 3)? {
                0 => 0x1_0000,
                length => length,
            };
            base.get(from..from.saturating_add(length))
                .ok_or_else(broken)?
        };
        if (data.len().saturating_add(piece.len())) as u64 > size {
            return Err(broken());
        }
        data.extend_from_slice(piece);
    }
    if data.len() as u64 == size {
        Ok(data)
    } else {
        Err(broken())
    }
}

/// Bytes and a place in them.
pub(super) struct Cursor<'a>(pub(super) &'a [u8], pub(super) usize);

impl<'a> Cursor<'a> {
    /// The kind and size that an object in a pack begins with.
    pub(super) fn head(&mut self) -> Result<(u8, u64), String> {
        let head = self.byte()?;
        let mut size = u64::from(head & 0x0f);
        let mut shift = 4_u32;
        let mut more = head & 0x80 != 0;
        while more {
            let byte = self.byte()?;
            if shift > 53 {
                return Err("an object's size is too long".to_owned());
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift = shift.saturating_add(7);
            more = byte & 0x80 != 0;
        }
        Ok((head >> 4 & 7, size))
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0.get(self.1..).unwrap_or_default()
    }

    pub(super) fn skip(&mut self, length: usize) {
        self.1 = self.1.saturating_add(length);
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let taken = self.rest().get(..length).ok_or("it is cut off")?;
        self.skip(length);
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// Seven bits a byte, the lowest first.
    pub(super) fn size(&mut self) -> Result<u64, String> {
        let mut size = 0_u64;
        for shift in (0..=49).step_by(7) {
            let byte = self.byte()?;
            size |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(size);
            }
        }
        Err("a delta's size is too long".to_owned())
    }

    /// Seven bits a byte, the highest first; each further byte adds one.
    pub(super) fn distance(&mut self) -> Result<u64, String> {
        let mut byte = self.byte()?;
        let mut distance = u64::from(byte & 0x7f);
        for _ in 0..8 {
            if byte & 0x80 == 0 {
                return Ok(distance);
            }
            byte = self.byte()?;
            distance = distance.saturating_add(1) << 7 | u64::from(byte & 0x7f);
        }
        Err("a delta's base lies too far off".to_owned())
    }

    /// The bytes of a number that a copy instruction says are there.
    pub(super) fn scattered(&mut self, present: u8, bytes: u32) -> Result<usize, String> {
        let mut number = 0_usize;
        for place in 0..bytes {
            if present >> place & 1 == 1 {
                number |= usize::from(self.byte()?) << (place.saturating_mul(8));
            }
        }
        Ok(number)
    }
}
