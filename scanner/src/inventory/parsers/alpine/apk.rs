//! apk's database of installed packages (apk-tools, `apk_installed`): one letter, a colon, a
//! value per line; an empty line ends a package. `F:` names a directory, `R:` a file in it and `Z:`
//! the checksum of that file. What apk itself would not read is a gap.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::is_plain;
use crate::inventory::text::with_lines;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, checksum};
use crate::model::gap::GapKind;
use crate::model::hash;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, SourcePackage};

/// The places: `usr/lib` since Alpine merged the two directories, `var/lib` in apk 3.
pub(crate) static PARSER: Parser = Parser {
    id: "apk-installed",
    version: 1,
    wants: &[
        Want::Path("lib/apk/db/installed"),
        Want::Path("usr/lib/apk/db/installed"),
        Want::Path("var/lib/apk/db/installed"),
    ],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse,
};

#[derive(Default)]
struct Record {
    line: u32,
    name: Option<Arc<str>>,
    version: Option<Arc<str>>,
    arch: Option<Arc<str>>,
    origin: Option<Arc<str>>,
    maintainer: Option<Arc<str>>,
    directory: String,
    /// A file whose checksum has not come yet.
    file: Option<String>,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let last = with_lines(input.content, |mut lines| {
        let mut record = Record::default();
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(&path, Some(line.number), GapKind::Limit, cause);
                continue;
            }
            if line.bytes.is_empty() {
                finish(std::mem::take(&mut record), &path, facts);
                continue;
            }
            if record.line == 0 {
                record.line = line.number;
            }
            match line.text() {
                // An empty line was lost: two packages must not become one.
                Some(text) if text.starts_with("P:") && record.name.is_some() => {
                    let cause = "a package begins in the middle of another";
                    facts.malformed(&path, Some(line.number), cause);
                    finish(std::mem::take(&mut record), &path, facts);
                    record.line = line.number;
                    read(&mut record, text, facts);
                }
                Some(text) if text.starts_with("V:") && record.version.is_some() => {
                    let cause = "a package with a second version";
                    facts.malformed(&path, Some(line.number), cause);
                }
                Some(text) if !is_field(text) => {
                    let cause = "a line that is not a field of a package";
                    facts.malformed(&path, Some(line.number), cause);
                }
                Some(text) => read(&mut record, text, facts),
                None => facts.malformed(&path, Some(line.number), "a line that is not UTF-8"),
            }
        }
        Ok(record)
    })?;
    finish(last, &path, facts);
    Ok(())
}

/// One letter and a colon.
fn is_field(line: &str) -> bool {
    let mut bytes = line.bytes();
    bytes.next().is_some_and(|key| key.is_ascii_alphabetic()) && bytes.next() == Some(b':')
}

fn read(record: &mut Record, line: &str, facts: &mut Facts) {
    let Some((key, value)) = line.split_once(':') else {
        return;
    };
    if matches!(key, "F" | "R") {
        record.own(None, facts);
    }
    let full = || (!value.is_empty()).then(|| Arc::from(value));
    match key {
        "P" => record.name = full(),
        "V" => record.version = full(),
        "A" => record.arch = full(),
        "o" => record.origin = full(),
        "m" => record.maintainer = full().map(|text| short(&text)),
        "F" => value.clone_into(&mut record.directory),
        "R" => record.file = Some(value.to_owned()),
        "Z" => record.own(Some(value), facts),
        _ => {}
    }
}

/// What is kept of a maintainer: enough to recognise one.
fn short(text: &str) -> Arc<str> {
    text.chars().take(60).collect::<String>().into()
}

impl Record {
    /// Adds the file that was named last.
    fn own(&mut self, digest: Option<&str>, facts: &mut Facts) {
        if let (Some(file), Some(name)) = (self.file.take(), &self.name) {
            facts.own_summed(name, &self.directory, &file, || digest.and_then(sha1));
        }
    }
}

/// `Q1` and the SHA-1 in base64, as apk writes it.
fn sha1(text: &str) -> Option<Arc<str>> {
    let bytes = hash::decoded(text.strip_prefix("Q1")?)?;
    (bytes.len() == 20).then(|| format!("sha1:{}", checksum::hexadecimal(&bytes)).into())
}

fn finish(mut record: Record, path: &Arc<str>, facts: &mut Facts) {
    record.own(None, facts);
    if record.line == 0 {
        return;
    }
    let (Some(name), Some(version)) = (&record.name, &record.version) else {
        let name = record.name.as_deref().unwrap_or("without a name");
        let cause = format!("package {}: no name or no version", shown(name));
        return facts.malformed(path, Some(record.line), cause);
    };
    if !is_plain(name) || !is_plain(version) {
        let cause = format!("package {}: an invalid name or version", shown(name));
        return facts.malformed(path, Some(record.line), cause);
    }
    let place = Location::line(Arc::clone(path), record.line);
    let mut package =
        Package::new(PackageType::APK, Arc::clone(name), Arc::clone(version)).at(place);
    package.arch = record.arch;
    package.vendor = record.maintainer;
    package.source = record
        .origin
        .filter(|origin| origin != name)
        .map(|name| SourcePackage {
            name,
            version: Arc::clone(version),
        });
    facts.add(package);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Content;
    use crate::inventory::dispatch::run;

    fn read(text: &[u8]) -> Facts {
        run(&PARSER, "var/lib/apk/db/installed", Content::Whole(text))
    }

    #[test]
    fn a_file_has_its_checksum() {
        let facts = read(
            b"P:py3-x\nV:1-r0\nm:A <a@alpinelinux.org>\nF:usr/lib/python3.11/site-packages/x.dist-info\nR:METADATA\nZ:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\nR:RECORD\n\n",
        );
        let owned = &facts.owned[0];
        assert_eq!(
            owned.digest.as_deref(),
            Some("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")
        );
        let package = &facts.packages[0];
        assert_eq!(package.vendor.as_deref(), Some("A <a@alpinelinux.org>"));
    }

    #[test]
    fn a_lost_line_loses_no_package() {
        let facts = read(b"P:a\nV:1-r0\nP:b\nV:2-r0\n\n");
        assert_eq!((facts.packages.len(), facts.gaps.len()), (2, 1));
        for text in [
            &b"P:a\nV:1-r0\nP\n\n"[..],
            b"P:a\nV:1 2\n\n",
            b"P:a\nVV:1\n\n",
        ] {
            assert!(!read(text).gaps.is_empty());
        }
    }
}
