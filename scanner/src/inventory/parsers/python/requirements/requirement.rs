//! One requirement: a name with specifiers (PEP 508, PEP 440), an address, an archive or a
//! directory. Follows pip in what it takes for which, and in what it refuses.

use super::super::pypi;
use super::super::pypi::place::{self, Site};
use super::lines::is_space;

/// What a requirement asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    /// One version of a package.
    Pinned(String, String),
    /// One version, as far as the custom in naming archives holds.
    Likely(String, String),
    /// A package; the line does not say which version.
    Unpinned,
    /// Somebody's package from an address or archive, of unknown version.
    Foreign,
    /// A directory: the project itself.
    Project,
    /// What pip does not accept, and why.
    Refused(&'static str),
}

/// Operators, the longer ones before what they begin with.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// Splits a requirement from its marker. In an address, only a semicolon with a blank behind it
/// ends what is asked for.
pub(super) fn split(text: &str) -> (&str, &str) {
    let end = if place::is_address(text) { "; " } else { ";" };
    let (text, marker) = text.split_once(end).unwrap_or((text, ""));
    (text, marker.trim_matches(is_space))
}

/// Reads a requirement without its options.
pub(super) fn read(text: &str) -> Requirement {
    let (text, _) = split(text);
    let text = text.trim_matches(is_space);
    let (path, _) = without_extras(text);
    if place::is_address(text) {
        return at(path);
    }
    let names_itself = text
        .split_once('@')
        .is_some_and(|(name, _)| !looks_like_path(name));
    let is_archive =
        || !path.contains('=') && !matches!(place::at(&format!("./{path}")), Site::Project);
    if !names_itself && (looks_like_path(text) || is_archive()) {
        return at_path(path);
    }
    if place::has_variable(text) {
        return Requirement::Unpinned;
    }
    named(text)
}

/// Reads what `-e` names: a directory, or an address of version control.
pub(super) fn read_editable(text: &str) -> Requirement {
    let text = text.trim_matches(is_space);
    let (path, _) = without_extras(text);
    if path.is_empty() {
        return Requirement::Refused("nothing is named");
    }
    match (place::at(path), place::scheme(path)) {
        (Site::Package(..) | Site::Likely(..), _) => {
            Requirement::Refused("an archive cannot be editable")
        }
        (Site::Project, None) if path.contains(" @ ") => Requirement::Foreign,
        (Site::Project, None | Some("file")) => at_path(path),
        _ => Requirement::Foreign,
    }
}

fn looks_like_path(text: &str) -> bool {
    text.contains(['/', '\\']) || text.starts_with('.')
}

fn at(text: &str) -> Requirement {
    match place::at(text) {
        Site::Package(name, version) => Requirement::Pinned(name, version),
        Site::Likely(name, version) => Requirement::Likely(name, version),
        Site::Foreign => Requirement::Foreign,
        Site::Project => Requirement::Project,
    }
}

fn at_path(text: &str) -> Requirement {
    match at(text) {
        Requirement::Project
            if text.contains(['=', '<', '>', ',', ';'])
                || text.contains(|c: char| is_space(c) || c.is_control()) =>
        {
            Requirement::Refused("neither a requirement nor a path")
        }
        other => other,
    }
}

/// `path[extra]`.
fn without_extras(text: &str) -> (&str, &str) {
    let split = text
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['));
    match split {
        Some((place, extras)) if !place.is_empty() && !extras.is_empty() => (place, extras),
        _ => (text, ""),
    }
}

/// `name [extras] @ address` or `name [extras] specifiers`.
fn named(text: &str) -> Requirement {
    let end = text.find(|c| !pypi::in_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if !pypi::is_name(name) {
        return Requirement::Refused("it does not begin with a name");
    }
    let mut rest = trim_start(rest);
    if let Some(extras) = rest.strip_prefix('[') {
        let Some((extras, after)) = extras.split_once(']') else {
            return Requirement::Refused("a bracket is not closed");
        };
        let is_extra = |extra: &str| pypi::is_name(extra.trim_matches([' ', '\t']));
        if !extras.trim().is_empty() && !extras.split(',').all(is_extra) {
            return Requirement::Refused("its extras are not names");
        }
        rest = trim_start(after);
    }
    if let Some(address) = rest.strip_prefix('@') {
        return at_address(name, address.trim_matches(is_space));
    }
    if let Some(inside) = rest.strip_prefix('(') {
        let Some(inside) = inside.strip_suffix(')') else {
            return Requirement::Refused("a bracket is not closed");
        };
        rest = trim_start(inside);
    }
    match pin(rest) {
        Ok(Some(version)) => Requirement::Pinned(name.to_owned(), version.to_owned()),
        Ok(None) => Requirement::Unpinned,
        Err(cause) => Requirement::Refused(cause),
    }
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn at_address(name: &str, address: &str) -> Requirement {
    if address.is_empty() || address.contains(is_space) {
        return Requirement::Refused("no address follows the @");
    }
    let is_own = |own: &str| pypi::canonical(own) == pypi::canonical(name);
    match at(address) {
        Requirement::Pinned(own, version) if is_own(&own) => {
            Requirement::Pinned(name.to_owned(), version)
        }
        Requirement::Likely(own, version) if is_own(&own) => {
            Requirement::Likely(name.to_owned(), version)
        }
        Requirement::Pinned(..) => Requirement::Refused("the archive is one of another package"),
        Requirement::Likely(..) => Requirement::Foreign,
        other => other,
    }
}

/// The version that the specifiers leave, if they leave a single one.
fn pin(specifiers: &str) -> Result<Option<&str>, &'static str> {
    let mut pinned: Option<&str> = None;
    let mut is_clear = true;
    let mut rest = trim_start(specifiers);
    while !rest.is_empty() {
        let operator = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(**operator));
        let Some(operator) = operator else {
            return Err("no comparison is where one should be");
        };
        rest = trim_start(rest.get(operator.len()..).unwrap_or_default());
        let is_arbitrary = *operator == "===";
        let ends = |c: char| is_space(c) || c == ')' || c == ',' && !is_arbitrary;
        let end = rest.find(ends).unwrap_or(rest.len());
        let (version, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let plain = version.strip_suffix(".*");
        let is_wildcard = plain.is_some() && matches!(*operator, "==" | "!=");
        let plain = plain.filter(|_| is_wildcard).unwrap_or(version);
        // A comma is part of an arbitrary text, but no version that anything was released as.
        let is_plain = is_arbitrary && plain.bytes().all(|byte| byte.is_ascii_graphic());
        if version.is_empty() || !is_plain && !pypi::is_version(plain) {
            return Err("what it compares with is not a version");
        }
        if is_arbitrary && version.contains(',') {
            is_clear = false;
        } else if matches!(*operator, "==" | "===") && !is_wildcard {
            is_clear &= pinned.is_none_or(|other| other == version);
            pinned = Some(version);
        }
        rest = trim_start(after);
        match rest.strip_prefix(',') {
            Some(after) => rest = trim_start(after),
            None if rest.is_empty() => {}
            None => return Err("something follows its version"),
        }
    }
    Ok(pinned.filter(|_| is_clear))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins() {
        for (text, name, version) in [
            ("a==1.0", "a", "1.0"),
            (
                "A.b [x, y] == 2.0rc1 ; python_version < '3'",
                "A.b",
                "2.0rc1",
            ),
            ("a (==1.2)", "a", "1.2"),
            ("a( == 1.2 )", "a", "1.2"),
            ("a==1!2.0", "a", "1!2.0"),
            ("a==1.0,<2", "a", "1.0"),
            ("a>=0.9, ==1.0,", "a", "1.0"),
            ("a===2.0-acme+win", "a", "2.0-acme+win"),
            ("a==1.0;extra == 'x'", "a", "1.0"),
            ("a[]==1", "a", "1"),
            ("wheels/a-1.0-py3-none-any.whl", "a", "1.0"),
            ("./wheels/a-1.0.tar.gz[extra]", "a", "1.0"),
            ("a-1.0-py3-none-any.whl ; sys_platform == 'x'", "a", "1.0"),
            ("C:\\wheels\\a-1.0.zip", "a", "1.0"),
            ("https://x.example/a-1.0.zip#egg=a", "a", "1.0"),
            ("https://${TOKEN}@x.example/a-1.0.zip", "a", "1.0"),
            ("file:///x/a-1.0.zip", "a", "1.0"),
            ("A_b @ https://x.example/a.b-1.0.tar.gz", "A_b", "1.0"),
            (
                "a@https://x.example/a-1.0.tar.gz ; python_version > '3'",
                "a",
                "1.0",
            ),
        ] {
            let pinned = if [".zip", ".gz"].iter().any(|end| text.contains(end)) {
                Requirement::Likely(name.into(), version.into())
            } else {
                Requirement::Pinned(name.into(), version.into())
            };
            assert_eq!(read(text), pinned, "{text}");
        }
    }

    #[test]
    fn versions_that_the_line_does_not_say() {
        for text in [
            "a",
            "a>=1",
            "a==1.*",
            "a~=1.0",
            "a!=1",
            "a[x]",
            "a==${VERSION}",
            "a==1,==2",
            "a===1.0,<2",
            "${NAME}==1",
            "a ; python_version < '3'",
        ] {
            assert_eq!(read(text), Requirement::Unpinned, "{text}");
        }
        for text in [
            "https://github.com/o/r/archive/main.zip",
            "git+https://x.example/r.git@v1.0#egg=a",
            "git+ssh://git@x.example/r.git",
            "git+https://x.example/a-1.0.zip",
            "a @ git+https://x.example/r.git",
            "a @ https://x.example/main.zip",
            "a @ file:///croot/a_1/work",
            "https://x.example/a.exe",
            "/opt/a",
            "file:///opt/a",
            "C:\\a",
            "./${DIRECTORY}",
        ] {
            assert_eq!(read(text), Requirement::Foreign, "{text}");
        }
    }

    #[test]
    fn directories_are_the_project() {
        for text in [
            ".",
            "./local",
            "../local[x]",
            "libs/a",
            "file:libs/a",
            "a @ ./libs/a",
        ] {
            assert_eq!(read(text), Requirement::Project, "{text}");
        }
        for text in [".", "./a[x]", "a", "file:.", "libs/a"] {
            assert_eq!(read_editable(text), Requirement::Project, "{text}");
        }
        for text in [
            "git+https://x.example/r.git#egg=a",
            "git://x.example/r",
            "hg+http://x.example/r",
            "svn+svn://x.example/r",
            "https://x.example/a.zip",
            "a @ git+https://x.example/r.git",
            "/opt/a",
            "${HOME}/a",
        ] {
            assert_eq!(read_editable(text), Requirement::Foreign, "{text}");
        }
        assert!(matches!(
            read_editable("a-1.0.zip"),
            Requirement::Refused(_)
        ));
    }

    #[test]
    fn what_pip_refuses() {
        for text in [
            "flask==0.12 django==1.8",
            "flask=0.12",
            "flask==latest",
            "flask 0.12",
            "flask==0.12\t--hash=sha256:0",
            "flask==1.0\u{200b}",
            "flask===1.0\u{200b}",
            "re\u{200b}quests==1",
            "-a",
            "(kappa",
            "a[x==1",
            "a[x y]==1",
            "a (==1",
            "a==",
            "a==1 2",
            "==1",
            "a @ ",
            "a @ b c",
            "a @ https://x.example/b-1.0-py3-none-any.whl",
            "odd/name==1.0",
            "a\0b",
            "<<<<<<< HEAD",
            "=======",
            ">>>>>>> b",
        ] {
            assert!(
                matches!(read(text), Requirement::Refused(_)),
                "{text:?}: {:?}",
                read(text)
            );
        }
    }
}
