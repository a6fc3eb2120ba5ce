//! Go's spelling of its own versions.

use std::borrow::Cow;

/// The text in which a version of a package is compared: Go's toolchain
/// writes `go1.21rc2` for what advisories call `1.21.0-rc2`.
pub(in crate::query) fn comparable<'a>(
    ecosystem: &str,
    name: &str,
    version: &'a str,
) -> Cow<'a, str> {
    if ecosystem != "Go" || !matches!(name, "stdlib" | "toolchain") {
        return Cow::Borrowed(version);
    }
    let version = version.trim();
    let plain = version.strip_prefix("go").unwrap_or(version);
    let plain = plain.split(' ').next().unwrap_or(plain);
    let end = plain
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(plain.len());
    let (numbers, rest) = plain.split_at_checked(end).unwrap_or((plain, ""));
    if numbers.is_empty() {
        return Cow::Borrowed(plain);
    }
    let Some(pre_release) = go_pre_release(rest.strip_prefix('-').unwrap_or(rest)) else {
        // A vendor's suffix (`go1.21.5-bigcorp`, `go1.21.5 X:boringcrypto`) is none.
        return Cow::Borrowed(numbers);
    };
    let padding = if numbers.matches('.').count() < 2 {
        ".0"
    } else {
        ""
    };
    Cow::Owned(format!("{numbers}{padding}-{pre_release}"))
}

/// A pre-release of Go in the spelling of its advisories (`rc.1`, `beta.2`, `0`), whichever way
/// it was written; `None` for anything else.
fn go_pre_release(text: &str) -> Option<String> {
    if text == "0" || text.starts_with("0.") {
        return Some(text.to_owned());
    }
    ["rc", "beta", "alpha", "pre"].into_iter().find_map(|word| {
        let number = text.strip_prefix(word)?;
        let number = number.strip_prefix('.').unwrap_or(number);
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(format!("{word}.{number}"));
        }
        // No release of Go, but what is built before one: `rc`, `rc1.0.2020…`, `pre.0.2020…`.
        let is_word = !number.starts_with(|first: char| first.is_ascii_alphabetic());
        is_word.then(|| text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::comparable;

    #[test]
    fn the_toolchains_spelling_becomes_semver() {
        for (version, expected) in [
            ("go1.21.5", "1.21.5"),
            ("go1.21rc2", "1.21.0-rc.2"),
            ("1.24.0-rc.1", "1.24.0-rc.1"),
            ("1.25.0-0", "1.25.0-0"),
            ("1.25.0-rc", "1.25.0-rc"),
            (" go1.21.5 ", "1.21.5"),
            ("1.25.0-0.20250101", "1.25.0-0.20250101"),
            ("1.25.0-rc1.0.20250101", "1.25.0-rc1.0.20250101"),
            ("go1.21.5-prefab", "1.21.5"),
            ("go1.21.5-bigcorp", "1.21.5"),
            ("1.20", "1.20"),
            ("go1.21.5 X:boringcrypto", "1.21.5"),
        ] {
            assert_eq!(comparable("Go", "stdlib", version), expected);
        }
        assert_eq!(comparable("Go", "example.org/x", "v1.0.0"), "v1.0.0");
    }
}
