//! Where a Python package comes from, if not from an index: an address, an archive or a directory.
//! Owns what their names say: wheels after PEP 427, source archives after PEP 625, and which paths
//! are the project's own.

use super::{is_name, is_version};

/// What pip takes for an archive, by its last name.
const ARCHIVES: [&str; 13] = [
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
    ".tar.zst",
];

/// The schemes that pip opens, without those of version control.
const SCHEMES: [&str; 4] = ["http", "https", "file", "ftp"];

/// Version control that pip installs from.
const VERSION_CONTROL: [&str; 4] = ["git", "hg", "svn", "bzr"];

/// What lies at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Site {
    /// A package, whose name and version the name of its archive must say.
    Package(String, String),
    /// A package, whose name and version the name of its archive says by custom only.
    Likely(String, String),
    /// Somebody's package, of unknown name or version.
    Foreign,
    /// A directory: the project itself.
    Project,
}

/// What lies at an address or a path.
pub(in super::super) fn at(text: &str) -> Site {
    if !has_control(text)
        && let Some(archive) = archive(text)
    {
        return match archive {
            Archive::Named(name, version) => Site::Package(name, version),
            Archive::Likely(name, version) => Site::Likely(name, version),
            Archive::Nameless => Site::Foreign,
        };
    }
    let path = match scheme(text) {
        Some("file") => text.get("file:".len()..).unwrap_or_default(),
        _ if is_address(text) => return Site::Foreign,
        _ => text,
    };
    let has_drive = path
        .get(1..3)
        .is_some_and(|drive| matches!(drive, ":\\" | ":/"));
    let is_elsewhere = path.starts_with(['/', '\\', '~']) || has_drive || has_variable(path);
    if is_elsewhere || is_unpacked(path) {
        return Site::Foreign;
    }
    Site::Project
}

/// Whether a path ends in something like `name-1.0`: what an archive is unpacked to, or an archive
/// of a kind that pip does not know.
fn is_unpacked(path: &str) -> bool {
    let path = path.trim_end_matches(['/', '\\']);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let mut parts = name.split('-').skip(1);
    parts.any(|part| part.starts_with(|c: char| c.is_ascii_digit()) && part.contains('.'))
}

/// Whether a text is an address that pip would open or check out.
pub(in super::super) fn is_address(text: &str) -> bool {
    scheme(text).is_some_and(|scheme| SCHEMES.contains(&scheme)) || has_control(text)
}

/// Whether an address is one of version control, such as `git+https://…`.
pub(in super::super) fn has_control(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let control = scheme.split_once('+').map_or("", |(control, _)| control);
    VERSION_CONTROL
        .iter()
        .any(|known| known.eq_ignore_ascii_case(control))
}

/// The scheme of an address, in lower case: `None` if it is not one that pip knows.
pub(in super::super) fn scheme(text: &str) -> Option<&'static str> {
    let (scheme, _) = text.split_once(':')?;
    let known = SCHEMES.iter().chain(&VERSION_CONTROL);
    known
        .copied()
        .find(|known| known.eq_ignore_ascii_case(scheme))
}

/// Whether a text takes something from the environment, as in `${NAME}`.
pub(in super::super) fn has_variable(text: &str) -> bool {
    text.split("${").skip(1).any(|after| {
        let name = after.split_once('}').map_or("", |(name, _)| name);
        let known = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        !name.is_empty() && name.chars().all(known)
    })
}

/// What the name of an archive tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Archive {
    /// Name and version.
    Named(String, String),
    /// The same, by custom only.
    Likely(String, String),
    /// An archive whose name does not say what is in it.
    Nameless,
}

/// Reads the last name of a path or address; `None` if it is not one of an archive.
fn archive(place: &str) -> Option<Archive> {
    let place = if is_address(place) {
        place.split(['#', '?']).next().unwrap_or(place)
    } else {
        place
    };
    let file = place.rsplit(['/', '\\']).next().unwrap_or(place);
    let file = percent_decoded(file);
    let extension = ARCHIVES.iter().find(|extension| {
        file.len()
            .checked_sub(extension.len())
            .and_then(|at| file.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(extension))
    })?;
    let stem = file.get(..file.len().saturating_sub(extension.len()))?;
    let named = if *extension == ".whl" {
        wheel(stem)
    } else {
        source(stem)
    };
    Some(match named {
        // pip refuses a wheel whose name is not what its metadata says; of the others, many are
        // older than the rule for their names, or no package's own archive.
        Some((name, version)) if *extension == ".whl" => Archive::Named(name, version),
        Some((name, version)) => Archive::Likely(name, version),
        None => Archive::Nameless,
    })
}

/// `name-version[-build]-python-abi-platform`.
fn wheel(stem: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version) = match parts.as_slice() {
        [name, version, _, _, _] => (name, version),
        [name, version, build, _, _, _] if build.starts_with(|c: char| c.is_ascii_digit()) => {
            (name, version)
        }
        _ => return None,
    };
    // Old builders write a hyphen of the version as an underscore.
    let spellings = [(*version).to_owned(), version.replace('_', "-")];
    let version = spellings.into_iter().find(|text| is_version(text))?;
    is_name(name).then(|| (name.replace('_', "-"), version))
}

/// `name-version`, where either may hold hyphens: only if there is one way to split it.
fn source(stem: &str) -> Option<(String, String)> {
    let splits = stem.match_indices('-').filter_map(|(at, _)| {
        let (name, rest) = stem.split_at_checked(at)?;
        let version = rest.strip_prefix('-')?;
        (is_name(name) && is_version(version)).then_some((name, version))
    });
    let splits: Vec<_> = splits.collect();
    match splits.as_slice() {
        [(name, version)] => Some(((*name).to_owned(), (*version).to_owned())),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let code = after
            .get(..2)
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(b'%');
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_say_what_is_in_them() {
        for (place, expected) in [
            (
                "wheels/Jinja2-2.10-py2.py3-none-any.whl",
                Some(("Jinja2", "2.10")),
            ),
            (
                "a_b-1.0-3b-cp39-cp39-linux_x86_64.WHL",
                Some(("a-b", "1.0")),
            ),
            (
                "https://x.example/torch-1.9.0%2Bcu111-cp38-cp38-linux_x86_64.whl#sha256=0",
                Some(("torch", "1.9.0+cu111")),
            ),
            (
                "https://x.example/requests-2.19.1.zip?token=a/b",
                Some(("requests", "2.19.1")),
            ),
            ("file:///tmp/foo-bar-1.0.tar.gz", Some(("foo-bar", "1.0"))),
            ("..\\wheels\\foo-1.0rc1.tgz", Some(("foo", "1.0rc1"))),
            ("https://github.com/o/r/archive/v1.0.zip", None),
            ("https://github.com/o/r/archive/main.tar.gz", None),
            ("foo-2-1.tar.gz", None),
            ("foo-latest-py3-none-any.whl", None),
            ("foo-1.0-x-py3-none-any.whl", None),
            ("-1.0.zip", None),
        ] {
            let by_grammar = [".whl", ".WHL"].iter().any(|end| place.contains(end));
            let expected = match expected {
                Some((name, version)) if by_grammar => Archive::Named(name.into(), version.into()),
                Some((name, version)) => Archive::Likely(name.into(), version.into()),
                None => Archive::Nameless,
            };
            assert_eq!(archive(place), Some(expected), "{place}");
        }
        for place in ["./local", "foo", "foo.egg", "", "zip", "é.txt"] {
            assert_eq!(archive(place), None, "{place}");
        }
    }

    #[test]
    fn directories_are_the_project_unless_they_lie_elsewhere() {
        for text in [".", "./a", "../a", "a/b", "file:.", "file:a"] {
            assert_eq!(at(text), Site::Project, "{text}");
        }
        for text in [
            "/a",
            "~/a",
            "C:\\a",
            "C:/a",
            "file:///a",
            "FILE:/a",
            "${A}/b",
            "https://x.example/a",
            "git+https://x.example/a-1.0.zip",
            "a.zip",
            "./vendor/a-1.0/",
            "./a-1.0-py3-none-any.whx",
            "./a#b-1.0-py3-none-any.whl",
        ] {
            assert_eq!(at(text), Site::Foreign, "{text}");
        }
        let wheel = Site::Package("a".to_owned(), "1.0".to_owned());
        assert_eq!(at("file:wheels/a-1.0-py3-none-any.whl"), wheel);
    }

    #[test]
    fn variables_are_those_of_pip() {
        for text in ["${A}", "x${A_1}y", "${}${B}"] {
            assert!(has_variable(text), "{text}");
        }
        for text in ["$A", "${a}", "${A", "${}"] {
            assert!(!has_variable(text), "{text}");
        }
    }
}
