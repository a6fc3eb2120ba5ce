//! What a jar without coordinates is: its file name has artifact and version as Maven writes them, or
//! the manifest has; the group can only be guessed.

use std::collections::BTreeSet;

use super::manifest::Manifest;

/// What was found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) artifact: String,
    pub(super) version: String,
    /// Groups that it may be of, sorted.
    pub(super) groups: BTreeSet<String>,
}

/// Attributes that hold a version, the best one first.
const VERSIONS: [&str; 4] = [
    "implementation-version",
    "bundle-version",
    "specification-version",
    "plugin-version",
];

/// Attributes that hold a name, the best one first.
const NAMES: [&str; 4] = [
    "short-name",
    "implementation-title",
    "automatic-module-name",
    "bundle-symbolicname",
];

/// What the place of a jar, its manifest and its classes tell; `None` without artifact and version.
pub(super) fn identify(path: &str, manifest: Option<&Manifest>, classes: &[&str]) -> Option<Named> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let attribute = |name: &str| manifest.and_then(|manifest| manifest.get(name));
    let versions = VERSIONS.iter().filter_map(|name| attribute(name));
    let mut versions = versions.filter(|text| is_version(text));
    // The manifest knows where the version begins: `log4j-1.2-api-2.17.1`.
    let known = versions
        .clone()
        .find_map(|version| ends_with(stem, version));
    let (artifact, version) = if let Some(both) = known.or_else(|| split(stem)) {
        both
    } else {
        let version = versions.next()?;
        let mut names = NAMES.iter().filter_map(|name| attribute(name));
        let own = names.find(|text| is_word(text));
        let is_plain = is_word(stem) && own.is_none_or(|own| own.ends_with(stem));
        (if is_plain { stem } else { own? }, version)
    };
    let (artifact, version) = (artifact.to_owned(), version.to_owned());
    let mut groups = BTreeSet::new();
    groups.extend(attribute("implementation-vendor-id").map(str::to_owned));
    let symbolic = attribute("bundle-symbolicname");
    let symbolic = symbolic
        .and_then(|text| text.split(';').next())
        .map(str::trim);
    for text in symbolic
        .into_iter()
        .chain(attribute("automatic-module-name"))
    {
        groups.extend(above(text, &artifact));
        groups.insert(text.to_owned());
    }
    groups.extend(common(classes));
    groups.retain(|group| is_group(group));
    Some(Named {
        artifact,
        version,
        groups,
    })
}

/// Artifact and version of a file name that ends with a known version.
fn ends_with<'a>(stem: &'a str, version: &'a str) -> Option<(&'a str, &'a str)> {
    let artifact = stem.strip_suffix(version)?.strip_suffix('-')?;
    is_word(artifact).then_some((artifact, version))
}

/// Artifact and version of a file name: the version begins at the first dash before a digit.
fn split(stem: &str) -> Option<(&str, &str)> {
    let at = stem.match_indices('-').map(|(at, _)| at).find(|at| {
        let rest = stem.get(at.saturating_add(1)..).unwrap_or_default();
        rest.starts_with(|first: char| first.is_ascii_digit())
    })?;
    let (artifact, version) = (stem.get(..at)?, stem.get(at.checked_add(1)?..)?);
    (is_word(artifact) && is_version(version)).then_some((artifact, version))
}

/// Of `org.postgresql.jdbc` and `postgresql`, `org.postgresql`; of `com.google.gson` and `gson`, also
/// what is above the artifact.
fn above(name: &str, artifact: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split('.').collect();
    let words: Vec<&str> = artifact.split('-').collect();
    let mut found = Vec::new();
    let first = parts
        .iter()
        .position(|part| words.first() == Some(part) || *part == artifact);
    if let Some(at) = first {
        found.push(parts.get(..at).unwrap_or_default().join("."));
        found.push(parts.get(..=at).unwrap_or_default().join("."));
    }
    found
}

/// The package that all classes lie below, and those above it: `org/springframework/core/…` and
/// `org/springframework/util/…` are `org.springframework`.
fn common(classes: &[&str]) -> Vec<String> {
    let mut shared: Option<Vec<&str>> = None;
    for class in classes {
        let mut parts: Vec<&str> = class.split('/').collect();
        parts.pop();
        if parts.first().is_none_or(|first| *first == "META-INF") {
            continue;
        }
        shared = Some(match shared {
            None => parts,
            Some(before) => {
                let pairs = before.iter().zip(&parts);
                let same = pairs.take_while(|(a, b)| a == b).count();
                parts.truncate(same);
                parts
            }
        });
    }
    let shared = shared.unwrap_or_default();
    (2..=shared.len().min(4))
        .map(|length| shared.get(..length).unwrap_or_default().join("."))
        .collect()
}

/// Whether a text can be a group: lower-case words with dots between them.
fn is_group(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    text.contains('.') && text.len() <= 100 && text.split('.').all(is_part)
}

fn is_word(text: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 100 && text.chars().all(is_char)
}

fn is_version(text: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    text.starts_with(|first: char| first.is_ascii_digit()) && text.chars().all(is_char)
}
