//! Takes the credentials out of addresses that a text repeats: lockfiles and modules name private
//! registries as `https://user:password@host`, and what a report says of them is read by more people
//! than the file.

use std::borrow::Cow;

/// What stands before the part of an address that may hold credentials.
const MARK: &str = "://";

/// The text with `scheme://host` for every `scheme://user:password@host`.
pub fn without(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) || !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(MARK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(MARK);
        let end = part.find(ends_authority).unwrap_or(part.len());
        let user = part.get(..end).and_then(|authority| authority.rfind('@'));
        // `ssh://git@host` is how everybody writes it.
        let secret = user.filter(|end| part.get(..*end) != Some("git"));
        let host = secret.and_then(|end| part.get(end.saturating_add(1)..));
        out.push_str(host.unwrap_or(part));
    }
    Cow::Owned(out)
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\\' | '"' | '\'' | '`' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_credentials_leave() {
        for (text, shown) in [
            ("https://u:p@h/x@1", "https://h/x@1"),
            (
                "from git+https://token@h and \"git::https://u:p@h/x\"",
                "from git+https://h and \"git::https://h/x\"",
            ),
            ("https://u:p@p@h", "https://h"),
            ("https://u:p@h://v:q@i", "https://h://i"),
            ("https://h/@scope/x", "https://h/@scope/x"),
            ("git+ssh://git@h/x", "git+ssh://git@h/x"),
            ("lodash@4.17.15", "lodash@4.17.15"),
            ("://@", "://"),
            ("a://b", "a://b"),
            ("", ""),
        ] {
            assert_eq!(without(text), shown);
        }
    }
}
