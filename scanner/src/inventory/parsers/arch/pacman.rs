//! pacman's database of installed packages (libalpm, `be_local.c`): a directory
//! `var/lib/pacman/local/<name>-<version>-<release>/` for each, with its fields in `desc` and its
//! files in `files`: a name between percent signs, its values one a line, an empty line. The
//! directory and `desc` both name the package; pacman refuses one of which they say different
//! things, and here it is a gap.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, is_plain};
use crate::inventory::text::with_lines;
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, SourcePackage};

const ROOT: &str = "var/lib/pacman/local/";

/// `desc`.
pub(crate) static PARSER: Parser = Parser {
    id: "pacman-desc",
    version: 1,
    wants: &[Want::Name("desc")],
    accepts: Some(|path| entry(path).is_some()),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse,
};

/// `files`.
pub(crate) static FILES: Parser = Parser {
    id: "pacman-files",
    version: 1,
    wants: &[Want::Name("files")],
    accepts: Some(|path| entry(path).is_some()),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: files,
};

/// The directory of a package, of the path of a file in it.
fn entry(path: &str) -> Option<&str> {
    let (directory, _) = path.strip_prefix(ROOT)?.split_once('/')?;
    let rest = path.strip_prefix(ROOT)?.strip_prefix(directory)?;
    (rest.matches('/').count() == 1).then_some(directory)
}

/// Name and full version of a directory's name: neither version nor release has a hyphen.
fn named(directory: &str) -> Option<(&str, &str)> {
    let release = directory.rfind('-')?;
    let version = directory.get(..release)?.rfind('-')?;
    let name = directory.get(..version)?;
    let full = directory.get(version..)?.strip_prefix('-')?;
    (!name.is_empty()).then_some((name, full))
}

/// Calls `each` with the field, the value and its line.
fn values(
    path: &str,
    content: Content<'_>,
    facts: &mut Facts,
    mut each: impl FnMut(&str, &str, &mut Facts),
) -> Result<(), ParseError> {
    with_lines(content, |mut lines| {
        let mut field = String::new();
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(path, Some(line.number), GapKind::Limit, cause);
                continue;
            }
            if line.bytes.is_empty() {
                field.clear();
                continue;
            }
            // What cannot be read may be the name of the next field: its values are no others'.
            let Some(text) = line.text() else {
                field.clear();
                facts.malformed(path, Some(line.number), "a line that is not UTF-8");
                continue;
            };
            let name = text
                .strip_prefix('%')
                .and_then(|rest| rest.strip_suffix('%'));
            match name {
                Some(name) if field.is_empty() => name.clone_into(&mut field),
                Some(name) => {
                    let cause = "a field begins in the middle of another";
                    facts.malformed(path, Some(line.number), cause);
                    name.clone_into(&mut field);
                }
                None if field.is_empty() => {
                    let cause = "a value without a field";
                    facts.malformed(path, Some(line.number), cause);
                }
                None => each(&field, text, facts),
            }
        }
        Ok(())
    })
}

/// The fields that are kept.
#[derive(Default)]
struct Fields {
    name: Option<String>,
    version: Option<String>,
    base: Option<String>,
    arch: Option<String>,
    packager: Option<String>,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let directory = entry(path).unwrap_or_default();
    let mut fields = Fields::default();
    values(path, input.content, facts, |field, value, facts| {
        let place = match field {
            "NAME" => &mut fields.name,
            "VERSION" => &mut fields.version,
            "BASE" => &mut fields.base,
            "ARCH" => &mut fields.arch,
            "PACKAGER" => &mut fields.packager,
            _ => return,
        };
        if place.is_some() {
            let cause = format!("package {}: {field} has two values", shown(directory));
            facts.malformed(path, None, cause);
            return;
        }
        *place = Some(value.to_owned());
    })?;
    let told = fields.name.as_deref().zip(fields.version.as_deref());
    if told.is_none() || named(directory) != told {
        let cause = format!(
            "package {}: its directory and its fields do not name the same package",
            shown(directory)
        );
        facts.malformed(path, None, cause);
    }
    let Some((name, version)) = told.or_else(|| named(directory)) else {
        return Ok(()); // the gap above says it
    };
    if !is_plain(name) || !is_plain(version) {
        let cause = format!("package {}: an invalid name or version", shown(name));
        facts.malformed(path, None, cause);
        return Ok(());
    }
    let place = Location::file(path);
    let mut package = Package::new(PackageType::ALPM, name, version).at(place);
    package.arch = fields.arch.map(Arc::from);
    package.vendor = fields
        .packager
        .map(|text| text.chars().take(60).collect::<String>().into());
    package.source = fields
        .base
        .filter(|base| base != name)
        .map(|base| SourcePackage {
            name: base.into(),
            version: version.into(),
        });
    facts.add(package);
    Ok(())
}

fn files(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let directory = path.strip_suffix("/files").map_or("", file_name);
    let Some((name, _)) = named(directory) else {
        return Ok(()); // `desc` beside it is the gap
    };
    let owner: Arc<str> = name.into();
    values(path, input.content, facts, |field, value, facts| {
        if field == "FILES" && !value.ends_with('/') {
            let (directory, name) = value.rsplit_once('/').unwrap_or(("", value));
            facts.own(&owner, directory, name);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::run;

    const DESC: &str = "var/lib/pacman/local/gcc-libs-14.2.1-3/desc";

    fn read(text: &str) -> Facts {
        run(&PARSER, DESC, Content::Whole(text.as_bytes()))
    }

    #[test]
    fn the_directory_and_the_fields_agree_or_it_is_a_gap() {
        let good = "%NAME%\ngcc-libs\n\n%VERSION%\n14.2.1-3\n\n%BASE%\ngcc\n\n";
        let facts = read(good);
        assert!(facts.gaps.is_empty(), "{:?}", facts.gaps);
        assert_eq!(&*facts.packages[0].source.as_ref().unwrap().name, "gcc");
        for bad in [
            "",
            "%NAME%\ngcc-libs\n\n",
            "%NAME%\ngcc-libs\n\n%VERSION%\n14.2.0-3\n\n",
            "%NAME%\ngcc-libs\ngcc\n\n%VERSION%\n14.2.1-3\n\n",
            "%NAME%\ngcc-libs\n%VERSION%\n14.2.1-3\n\n",
        ] {
            let facts = read(bad);
            assert_eq!(facts.packages.len(), 1, "{bad:?}");
            assert_eq!(facts.gaps.len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn only_the_entries_of_the_database_are_wanted() {
        assert_eq!(entry("var/lib/pacman/local/a-1-1/desc"), Some("a-1-1"));
        for other in [
            "var/lib/pacman/local/desc",
            "var/lib/pacman/local/a-1-1/b/desc",
            "srv/a-1-1/desc",
        ] {
            assert_eq!(entry(other), None, "{other}");
        }
        assert_eq!(named("gcc-libs-14.2.1-3"), Some(("gcc-libs", "14.2.1-3")));
        assert_eq!(named("a-1"), None);
    }
}
