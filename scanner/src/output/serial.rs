//! JSON, streamed. Characters that could deceive whoever reads the file on a terminal (`escape`),
//! and the bracket of what a CI runner would take for a command (`inert`), are written as `\u`
//! escapes: the value stays the same, the bytes are harmless.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::escape::is_treacherous;
use super::inert::Marks;

/// Writes one value on one line, and a line break. Errors are those of `out`.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    with(CompactFormatter, value, out)
}

/// The same on many lines, for people.
pub fn write_pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    with(PrettyFormatter::new(), value, out)
}

/// A small value on many lines.
pub fn pretty(value: &serde_json::Value) -> String {
    let mut out = Vec::new();
    // Neither a value nor memory can fail.
    let _ = write_pretty(value, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn with(layout: impl Formatter, value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Harmless(layout));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A layout with more characters escaped.
#[derive(Clone, Copy, Debug)]
struct Harmless<F>(F);

/// What the layout does itself.
macro_rules! layout {
    ($($name:ident $(($argument:ident))?),*) => {
        $(fn $name<W: ?Sized + Write>(
            &mut self,
            writer: &mut W,
            $($argument: bool,)?
        ) -> io::Result<()> {
            self.0.$name(writer, $($argument)?)
        })*
    };
}

impl<F: Formatter> Formatter for Harmless<F> {
    layout!(
        begin_array,
        end_array,
        begin_array_value(first),
        end_array_value,
        begin_object,
        end_object,
        begin_object_key(first),
        end_object_key,
        begin_object_value,
        end_object_value
    );

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Every byte is looked at, so that several are at once: almost all fragments are plain.
        let (special, mark) = fragment.bytes().fold((0, 0), |(special, mark), byte| {
            let is_plain = matches!(byte, 0x20..=0x7e);
            (special | u8::from(!is_plain), mark | u8::from(byte == b'#'))
        });
        if special == 0 && (mark == 0 || !fragment.contains("##")) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0u16; 2];
        let mut marks = Marks::default();
        let mut refused = |c: char| marks.completes(c) || is_treacherous(c);
        let mut kept = 0;
        for (at, c) in fragment.char_indices() {
            if !refused(c) {
                continue;
            }
            let before = fragment.get(kept..at).unwrap_or_default();
            writer.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            kept = at.saturating_add(c.len_utf8());
        }
        writer.write_all(fragment.get(kept..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_keeps_the_value() {
        let text = "a\u{202e}b\u{9b}ü\u{e0041}\n\"##[x]##vso[y]##\n[z]";
        let mut out = Vec::new();
        write(&text, &mut out).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert_eq!(
            json,
            "\"a\\u202eb\\u009bü\\udb40\\udc41\\n\\\"##\\u005bx]##vso\\u005by]##\\n[z]\"\n"
        );
        let value: serde_json::Value = serde_json::json!({ "k": [1, text], "e": {} });
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&pretty(&value)).unwrap(),
            value
        );
        let plain = serde_json::json!({ "k": [1, {}], "l": [] });
        assert_eq!(pretty(&plain), format!("{plain:#}\n"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
