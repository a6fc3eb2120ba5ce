//! Lines of a text, from a stream or from memory, with their numbers. A line beyond
//! [`limits::LINE_BYTES`] is skipped in pieces and marked as cut, so that one line of any length
//! costs neither memory nor the rest of the file.

use std::io::BufRead;

use super::{Content, ParseError, limits};

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// From 1.
    pub(crate) number: u32,
    /// The bytes; of a cut line only the first ones.
    pub(crate) bytes: &'a [u8],
    /// The line was longer than the limit.
    pub(crate) cut: bool,
}

impl<'a> Line<'a> {
    /// The line as text, if it is UTF-8.
    pub(crate) fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes).ok()
    }
}

/// Reads lines one after another.
pub(crate) struct Lines<'a> {
    stream: &'a mut dyn BufRead,
    buffer: Vec<u8>,
    number: u32,
}

impl<'a> Lines<'a> {
    /// Lines of a stream.
    pub(crate) fn new(stream: &'a mut dyn BufRead) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, ParseError> {
        self.buffer.clear();
        let number = self.number.saturating_add(1);
        let mut cut = false;
        let mut any = false;
        loop {
            let bytes = match self.stream.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(ParseError::at(number, format!("cannot read on: {error}")));
                }
            };
            if bytes.is_empty() {
                break;
            }
            any = true;
            let (line, used, ended) = match bytes.iter().position(|&byte| byte == b'\n') {
                Some(end) => (
                    bytes.get(..end).unwrap_or_default(),
                    end.saturating_add(1),
                    true,
                ),
                None => (bytes, bytes.len(), false),
            };
            let room = limits::LINE_BYTES.saturating_sub(self.buffer.len());
            cut |= line.len() > room;
            self.buffer
                .extend_from_slice(line.get(..line.len().min(room)).unwrap_or_default());
            self.stream.consume(used);
            if ended {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number = number;
        let mut bytes = self.buffer.as_slice();
        if !cut {
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        Ok(Some(Line { number, bytes, cut }))
    }
}

impl<'a> Content<'a> {
    /// The whole content as bytes; a stream is a mistake of the table.
    pub(crate) fn whole(self) -> Result<&'a [u8], ParseError> {
        match self {
            Content::Whole(bytes) => Ok(bytes),
            Content::Stream(_) => Err(ParseError::new("this format needs the whole file")),
        }
    }

    /// The whole content as UTF-8 without a byte order mark.
    pub(crate) fn utf8(self) -> Result<&'a str, ParseError> {
        let bytes = self.whole()?;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            ParseError::at(lines_in(valid), "not UTF-8")
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

/// Runs over the lines of either kind of content.
pub(crate) fn with_lines<T>(
    content: Content<'_>,
    read: impl FnOnce(Lines<'_>) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    match content {
        Content::Stream(stream) => read(Lines::new(stream)),
        Content::Whole(mut bytes) => read(Lines::new(&mut bytes)),
    }
}

/// How many lines a text begins, from 1.
fn lines_in(bytes: &[u8]) -> u32 {
    let lines = bytes.split(|&byte| byte == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_the_rest_is_read() {
        let mut text = vec![b'x'; limits::LINE_BYTES * 3];
        text.extend_from_slice(b"\r\nshort\r\nlast");
        let mut reader = std::io::BufReader::with_capacity(1000, text.as_slice());
        let mut lines = Lines::new(&mut reader);
        let first = lines.next().unwrap().unwrap();
        assert!(first.cut);
        assert_eq!(first.bytes.len(), limits::LINE_BYTES);
        let second = lines.next().unwrap().unwrap();
        assert_eq!(
            (second.number, second.bytes, second.cut),
            (2, b"short".as_slice(), false)
        );
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"last");
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_of_the_limit_is_whole() {
        let text = vec![b'x'; limits::LINE_BYTES];
        let mut bytes = text.as_slice();
        assert!(!Lines::new(&mut bytes).next().unwrap().unwrap().cut);
    }

    #[test]
    fn text_that_is_not_utf8_names_its_line() {
        assert_eq!(
            Content::Whole(b"a\nb\xff").utf8().unwrap_err().line,
            Some(2)
        );
    }
}
