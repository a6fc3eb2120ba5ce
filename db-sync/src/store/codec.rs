//! Numbers and texts as bytes: LEB128 numbers, texts with their length before
//! them. Reading never panics and never allocates more than there is to read.

/// Bytes that do not decode: the file is damaged or was not written by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// Appends a number in LEB128.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // The low seven bits, with the mark that more follow.
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends a text with its length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a list of texts with its length.
pub(crate) fn put_texts<T: AsRef<str>>(out: &mut Vec<u8>, texts: &[T]) {
    put(out, texts.len() as u64);
    for text in texts {
        put_text(out, text.as_ref());
    }
}

/// Appends numbers that do not fall, as differences.
pub(crate) fn put_rising(out: &mut Vec<u8>, numbers: &[u32]) {
    put(out, numbers.len() as u64);
    let mut last = 0;
    for number in numbers {
        put(out, u64::from(number.saturating_sub(last)));
        last = *number;
    }
}

/// Maps signed numbers to unsigned ones, small to small.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The reverse of [`zigzag`].
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
}

/// A position in encoded bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes that are not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Damaged> {
        // Most numbers are small.
        if let Some((byte, rest)) = self.rest.split_first()
            && *byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Result<u64, Damaged> {
        let mut value: u64 = 0;
        for (place, byte) in (0_u32..10).zip(self.rest) {
            value |= u64::from(byte & 0x7f).wrapping_shl(place.wrapping_mul(7));
            if byte & 0x80 == 0 {
                let read = (place as usize).wrapping_add(1);
                self.rest = self.rest.get(read..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    /// Reads past numbers without computing them.
    pub(crate) fn skip_numbers(&mut self, count: usize) -> Result<(), Damaged> {
        let Some(last) = count.checked_sub(1) else {
            return Ok(());
        };
        let mut ends = self
            .rest
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte < 0x80);
        let (end, _) = ends.nth(last).ok_or(Damaged)?;
        self.rest = self.rest.get(end.saturating_add(1)..).unwrap_or_default();
        Ok(())
    }

    pub(crate) fn small(&mut self) -> Result<u32, Damaged> {
        u32::try_from(self.number()?).map_err(|_| Damaged)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damaged> {
        let (byte, rest) = self.rest.split_first().ok_or(Damaged)?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = self.length()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Damaged)
    }

    /// The length of a list or text: never more than there are bytes left.
    pub(crate) fn length(&mut self) -> Result<usize, Damaged> {
        let length = usize::try_from(self.number()?).map_err(|_| Damaged)?;
        if length > self.rest.len() {
            return Err(Damaged);
        }
        Ok(length)
    }

    /// A number that is used as a place, not as a length.
    pub(crate) fn place(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.number()?).map_err(|_| Damaged)
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<String>, Damaged> {
        let count = self.length()?;
        (0..count).map(|_| self.text().map(str::to_owned)).collect()
    }

    pub(crate) fn rising(&mut self) -> Result<Vec<u32>, Damaged> {
        let count = self.length()?;
        let mut last: u32 = 0;
        (0..count)
            .map(|_| {
                last = last.checked_add(self.small()?).ok_or(Damaged)?;
                Ok(last)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Damaged, Reader, put, put_rising, put_text, unzigzag, zigzag};

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        for value in [0, 127, 128, u64::from(u32::MAX), u64::MAX] {
            put(&mut out, value);
        }
        put_text(&mut out, "é");
        put_rising(&mut out, &[3, 3, 900_000]);
        let mut reader = Reader::new(&out);
        for value in [0, 127, 128, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(reader.number(), Ok(value));
        }
        assert_eq!(reader.text(), Ok("é"));
        assert_eq!(reader.rising(), Ok(vec![3, 3, 900_000]));
        assert!(reader.is_empty());
        for value in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn lengths_beyond_the_data_are_refused_before_allocating() {
        assert_eq!(Reader::new(&[0xff; 20]).number(), Err(Damaged));
        assert_eq!(Reader::new(&[0xff, 0xff, 0x7f]).texts(), Err(Damaged));
        assert_eq!(Reader::new(&[]).number(), Err(Damaged));
        assert_eq!(Reader::new(&[1, 0x80]).skip_numbers(2), Err(Damaged));
    }
}
