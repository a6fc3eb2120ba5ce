//! Cheap looks at the first bytes of a file, to tell what it is. They go by lines and keys, not
//! by a parser: templates are not YAML yet, and a cut document is no document.

use std::borrow::Cow;

/// A squashfs image; snapshots of test frameworks have the same extension.
pub(super) fn squashfs(first: &[u8]) -> bool {
    first.starts_with(b"hsqs") || first.starts_with(b"sqsh")
}

/// A list of tasks, as Ansible's roles have them.
pub(super) fn list_of_tasks(first: &[u8]) -> bool {
    text(first).lines().any(|line| line.starts_with("- "))
}

/// What `dotnet publish` writes beside a program.
pub(super) fn dotnet_deps(first: &[u8]) -> bool {
    let text = text(first);
    ["runtimeTarget", "libraries", "targets"]
        .iter()
        .any(|key| values(&text, key).next().is_some())
}

/// What opam keeps of an installed package.
pub(super) fn opam(first: &[u8]) -> bool {
    text(first)
        .lines()
        .any(|line| line.starts_with("opam-version"))
}

/// An application resource file of Erlang; a bundle of macOS is a directory.
pub(super) fn erlang_application(first: &[u8]) -> bool {
    text(first).contains("{application")
}

/// The text of a document; of UTF-16 the characters that are ASCII.
pub(super) fn text(first: &[u8]) -> Cow<'_, str> {
    if first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]) {
        let ascii = first.iter().filter(|byte| byte.is_ascii() && **byte != 0);
        return ascii
            .map(|byte| char::from(*byte))
            .collect::<String>()
            .into();
    }
    String::from_utf8_lossy(first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first))
}

/// The values of a key, wherever the document has it: at the begin of a line, after a dash, or in
/// braces; of a value the text up to the end of the line, without quotes before it.
pub(super) fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(key).filter_map(move |(at, _)| {
        let before = text.get(..at)?;
        let (before, quote) = match before.strip_suffix(['"', '\'']) {
            Some(inner) => (inner, before.get(inner.len()..)?),
            None => (before, ""),
        };
        let line = before.rsplit(['\n', '\r']).next()?;
        let line = line.trim_end();
        let begins =
            line.ends_with(['{', ',']) || line.bytes().all(|byte| b" \t-?".contains(&byte));
        if !begins {
            return None;
        }
        let after = text.get(at.checked_add(key.len())?..)?;
        let after = after.strip_prefix(quote)?.trim_start_matches([' ', '\t']);
        let value = after.strip_prefix(':')?.lines().next().unwrap_or_default();
        Some(value.trim().trim_start_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_of_erlang() {
        assert!(erlang_application(b"{application,cowboy,[]}."));
    }
}
