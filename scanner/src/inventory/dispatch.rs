//! Which parsers want a file, and running one of them so that nothing it does loses more than
//! that file.

use super::{Content, Evidence, Facts, Input, Parser};

/// The parsers of this kind of evidence that want a path, without looking at its content.
pub fn by_path(_path: &str, _evidence: Evidence) -> Vec<&'static Parser> {
    Vec::new()
}

/// Whether any parser asks for magic bytes, and if so how many bytes to show it.
pub fn magic_length() -> usize {
    0
}

/// The parsers that want a file with these first bytes.
pub fn by_magic(_first: &[u8], _evidence: Evidence) -> Vec<&'static Parser> {
    Vec::new()
}

/// Runs one parser on one file. Its error, and its panic, become a gap.
pub fn run<'a>(parser: &Parser, path: &'a str, content: Content<'a>) -> Facts {
    let mut facts = Facts::default();
    let _ = (parser.parse)(Input { path, content }, &mut facts);
    facts
}
