//! Fields of opam files (opam.ocaml.org, "Manual", section "Common file format"): of a list of
//! dependencies each name with the version in its braces and the words beside it; of other lists the
//! texts. Comments, and texts of several lines, are passed over as opam's lexer does.

use crate::inventory::ParseError;

/// A dependency: `"name" {= "1.0" & build}`.
#[derive(Debug, PartialEq)]
pub(super) struct Formula<'a> {
    pub(super) name: &'a str,
    pub(super) line: u32,
    /// The version that it must have, if there is exactly one.
    pub(super) version: Option<&'a str>,
    words: Vec<&'a str>,
}

impl Formula<'_> {
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Text(&'a str),
    Word(&'a str),
    Sign(char),
}

/// The tokens of a text, each with its line.
fn tokens(text: &str) -> Result<Vec<(Token<'_>, u32)>, ParseError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1_u32;
    while let Some(first) = rest.chars().next() {
        let at = line;
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if first == '#' {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if let Some(inside) = rest.strip_prefix("(*") {
            let end = inside.find("*)");
            let end = end.ok_or_else(|| ParseError::at(at, "a comment without an end"))?;
            (None, end.saturating_add(4))
        } else if let Some(inside) = rest.strip_prefix("\"\"\"") {
            let end = inside.find("\"\"\"");
            let end = end.ok_or_else(|| ParseError::at(at, "a text without an end"))?;
            (inside.get(..end).map(Token::Text), end.saturating_add(6))
        } else if first == '"' {
            let end = text_end(rest);
            let end = end.ok_or_else(|| ParseError::at(at, "a text without an end"))?;
            (rest.get(1..end).map(Token::Text), end.saturating_add(1))
        } else {
            let is_word = |c: char| c.is_alphanumeric() || "_-+%.".contains(c);
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            match rest.get(..length).filter(|word| !word.is_empty()) {
                Some(word) => (Some(Token::Word(word)), length),
                None => (Some(Token::Sign(first)), first.len_utf8()),
            }
        };
        tokens.extend(token.map(|token| (token, at)));
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let lines = taken.bytes().filter(|byte| *byte == b'\n').count();
        line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        rest = after;
    }
    Ok(tokens)
}

/// Where the quote stands that ends a text.
fn text_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// The tokens between the brackets of a field at the top.
fn list<'t, 'a>(
    tokens: &'t [(Token<'a>, u32)],
    field: &str,
) -> Result<Option<&'t [(Token<'a>, u32)]>, ParseError> {
    let begins = |window: &[(Token<'_>, u32)]| matches!(window, [(Token::Word(word), _), (Token::Sign(':'), _), (Token::Sign('['), _)] if *word == field);
    let Some(at) = tokens.windows(3).position(begins) else {
        return Ok(None);
    };
    let inside = tokens.get(at.saturating_add(3)..).unwrap_or_default();
    let mut depth = 1_usize;
    for (index, (token, _)) in inside.iter().enumerate() {
        match token {
            Token::Sign('[') => depth = depth.saturating_add(1),
            Token::Sign(']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Ok(inside.get(..index));
        }
    }
    Err(ParseError::new(format!("the list {field} has no end")))
}

/// The texts of a list, however deep they stand in it.
pub(super) fn texts<'a>(text: &'a str, field: &str) -> Result<Vec<&'a str>, ParseError> {
    let tokens = tokens(text)?;
    let inside = list(&tokens, field)?.unwrap_or_default();
    let texts = inside.iter().filter_map(|(token, _)| match token {
        Token::Text(text) => Some(*text),
        Token::Word(_) | Token::Sign(_) => None,
    });
    Ok(texts.collect())
}

/// The dependencies of a list.
pub(super) fn formulas<'a>(
    text: &'a str,
    field: &str,
) -> Result<Option<Vec<Formula<'a>>>, ParseError> {
    let tokens = tokens(text)?;
    let Some(inside) = list(&tokens, field)? else {
        return Ok(None);
    };
    let mut formulas: Vec<Formula<'_>> = Vec::new();
    let mut depth = 0_usize;
    let mut signs = String::new();
    let mut versions = 0_usize;
    for (token, line) in inside {
        match (*token, depth) {
            (Token::Sign('{'), _) => {
                depth = depth.saturating_add(1);
                (signs, versions) = (String::new(), 0);
            }
            (Token::Sign('}'), _) => depth = depth.saturating_sub(1),
            (Token::Text(name), 0) => formulas.push(Formula {
                name,
                line: *line,
                version: None,
                words: Vec::new(),
            }),
            (Token::Text(version), _) => {
                versions = versions.saturating_add(1);
                if let Some(last) = formulas.last_mut() {
                    // A version beside another, or behind another sign, is a range.
                    let is_one = signs == "=" && versions == 1;
                    last.version = is_one.then_some(version);
                }
                signs.clear();
            }
            (Token::Word(word), 1..) => {
                if let Some(last) = formulas.last_mut() {
                    last.words.push(word);
                }
                signs.clear();
            }
            // Words between dependencies, and the signs that join and group them.
            (Token::Word(_), 0) | (Token::Sign('&' | '(' | ')'), _) => signs.clear(),
            (Token::Sign(sign), 1..) => signs.push(sign),
            (Token::Sign(sign), 0) => {
                let cause = format!("{sign} between dependencies: which is taken is not said");
                return Err(ParseError::at(*line, cause));
            }
        }
    }
    if depth > 0 {
        return Err(ParseError::new("braces without an end"));
    }
    Ok(Some(formulas))
}

/// Letters, digits, hyphens, underscores and plus signs, one of them a letter.
pub(super) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
    text.bytes().all(known) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

pub(super) fn is_version(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.~".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_have_one_version_or_none() {
        let text = "synopsis: \"depends: [\"\ndepends: [ # a\n \"a\" {= \"1.0\"}\n \"b\" {>= \"1\" & < \"2\"}\n \"c\" {(* x *) with-test & = \"3\"}\n \"d\"\n]\n";
        let all = formulas(text, "depends").unwrap().unwrap();
        let told: Vec<_> = all
            .iter()
            .map(|one| (one.name, one.line, one.version))
            .collect();
        assert_eq!(
            told,
            [
                ("a", 3, Some("1.0")),
                ("b", 4, None),
                ("c", 5, Some("3")),
                ("d", 6, None)
            ]
        );
        assert!(all[2].has("with-test"));
        assert_eq!(formulas("x: \"\"\"a\n\"\"\"", "depends").unwrap(), None);
        for text in [
            "depends: [",
            "depends: [\"a\" {]",
            "depends: [\"a\" | \"b\"]",
            "(*",
            "\"a",
        ] {
            assert!(formulas(text, "depends").is_err(), "{text}");
        }
    }
}
