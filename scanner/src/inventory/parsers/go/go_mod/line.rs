//! Lines of a `go.mod`: words as the go command's lexer takes them, and what may be a path, a
//! version or a directory.

/// Whether the comment of a line says that the module is not imported by the project itself.
pub(super) fn is_indirect(line: &str) -> bool {
    line.split_once("//")
        .is_some_and(|(_, comment)| comment.trim_start().starts_with("indirect"))
}

/// The words of a line, without comments and quotes; parentheses, brackets and commas are words
/// of their own. A carriage return is a blank.
pub(super) fn words(line: &str) -> Result<Vec<&str>, &'static str> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if rest.is_empty() || rest.starts_with("//") {
            return Ok(words);
        }
        if rest.starts_with("/*") {
            return Err("a comment that go.mod does not have");
        }
        let (word, after) = if let Some(quote) = rest.chars().next().filter(|c| "\"`".contains(*c))
        {
            let inside = rest.get(1..).unwrap_or_default();
            let quoted = inside.split_once(quote).ok_or("a quoted text has no end")?;
            if quote == '"' && quoted.0.contains('\\') {
                return Err("an escape in a quoted text");
            }
            quoted
        } else if rest.starts_with(PUNCTUATION) {
            rest.split_at_checked(1).ok_or("not a word")?
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || PUNCTUATION.contains(&c));
            let comment = rest.find("//");
            let end = end.into_iter().chain(comment).min().unwrap_or(rest.len());
            rest.split_at_checked(end).ok_or("not a word")?
        };
        if word.is_empty() && after.len() == rest.len() {
            return Err("a blank that go.mod does not know");
        }
        words.push(word);
        rest = after;
    }
}

const PUNCTUATION: [char; 7] = ['(', ')', '[', ']', '{', '}', ','];

/// Whether a replacement is a directory.
pub(in crate::inventory::parsers) fn is_directory(path: &str) -> bool {
    let begins = ["./", "../", "/", ".\\", "..\\", "\\"];
    let drive = path.get(1..2) == Some(":") && path.starts_with(|c: char| c.is_ascii_alphabetic());
    path == "." || path == ".." || drive || begins.iter().any(|begin| path.starts_with(begin))
}

/// The characters of module paths (golang.org/x/mod/module, `CheckPath`).
pub(in crate::inventory::parsers) fn is_path(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with(['-', '/', '.'])
        && !path.ends_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
}

/// Whether a text can be a version; a branch is none until the go command resolved it.
pub(in crate::inventory::parsers) fn is_version(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_lexer() {
        for (line, expected) in [
            (
                "require a.b/c v1.0.0 // indirect",
                vec!["require", "a.b/c", "v1.0.0"],
            ),
            ("require(", vec!["require", "("]),
            (
                "require (x.y/z v1)",
                vec!["require", "(", "x.y/z", "v1", ")"],
            ),
            ("\t\"a b\" `c`\r", vec!["a b", "c"]),
            (
                "retract [v1.0.0, v1.1.0]",
                vec!["retract", "[", "v1.0.0", ",", "v1.1.0", "]"],
            ),
            ("a//b", vec!["a"]),
            ("", vec![]),
        ] {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        }
        for line in ["/* a */", "\"a", "\"\\x\"", "a \u{a0}b", "a \u{2028}b"] {
            assert!(words(line).is_err(), "{line}");
        }
    }

    #[test]
    fn paths_versions_and_directories() {
        assert!(is_path("github.com/A/b.v2") && !is_path("(a") && !is_path("a\u{200b}"));
        assert!(!is_path("golang.org/x/\0") && !is_path("./a"));
        assert!(is_version("v1.0.0-0.2020-abc+incompatible") && !is_version("master"));
        assert!(!is_version("1.0.0") && !is_version("v"));
        for path in ["./a", "../a", "/a", "C:\\a", "."] {
            assert!(is_directory(path), "{path}");
        }
        assert!(!is_directory("a/b"));
    }
}
