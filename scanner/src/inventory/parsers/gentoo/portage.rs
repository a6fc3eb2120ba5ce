//! Portage's database of installed packages (portage(5), "/var/db/pkg"): the directory
//! `var/db/pkg/<category>/<name>-<version>/` is the package, as it is for Portage itself, so that
//! any of the files that each of them has tells it. `PF` repeats the directory's name, `CONTENTS`
//! lists files with their checksums. Of what is not a name and a version by the rules for ebuild names
//! (PMS, "Names and versions") nothing is known, and it is a gap.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::text::with_lines;
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

const ROOT: &str = "var/db/pkg/";

/// What Portage writes in front of a directory that it is working on.
const UNFINISHED: &str = "-MERGING-";

/// `PF` and `CONTENTS`.
pub(crate) static PARSER: Parser = Parser {
    id: "portage",
    version: 1,
    wants: &[Want::Name("PF"), Want::Name("CONTENTS")],
    accepts: Some(|path| entry(path).is_some()),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse,
};

/// Category, directory and name of a file in the database.
fn entry(path: &str) -> Option<(&str, &str, &str)> {
    let mut parts = path.strip_prefix(ROOT)?.split('/');
    let parts = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    match parts {
        (category, directory, file, None) => Some((category, directory, file)),
        _ => None,
    }
}

/// Splits `name-version[-rN]`.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut end = text.len();
    if let Some((before, revision)) = text.rsplit_once("-r")
        && is_digits(revision)
    {
        end = before.len();
    }
    let at = text.get(..end)?.rfind('-')?;
    let version = text.get(at..)?.strip_prefix('-')?;
    let base = text.get(at..end)?.strip_prefix('-')?;
    let name = text.get(..at)?;
    (is_version(base) && !name.is_empty()).then_some((name, version))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Numbers with dots, at most one letter, and suffixes such as `_rc1`.
fn is_version(text: &str) -> bool {
    let mut parts = text.split('_');
    let numbers = parts.next().unwrap_or_default();
    let numbers = numbers
        .strip_suffix(|last: char| last.is_ascii_lowercase())
        .unwrap_or(numbers);
    numbers.split('.').all(is_digits)
        && parts.all(|part| {
            let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
            matches!(word, "alpha" | "beta" | "pre" | "rc" | "p")
        })
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let Some((category, directory, file)) = entry(path) else {
        return Ok(()); // `accepts` takes no other
    };
    let name = if directory.starts_with(UNFINISHED) {
        let cause = format!(
            "package {}: its installation was interrupted",
            shown(directory)
        );
        facts.gap(path, None, GapKind::Unreadable, cause);
        return Ok(());
    } else if let Some((name, version)) = split(directory) {
        let full: Arc<str> = format!("{category}/{name}").into();
        let place = path.strip_suffix(file).unwrap_or(path);
        let place = Location::file(place.trim_end_matches('/'));
        facts.add(Package::new(PackageType::PORTAGE, Arc::clone(&full), version).at(place));
        full
    } else {
        let cause = format!("{} is not a name and a version", shown(directory));
        facts.malformed(path, None, cause);
        return Ok(());
    };
    if file == "PF" {
        return check(path, directory, input.content, facts);
    }
    own(path, &name, input.content, facts)
}

/// `PF` says what the directory says.
fn check(
    path: &str,
    directory: &str,
    content: Content<'_>,
    facts: &mut Facts,
) -> Result<(), ParseError> {
    let agrees = with_lines(content, |mut lines| {
        let first = lines.next()?;
        Ok(first.is_some_and(|line| !line.cut && line.text() == Some(directory)))
    })?;
    if !agrees {
        let cause = format!("package {}: PF names another package", shown(directory));
        facts.malformed(path, None, cause);
    }
    Ok(())
}

/// `obj PATH MD5 TIME`, where the path may have blanks, `dir PATH`, `sym PATH -> TARGET TIME`.
fn own(
    path: &str,
    owner: &Arc<str>,
    content: Content<'_>,
    facts: &mut Facts,
) -> Result<(), ParseError> {
    with_lines(content, |mut lines| {
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a path longer than the limit was skipped";
                facts.gap(path, Some(line.number), GapKind::Limit, cause);
                continue;
            }
            // A name that is not UTF-8 is none that a parser wants.
            let Some(rest) = line.text().and_then(|text| text.strip_prefix("obj ")) else {
                continue;
            };
            let mut parts = rest.rsplitn(3, ' ');
            let (_, sum, file) = (parts.next(), parts.next(), parts.next());
            let Some((sum, file)) = sum.zip(file) else {
                let cause = "a file without a checksum and a time";
                facts.malformed(path, Some(line.number), cause);
                continue;
            };
            let (directory, name) = file.rsplit_once('/').unwrap_or(("", file));
            facts.own_summed(owner, directory, name, || Some(format!("md5:{sum}").into()));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::run;

    #[test]
    fn names_and_versions_by_the_rules_for_ebuilds() {
        for (text, expected) in [
            ("bash-5.2_p26-r1", Some(("bash", "5.2_p26-r1"))),
            ("gtk+-2.24.33", Some(("gtk+", "2.24.33"))),
            ("foo-1-bar-2a", Some(("foo-1-bar", "2a"))),
            ("openssl-3.0.13-r2", Some(("openssl", "3.0.13-r2"))),
            (
                "linux-firmware-20240909",
                Some(("linux-firmware", "20240909")),
            ),
            ("x-1.0_rc1_p2", Some(("x", "1.0_rc1_p2"))),
            ("x-r1", None),
            ("x", None),
            ("-1", None),
            ("x-1.a.b", None),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn what_portage_was_working_on_is_a_gap() {
        for (path, text) in [
            ("var/db/pkg/app-shells/-MERGING-bash-5.2/PF", "bash-5.2\n"),
            ("var/db/pkg/app-shells/bash/PF", "bash\n"),
        ] {
            let facts = run(&PARSER, path, Content::Whole(text.as_bytes()));
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{path}");
        }
        let path = "var/db/pkg/app-shells/bash-5.2/PF";
        let other = run(&PARSER, path, Content::Whole(b"bash-5.1\n"));
        assert_eq!((other.packages.len(), other.gaps.len()), (1, 1));
        let contents = "var/db/pkg/app-shells/bash-5.2/CONTENTS";
        let facts = run(&PARSER, contents, Content::Whole(b"dir /usr\n"));
        assert_eq!(facts.packages.len(), 1);
    }
}
