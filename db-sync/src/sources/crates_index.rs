//! Which versions on crates.io were yanked, from a crates.io index as cargo
//! keeps it: a git checkout (`ca/rg/cargo`, one JSON object per line), or the
//! cache folder of a sparse index (`.cache/ca/rg/cargo`, the objects between
//! NUL bytes after a header). Nothing else of the index is kept, and no folder
//! is looked at but the one that is named. A file that cannot be read as
//! either is a warning: yanks in it are not known.

use crate::limits::Limits;
use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::SourceError;
use crate::store::SourceInfo;
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The kind of this source in the database.
pub(crate) const KIND: &str = "crates-index";
/// Its name in the database and in warnings.
pub(crate) const NAME: &str = "crates.io";
/// Folders above a file: `ca/rg/cargo`.
const MAX_DEPTH: usize = 2;
/// The longest name that crates.io allows.
const MAX_NAME: usize = 64;
/// Versions of cargo's cache format with the present layout.
const CACHE_VERSIONS: [u8; 2] = [2, 3];
/// The header of a cache file: its version, and the version of the index.
const CACHE_HEADER: usize = 5;

/// The yanked versions of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Yanked {
    /// Versions by crate.
    pub(crate) crates: BTreeMap<String, BTreeSet<String>>,
    /// The newest publication that the index tells.
    pub(crate) newest: Option<Moment>,
}

/// One line of an index file (cargo's reference, "Index format").
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default, borrow)]
    pubtime: Option<Cow<'a, str>>,
}

impl Yanked {
    /// How the database describes it.
    pub(crate) fn info(&self) -> SourceInfo {
        let pairs: usize = self.crates.values().map(BTreeSet::len).sum();
        SourceInfo {
            kind: KIND.to_owned(),
            name: NAME.to_owned(),
            digest: format!("sha256:{}", self.digest()),
            records: pairs as u64,
            newest_modified: self.newest.map(|moment| moment.to_string()),
            newest_listed: None,
        }
    }

    /// A digest over all that is kept.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (name, versions) in &self.crates {
            for version in versions {
                for text in [name, version] {
                    hasher.update(text.as_bytes());
                    hasher.update([0]);
                }
            }
        }
        if let Some(newest) = self.newest {
            hasher.update(newest.to_string());
        }
        hex::encode(hasher.finalize())
    }

    fn join(&mut self, other: Self) {
        for (name, versions) in other.crates {
            self.crates.entry(name).or_default().extend(versions);
        }
        self.newest = self.newest.max(other.newest);
    }
}

/// Reads an index; warnings are sorted.
pub(crate) fn read(root: &Path, limits: &Limits) -> Result<(Yanked, Vec<Warning>), SourceError> {
    let cache = root.join(".cache");
    let top = if cache.is_dir() { &cache } else { root };
    let mut paths = BTreeSet::new();
    files(top, 0, limits, &mut paths)?;
    let mut warnings = Vec::new();
    warnings.extend(foreign(root));
    let parts: Vec<(bool, Yanked, Vec<Warning>)> = paths
        .into_par_iter()
        .map(|path| one(&path, limits))
        .collect::<Result<_, _>>()?;
    let mut yanked = Yanked::default();
    let mut usable = false;
    for (understood, part, told) in parts {
        usable |= understood;
        yanked.join(part);
        warnings.extend(told);
    }
    warnings.sort();
    if !usable {
        return Err(SourceError::Empty {
            path: root.to_owned(),
            first: warnings.into_iter().next(),
        });
    }
    Ok((yanked, warnings))
}

/// A warning where the index says that it is another registry's.
fn foreign(root: &Path) -> Option<Warning> {
    #[derive(Deserialize)]
    struct Config {
        api: Option<String>,
    }
    let mut text = Vec::new();
    let file = fs::File::open(root.join("config.json")).ok()?;
    file.take(1 << 16).read_to_end(&mut text).ok()?;
    let config: Config = serde_json::from_slice(&text).ok()?;
    let api = config.api.filter(|api| !api.contains("crates.io"))?;
    let cause = format!("the index names another registry ({api}): its yanks count for crates.io");
    Some(Warning::new(NAME, "config.json", cause))
}

/// The index files: two levels down, and one for crates of up to three letters.
fn files(
    folder: &Path,
    depth: usize,
    limits: &Limits,
    found: &mut BTreeSet<PathBuf>,
) -> Result<(), SourceError> {
    let failed = |source| SourceError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_name(name)) else {
            continue; // `.git`, `.last-updated`, `config.json`
        };
        // Links are neither: what they lead to is not the index.
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && depth < MAX_DEPTH && name.len() <= 2 {
            files(&entry.path(), depth.saturating_add(1), limits, found)?;
        } else if kind.is_file() && depth > 0 {
            found.insert(entry.path());
        }
        if found.len() as u64 > limits.entries {
            return Err(SourceError::TooLarge {
                path: folder.to_owned(),
                what: "files",
                limit: limits.entries,
            });
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_letter)
}

/// The yanked versions in one file, and whether it was an index file.
fn one(path: &Path, limits: &Limits) -> Result<(bool, Yanked, Vec<Warning>), SourceError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| {
            file.take(limits.record_bytes.saturating_add(1))
                .read_to_end(&mut text)
        })
        .map_err(|source| SourceError::Read {
            path: path.to_owned(),
            source,
        })?;
    let warned = |cause: String| {
        let cause = format!("{cause}: what is yanked in it is not known");
        (
            false,
            Yanked::default(),
            vec![Warning::new(NAME, &name, cause)],
        )
    };
    if text.len() as u64 > limits.record_bytes {
        let cause = format!("the index file has more than {} bytes", limits.record_bytes);
        return Ok(warned(cause));
    }
    let objects = match objects(&text) {
        Ok(objects) => objects,
        Err(cause) => return Ok(warned(cause)),
    };
    let mut yanked = Yanked::default();
    let mut bad = None;
    for object in objects {
        match line(object, &name, limits) {
            Ok(line) => {
                let published = line.pubtime.and_then(|text| Moment::parse(&text));
                yanked.newest = yanked.newest.max(published);
                if line.yanked == Some(true) {
                    let versions = yanked.crates.entry(line.name.into_owned()).or_default();
                    versions.insert(line.vers.into_owned());
                }
            }
            Err(cause) => {
                bad.get_or_insert(cause);
            }
        }
    }
    let told = bad.map(|cause| Warning::skipped(NAME, &name, format!("line skipped: {cause}")));
    Ok((true, yanked, told.into_iter().collect()))
}

fn line<'a>(object: &'a [u8], file: &str, limits: &Limits) -> Result<Line<'a>, String> {
    let line: Line<'_> = serde_json::from_slice(object).map_err(|error| error.to_string())?;
    if !is_name(&line.name) || !line.name.eq_ignore_ascii_case(file) {
        return Err(format!("it is about {:?}", line.name));
    }
    if line.vers.len() > limits.version_length {
        return Err(format!("a version of {} characters", line.vers.len()));
    }
    Ok(line)
}

/// The JSON objects of an index file.
fn objects(text: &[u8]) -> Result<Vec<&[u8]>, String> {
    match text.first() {
        None => Ok(Vec::new()),
        Some(b'{' | b'\n') => Ok(text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .collect()),
        Some(version) if CACHE_VERSIONS.contains(version) => {
            cached(text).ok_or_else(|| "the cache file is cut off".to_owned())
        }
        Some(version) => Err(format!(
            "the cache file is of the unknown version {version}"
        )),
    }
}

/// `header │ state NUL │ (version NUL │ object NUL)*`
fn cached(text: &[u8]) -> Option<Vec<&[u8]>> {
    let body = text.get(CACHE_HEADER..)?.strip_suffix(b"\0")?;
    let mut parts = body.split(|byte| *byte == 0).skip(1);
    let mut objects = Vec::new();
    while parts.next().is_some() {
        objects.push(parts.next()?);
    }
    Some(objects)
}

#[cfg(test)]
mod tests {
    use super::{Yanked, objects, read};
    use crate::limits::Limits;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    const LINES: &str = concat!(
        r#"{"name":"Cargo","vers":"0.1.0","deps":[{"name":"yanked"}],"yanked":true,"pubtime":"2026-01-02T00:00:00Z"}"#,
        "\n",
        r#"{"name":"Cargo","vers":"0.2.0+a","yanked":true,"features":{"x":[]}}"#,
        "\n",
        r#"{"name":"Cargo","vers":"0.3.0","yanked":false,"pubtime":"2026-03-02T00:00:00Z"}"#,
        "\n",
    );

    fn cache(version: u8) -> Vec<u8> {
        let mut out = vec![version, 2, 0, 0, 0];
        out.extend(b"etag: \"x\"\0");
        for (number, line) in LINES.lines().enumerate() {
            out.extend(format!("0.{number}.0\0{line}\0").bytes());
        }
        out
    }

    fn put(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        fs::write(path, bytes).expect("write");
    }

    fn pairs(yanked: &Yanked) -> Vec<String> {
        let crates = yanked.crates.iter();
        let pairs =
            crates.flat_map(|(name, all)| all.iter().map(move |one| format!("{name} {one}")));
        pairs.collect()
    }

    #[test]
    fn a_checkout_and_a_cache_tell_the_same() {
        let (plain, sparse) = (
            TempDir::new().expect("folder"),
            TempDir::new().expect("folder"),
        );
        put(plain.path(), "ca/rg/cargo", LINES.as_bytes());
        put(
            plain.path(),
            "config.json",
            br#"{"api":"https://crates.io"}"#,
        );
        put(plain.path(), ".git/ca/rg/cargo", b"not an index");
        put(sparse.path(), ".cache/ca/rg/cargo", &cache(3));
        put(sparse.path(), "config.json", b"{}");
        let limits = Limits::default();
        let (one, warnings) = read(plain.path(), &limits).expect("checkout");
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(pairs(&one), ["Cargo 0.1.0", "Cargo 0.2.0+a"]);
        let (two, _) = read(sparse.path(), &limits).expect("cache");
        let (three, _) = read(&sparse.path().join(".cache"), &limits).expect("cache folder");
        assert!(one == two && one == three);
        let info = one.info();
        assert_eq!((info.kind.as_str(), info.records), ("crates-index", 2));
        assert_eq!(
            info.newest_modified.as_deref(),
            Some("2026-03-02T00:00:00Z")
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let root = TempDir::new().expect("folder");
        let limits = Limits {
            record_bytes: 1000,
            entries: 8,
            version_length: 5,
            ..Limits::default()
        };
        assert!(read(root.path(), &limits).is_err());
        put(root.path(), "ca/rg/cargo", LINES.as_bytes());
        put(root.path(), "1/x", &cache(9));
        put(
            root.path(),
            "2/xy",
            br#"{"name":"zz","vers":"1.0.0","yanked":true}"#,
        );
        put(root.path(), "3/x/xyz", &[b'{'; 1001]);
        put(
            root.path(),
            "lo/ng/longer",
            b"\n{\"name\":\"longer\",\"vers\":\"1.0.00\"}\n{oops\n",
        );
        put(
            root.path(),
            "config.json",
            br#"{"api":"https://other.example"}"#,
        );
        let cut = cache(3);
        put(root.path(), "cu/t-/cut-off", &cut[..cut.len() - 3]);
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", root.path().join("ln")).expect("link");
        let (yanked, warnings) = read(root.path(), &limits).expect("index");
        assert_eq!(pairs(&yanked), ["Cargo 0.1.0"]);
        let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let all = told.join("\n");
        for cause in [
            "cargo: line skipped: a version of 7",
            "x: the cache file is of the unknown version 9",
            "xy: line skipped: it is about \"zz\"",
            "xyz: the index file has more than 1000 bytes",
            "longer: line skipped: a version of 6",
            "cut-off: the cache file is cut off",
            "config.json: the index names another registry",
        ] {
            assert!(all.contains(cause), "{cause}\n{all}");
        }
        for number in 0..9 {
            put(root.path(), &format!("ma/ny/many{number}"), b"");
        }
        assert!(read(root.path(), &limits).is_err());
        assert_eq!(objects(b""), Ok(Vec::new()));
    }
}
