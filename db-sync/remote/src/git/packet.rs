//! Git's pkt-lines (gitprotocol-common(5)) out of a body that may be hostile:
//! every byte counts towards a bound, whatever it is said to be.

use crate::fault::{Fault, wrong};
use std::io::{self, Read};

/// The longest pkt-line, its four digits included (gitprotocol-common(5)).
const MAX_LINE: usize = 65520;

/// One pkt-line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Data(Vec<u8>),
    /// `0000`: the end of an answer.
    Flush,
    /// `0001`: the end of a section.
    Delimiter,
}

/// Reads pkt-lines up to a bound on their bytes.
pub(super) struct Packets<'a> {
    body: &'a mut dyn Read,
    limit: u64,
    read: u64,
}

impl<'a> Packets<'a> {
    pub(super) fn new(body: &'a mut dyn Read, limit: u64) -> Self {
        Self {
            body,
            limit,
            read: 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<Packet, Fault> {
        let mut digits = [0; 4];
        self.fill(&mut digits)?;
        let length = std::str::from_utf8(&digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|text| usize::from_str_radix(text, 16).ok());
        match length {
            Some(0) => Ok(Packet::Flush),
            Some(1) => Ok(Packet::Delimiter),
            Some(length @ 4..=MAX_LINE) => {
                let mut data = vec![0; length.saturating_sub(4)];
                self.fill(&mut data)?;
                if let Some(cause) = data.strip_prefix(b"ERR ") {
                    return Err(said(cause));
                }
                Ok(Packet::Data(data))
            }
            _ => Err(wrong("it does not speak git's smart protocol")),
        }
    }

    /// The next line as text, without its end; `None` at the end of a section.
    pub(super) fn line(&mut self) -> Result<Option<String>, Fault> {
        match self.next()? {
            Packet::Data(data) => {
                let text = String::from_utf8(data).map_err(|_| wrong("a line is not UTF-8"))?;
                Ok(Some(text.trim_end_matches('\n').to_owned()))
            }
            Packet::Flush | Packet::Delimiter => Ok(None),
        }
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Fault> {
        self.read = self.read.saturating_add(into.len() as u64);
        if self.read > self.limit {
            return Err(Fault::TooLarge(self.limit));
        }
        self.body.read_exact(into).map_err(|error| {
            Fault::Cut(match error.kind() {
                io::ErrorKind::UnexpectedEof => "the answer was cut off".to_owned(),
                _ => error.to_string(),
            })
        })
    }
}

/// What the server says of its own failure.
pub(super) fn said(cause: &[u8]) -> Fault {
    let cause = String::from_utf8_lossy(cause);
    let cause = crate::printable(cause.trim_end());
    wrong(format!("the server says \"{cause}\""))
}

/// Appends a line with its length.
pub(super) fn put_line(out: &mut Vec<u8>, line: &str) {
    let length = line.len().saturating_add(5);
    out.extend_from_slice(format!("{length:04x}{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Fault, Packet, Packets, put_line};

    #[test]
    fn lines_are_read_as_they_are_written() {
        let mut bytes = Vec::new();
        put_line(&mut bytes, "version 2");
        bytes.extend_from_slice(b"00010004 0000");
        assert!(bytes.starts_with(b"000eversion 2\n"));
        let mut body = bytes.as_slice();
        let mut packets = Packets::new(&mut body, 100);
        assert_eq!(packets.line(), Ok(Some("version 2".to_owned())));
        assert_eq!(packets.next(), Ok(Packet::Delimiter));
        assert_eq!(packets.next(), Ok(Packet::Data(Vec::new())));
        assert!(matches!(packets.next(), Err(Fault::Wrong(_))));
    }

    #[test]
    fn hostile_lines_are_refused() {
        let read = |bytes: &[u8], limit| {
            let mut body = bytes;
            Packets::new(&mut body, limit).next()
        };
        assert!(matches!(read(b"<htm", 100), Err(Fault::Wrong(_))));
        assert!(matches!(read(b"+00a", 100), Err(Fault::Wrong(_))));
        assert!(matches!(read(b"0003", 100), Err(Fault::Wrong(_))));
        assert!(matches!(read(b"fff1", 1 << 20), Err(Fault::Wrong(_))));
        assert!(matches!(read(b"000aabc", 100), Err(Fault::Cut(_))));
        assert_eq!(read(b"000aabcdef", 9), Err(Fault::TooLarge(9)));
        let Err(Fault::Wrong(cause)) = read(b"000bERR no\x1b", 100) else {
            panic!("no fault");
        };
        assert_eq!(cause, "the server says \"no\\u{1b}\"");
    }
}
