//! Compact JSON, streamed. Characters that could deceive whoever reads the file on a terminal
//! (`escape`) are written as `\u` escapes: the value stays the same, the bytes are harmless.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::escape::is_treacherous;

/// Writes one value and a line break. Errors are those of `out`.
pub(crate) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Harmless);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The compact format with more characters escaped.
#[derive(Clone, Copy, Debug)]
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0u16; 2];
        for piece in fragment.split_inclusive(is_treacherous) {
            let Some(last) = piece.chars().next_back().filter(|c| is_treacherous(*c)) else {
                writer.write_all(piece.as_bytes())?;
                continue;
            };
            let kept = piece.len().saturating_sub(last.len_utf8());
            writer.write_all(piece.as_bytes().get(..kept).unwrap_or_default())?;
            for unit in last.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_keeps_the_value() {
        let text = "a\u{202e}b\u{9b}ü\u{e0041}\n\"";
        let mut out = Vec::new();
        write(&text, &mut out).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert_eq!(json, "\"a\\u202eb\\u009bü\\udb40\\udc41\\n\\\"\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
