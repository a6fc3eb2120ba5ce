//! Package URLs (ECMA-427, github.com/package-url/purl-spec): text to parts and back (`write`), and
//! those of packages (`of`). Which of them speaks of which package is not judged here.

mod of;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::model::package::PackageType;

/// Bytes of one package URL.
pub const MAX_PURL: usize = 4_096;

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
    /// Namespace and name with the separator of the type between them: the name of a package of
    /// npm, Go, Composer or Maven.
    pub fn full_name(&self) -> String {
        let separator = PackageType::of(&self.kind).separator();
        match &self.namespace {
            Some(namespace) => format!("{namespace}{separator}{}", self.name),
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
pub(crate) fn decode(text: &str) -> Result<String, PurlError> {
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
