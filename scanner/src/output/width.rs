//! Columns of a terminal, roughly: East Asian wide characters and emoji take two, combining
//! marks none, all others one. Good enough to align a table; nothing else hangs on it.

/// Columns one character takes.
const fn of_char(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{20d0}'..='\u{20ff}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Columns a text takes.
pub(crate) fn of(text: &str) -> usize {
    text.chars()
        .fold(0usize, |sum, c| sum.saturating_add(of_char(c)))
}

/// The text cut to at most `limit` columns, with `…` as its last where something is missing.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    // Bytes bound columns from above, except for the few characters of two columns and two
    // bytes, of which there are none.
    if text.len() <= limit || of(text) <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1usize;
    for c in text.chars() {
        used = used.saturating_add(of_char(c));
        if used > limit {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// The text with blanks up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(of(text));
    format!("{text}{}", " ".repeat(blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_cuts_and_pads() {
        assert_eq!((of("abc"), of("日本"), of("e\u{301}")), (3, 4, 1));
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(pad("日", 4), "日  ");
    }
}
