//! Relative URI references (RFC 3986) for SARIF: where a file lies as seen from the root of the
//! repository. No scheme, no absolute path, no `..` ever comes out of here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode_byte, utf8_percent_encode};

use crate::model::location::Location;
use crate::model::report::Target;

/// Bytes that stand for themselves in a path: the unreserved ones, and those sub-delimiters that
/// occur in names of packages and in our `!/` chains. A colon is always encoded, since the first
/// segment must not look like a scheme.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=')
    .remove(b',');

fn push(out: &mut String, segment: &str) {
    out.extend(utf8_percent_encode(segment, ENCODED));
}

/// A path as a relative reference in its shortest form: empty and `.` segments go; `..`, which
/// only an escaping path holds, becomes `_`, so that no reader follows it.
pub(crate) fn encode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for segment in path.split('/').filter(|s| !matches!(*s, "" | ".")) {
        if !out.is_empty() {
            out.push('/');
        }
        push(&mut out, if segment == ".." { "_" } else { segment });
    }
    out
}

/// The prefix of everything in a target: none for a directory or plan, whose locations are those of the
/// repository already, or the image with the `!` that enters it
/// (`images/app.tar!/var/lib/dpkg/status`).
pub(crate) fn root(target: &Target) -> String {
    if target.kind.is_image() {
        let path = encode_path(&target.path);
        format!("{}!", if path.is_empty() { "image" } else { &path })
    } else {
        String::new()
    }
}

/// The file of a location; `.` for a target as a whole without a name.
pub(crate) fn of(target: Option<&Target>, location: &Location) -> String {
    let root = target.map(root).unwrap_or_default();
    let path = encode_path(&location.path);
    match (root.is_empty(), path.is_empty()) {
        (true, true) => ".".to_owned(),
        (true, false) => path,
        (false, true) => root.trim_end_matches('!').to_owned(),
        (false, false) => format!("{root}/{path}"),
    }
}

/// An address for `helpUri`: an untrusted one passes only as plain `http(s)://host…`, with
/// everything outside RFC 3986 encoded.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => "http",
        "https" => "https",
        _ => return None,
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    if host.is_empty()
        || !host.bytes().all(sound)
        || !host.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return None;
    }
    let mut out = format!("{scheme}://");
    let mut fragment = false;
    for (index, byte) in rest.bytes().enumerate() {
        let escape = index.saturating_add(1)..index.saturating_add(3);
        let escape = rest.as_bytes().get(escape);
        let lone = byte == b'%' && !escape.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let again = fragment && byte == b'#';
        fragment |= byte == b'#';
        let stands = byte.is_ascii_alphanumeric() || b"-._~!@+=,/?#:;&%'()*$".contains(&byte);
        if !again && !lone && stands {
            out.push(char::from(byte));
        } else {
            out.push_str(percent_encode_byte(byte));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::target::{ImageKind, TargetKind};

    const OCI: TargetKind = TargetKind::Image(ImageKind::OciLayout);

    fn target(kind: TargetKind, path: &str, prefix: &str) -> Target {
        Target {
            prefix: prefix.to_owned(),
            ..Target::new(kind, path)
        }
    }

    #[test]
    fn paths_are_encoded_and_shortest() {
        assert_eq!(encode_path("a b/ü%/c:d\\e"), "a%20b/%C3%BC%25/c%3Ad%5Ce");
        assert_eq!(encode_path("/./a//../b/"), "a/_/b");
        assert_eq!(encode_path("x\n<y>"), "x%0A%3Cy%3E");
    }

    #[test]
    fn places_are_relative_to_the_repository() {
        let file = Location::file("go.mod");
        assert_eq!(
            of(Some(&target(TargetKind::Directory, ".", "")), &file),
            "go.mod"
        );
        assert_eq!(
            of(Some(&target(TargetKind::Directory, "a", "a")), &file),
            "go.mod"
        );
        assert_eq!(of(Some(&target(OCI, "img/x", "")), &file), "img/x!/go.mod");
        assert_eq!(
            of(Some(&target(OCI, "img/x", "")), &Location::file("")),
            "img/x"
        );
        assert_eq!(of(None, &Location::file("")), ".");
    }

    #[test]
    fn only_web_addresses_pass() {
        assert_eq!(
            address(" HTTPS://e.org/a b#c#d ").as_deref(),
            Some("https://e.org/a%20b#c%23d")
        );
        assert_eq!(
            address("http://e.org/%41%zz%").as_deref(),
            Some("http://e.org/%41%25zz%25")
        );
        assert_eq!(address("javascript:alert(1)"), None);
        assert_eq!(address("https://user@e.org/"), None);
        assert_eq!(address("https:///x"), None);
    }
}
