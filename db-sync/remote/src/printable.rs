//! Escaping that keeps hostile names out of terminals.

/// Longest text that is quoted from the input, in characters.
const MAX_QUOTED: usize = 300;

/// Escapes control characters and the invisible marks that reorder text, and
/// shortens what is longer than 300 characters.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_QUOTED));
    for (position, character) in text.chars().enumerate() {
        if position == MAX_QUOTED {
            out.push('…');
            break;
        }
        if character.is_control() || reorders(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Bidirectional controls, zero-width characters and line separators.
fn reorders(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_terminal_and_bidi_controls() {
        assert_eq!(printable("a\u{202e}b\u{1b}[31m"), "a\\u{202e}b\\u{1b}[31m");
        assert_eq!(printable(&"x".repeat(400)).chars().count(), 301);
    }
}
