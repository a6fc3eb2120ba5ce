//! Package URLs (ECMA-427, github.com/package-url/purl-spec): text to parts and back. Knows no
//! type's own rules of equality; those are in `identity`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::limits::MAX_PURL;

/// A package URL, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    /// Type, lower case.
    pub kind: String,
    /// Namespace with `/` between its segments.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Qualifiers without empty values, keys in lower case.
    pub qualifiers: BTreeMap<String, String>,
    /// Path inside the package.
    pub subpath: Option<String>,
}

/// Why a text is no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurlError {
    /// It does not begin with `pkg:`.
    #[error("it does not begin with pkg:")]
    Scheme,
    /// The type is missing or has other characters than letters, digits, `.` and `-`.
    #[error("its type is not valid")]
    Type,
    /// The name is missing.
    #[error("it has no name")]
    Name,
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("its percent encoding is not valid")]
    Encoding,
    /// A qualifier without a key, or one given twice.
    #[error("its qualifiers are not valid")]
    Qualifier,
    /// Longer than [`MAX_PURL`] bytes.
    #[error("it is longer than {MAX_PURL} bytes")]
    Length,
}

impl Purl {
    /// Namespace and name with `/` between them: the full name of npm, Go and Composer.
    pub fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        if text.len() > MAX_PURL {
            return Err(PurlError::Length);
        }
        let (rest, subpath) = cut(text.trim(), '#');
        let (rest, qualifiers) = cut(rest, '?');
        let (scheme, rest) = rest.split_once(':').ok_or(PurlError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(PurlError::Scheme);
        }
        let (kind, rest) = rest
            .trim_start_matches('/')
            .split_once('/')
            .ok_or(PurlError::Name)?;
        if !kind.starts_with(|c: char| c.is_ascii_alphabetic())
            || !kind
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
        {
            return Err(PurlError::Type);
        }
        let (path, version) = split_version(rest.trim_matches('/'));
        let mut segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decode)
            .collect::<Result<Vec<_>, _>>()?;
        let name = segments.pop().ok_or(PurlError::Name)?;
        Ok(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: (!segments.is_empty()).then(|| segments.join("/")),
            name,
            version: version.map(decode).transpose()?,
            qualifiers: read_qualifiers(qualifiers.unwrap_or_default())?,
            subpath: read_subpath(subpath.unwrap_or_default())?,
        })
    }
}

/// Cuts at the last separator.
fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.rsplit_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Cuts off the version. An `@` at the start of a segment belongs to an npm scope that was
/// written without its encoding.
fn split_version(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('@') {
        Some((before, after)) if !before.is_empty() && !before.ends_with('/') => {
            (before, Some(after).filter(|version| !version.is_empty()))
        }
        _ => (path, None),
    }
}

fn read_qualifiers(text: &str) -> Result<BTreeMap<String, String>, PurlError> {
    let mut qualifiers = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(PurlError::Qualifier)?;
        if key.is_empty() {
            return Err(PurlError::Qualifier);
        }
        let value = decode(value)?;
        if value.is_empty() {
            continue;
        }
        if qualifiers.insert(key.to_ascii_lowercase(), value).is_some() {
            return Err(PurlError::Qualifier);
        }
    }
    Ok(qualifiers)
}

fn read_subpath(text: &str) -> Result<Option<String>, PurlError> {
    let segments = text
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "." | ".."))
        .map(decode)
        .collect::<Result<Vec<_>, _>>()?;
    Ok((!segments.is_empty()).then(|| segments.join("/")))
}

/// Percent-decodes; also used for the fragment of a BOM-Link.
pub(super) fn decode(text: &str) -> Result<String, PurlError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = char::from(bytes.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(PurlError::Encoding);
        };
        decoded.push((high << 4) | low);
    }
    String::from_utf8(decoded).map_err(|_| PurlError::Encoding)
}

impl fmt::Display for Purl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pkg:{}", self.kind)?;
        for segment in self
            .namespace
            .iter()
            .flat_map(|namespace| namespace.split('/'))
        {
            write!(out, "/{}", Encoded(segment))?;
        }
        write!(out, "/{}", Encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(out, "@{}", Encoded(version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(out, "{separator}{key}={}", Encoded(value))?;
        }
        for (index, segment) in self
            .subpath
            .iter()
            .flat_map(|path| path.split('/'))
            .enumerate()
        {
            let separator = if index == 0 { '#' } else { '/' };
            write!(out, "{separator}{}", Encoded(segment))?;
        }
        Ok(())
    }
}

/// Percent-encodes all but letters, digits, `.-_~` and the colon.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
                write!(out, "{}", char::from(byte))?;
            } else {
                write!(out, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_all_parts() {
        for (text, written, namespace, name, version) in [
            (
                "pkg:cargo/rand@0.8.5",
                "pkg:cargo/rand@0.8.5",
                None,
                "rand",
                Some("0.8.5"),
            ),
            (
                "PKG://NPM/%40scope/a@1.0?#",
                "pkg:npm/%40scope/a@1.0",
                Some("@scope"),
                "a",
                Some("1.0"),
            ),
            (
                "pkg:npm/@scope/a",
                "pkg:npm/%40scope/a",
                Some("@scope"),
                "a",
                None,
            ),
            (
                "pkg:npm/@scope/a@2",
                "pkg:npm/%40scope/a@2",
                Some("@scope"),
                "a",
                Some("2"),
            ),
            (
                "pkg:deb/debian/x@1%3a2-3~a%2Bb?Distro=debian-12&arch=amd64&empty=",
                "pkg:deb/debian/x@1:2-3~a%2Bb?arch=amd64&distro=debian-12",
                Some("debian"),
                "x",
                Some("1:2-3~a+b"),
            ),
            (
                "pkg:golang/golang.org%2Fx%2Ftext@v0.3.0#./unicode/../norm",
                "pkg:golang/golang.org%2Fx%2Ftext@v0.3.0#unicode/norm",
                None,
                "golang.org/x/text",
                Some("v0.3.0"),
            ),
            (
                "pkg:oci/app@sha256:abc?repository_url=ghcr.io/o/app",
                "pkg:oci/app@sha256:abc?repository_url=ghcr.io%2Fo%2Fapp",
                None,
                "app",
                Some("sha256:abc"),
            ),
        ] {
            let purl: Purl = text.parse().expect(text);
            assert_eq!(purl.to_string(), written);
            assert_eq!(purl.namespace.as_deref(), namespace, "{text}");
            assert_eq!(purl.name, name, "{text}");
            assert_eq!(purl.version.as_deref(), version, "{text}");
            assert_eq!(written.parse::<Purl>().as_ref(), Ok(&purl));
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for (text, error) in [
            ("", PurlError::Scheme),
            ("CVE-2024-1", PurlError::Scheme),
            ("https://example.com/a", PurlError::Scheme),
            ("pkg:cargo", PurlError::Name),
            ("pkg:cargo/", PurlError::Name),
            ("pkg:4a/b", PurlError::Type),
            ("pkg:a b/c", PurlError::Type),
            ("pkg:cargo/a%2", PurlError::Encoding),
            ("pkg:cargo/a%zz", PurlError::Encoding),
            ("pkg:cargo/%ff", PurlError::Encoding),
            ("pkg:cargo/a?b", PurlError::Qualifier),
            ("pkg:cargo/a?=b", PurlError::Qualifier),
            ("pkg:cargo/a?b=1&B=2", PurlError::Qualifier),
        ] {
            assert_eq!(text.parse::<Purl>(), Err(error), "{text}");
        }
        let long = format!("pkg:cargo/{}", "a".repeat(MAX_PURL));
        assert_eq!(long.parse::<Purl>(), Err(PurlError::Length));
    }
}
