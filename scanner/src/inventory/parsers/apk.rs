//! apk's database of installed packages (apk-tools, `apk_installed`): one letter, a colon, a
//! value per line; an empty line ends a package. `F:` names a directory and `R:` a file in it.

use std::sync::Arc;

use crate::gap::GapKind;
use crate::inventory::facts::shown;
use crate::inventory::text::with_lines;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::location::Location;
use crate::package::{Package, PackageType, SourcePackage};

/// Both places; `usr/lib` since Alpine merged the two directories.
pub(super) static PARSER: Parser = Parser {
    id: "apk-installed",
    wants: &[
        Want::Path("lib/apk/db/installed"),
        Want::Path("usr/lib/apk/db/installed"),
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
    directory: String,
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
                Some(text) => read(&mut record, text, facts),
                None => facts.malformed(&path, Some(line.number), "a line that is not UTF-8"),
            }
        }
        Ok(record)
    })?;
    finish(last, &path, facts);
    Ok(())
}

fn read(record: &mut Record, line: &str, facts: &mut Facts) {
    let Some((key, value)) = line.split_once(':') else {
        return;
    };
    let full = || (!value.is_empty()).then(|| Arc::from(value));
    match key {
        "P" => record.name = full(),
        "V" => record.version = full(),
        "A" => record.arch = full(),
        "o" => record.origin = full(),
        "F" => value.clone_into(&mut record.directory),
        "R" => {
            if let Some(name) = &record.name {
                facts.own(name, &record.directory, value);
            }
        }
        _ => {}
    }
}

fn finish(record: Record, path: &Arc<str>, facts: &mut Facts) {
    if record.line == 0 {
        return;
    }
    let (Some(name), Some(version)) = (&record.name, &record.version) else {
        let name = record.name.as_deref().unwrap_or("without a name");
        let cause = format!("package {}: no name or no version", shown(name));
        return facts.malformed(path, Some(record.line), cause);
    };
    let place = Location::line(Arc::clone(path), record.line);
    let mut package =
        Package::new(PackageType::Apk, Arc::clone(name), Arc::clone(version)).at(place);
    package.arch = record.arch;
    package.source = record
        .origin
        .filter(|origin| origin != name)
        .map(|name| SourcePackage {
            name,
            version: Arc::clone(version),
        });
    facts.add(package);
}
