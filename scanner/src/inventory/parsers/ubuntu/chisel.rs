//! The manifest of an image that Chisel cut (canonical/chisel, "manifest.wall" and "jsonwall"): one JSON
//! object a line, compressed with Zstandard; the first says how many lines there are. Packages are
//! those of Ubuntu, without the names of their sources. In which directory it lies, the slice
//! decides that asks for it. Manifests of other formats are refused.

use std::io::{BufReader, Read as _};
use std::sync::Arc;

use serde::Deserialize;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::is_plain;
use crate::inventory::text::Lines;
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// `manifest.wall`, and the name that it had at first.
pub(crate) static PARSER: Parser = Parser {
    id: "chisel-manifest",
    version: 1,
    wants: &[Want::Name("manifest.wall"), Want::Name("chisel.db")],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse,
};

/// Any line.
#[derive(Deserialize)]
struct Record {
    jsonwall: Option<String>,
    count: Option<u64>,
    kind: Option<String>,
    name: Option<String>,
    version: Option<String>,
    arch: Option<String>,
    path: Option<String>,
    slices: Option<Vec<String>>,
    sha256: Option<String>,
    final_sha256: Option<String>,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    match input.content {
        Content::Stream(stream) => read(&path, stream, facts),
        Content::Whole(mut bytes) => read(&path, &mut bytes, facts),
    }
}

fn read(
    path: &Arc<str>,
    stream: &mut dyn std::io::BufRead,
    facts: &mut Facts,
) -> Result<(), ParseError> {
    let open = |error: std::io::Error| ParseError::new(format!("not Zstandard: {error}"));
    let mut decoder = zstd::stream::read::Decoder::with_buffer(stream).map_err(open)?;
    decoder
        .window_log_max(limits::CHISEL_WINDOW_LOG)
        .map_err(open)?;
    // A line more than the limit would read.
    let most = limits::CHISEL_BYTES.saturating_add(1);
    let mut text = BufReader::new(decoder.take(most));
    let mut lines = Lines::new(&mut text);
    let mut expected = None;
    let mut count = 0_u64;
    let mut bytes = 0_u64;
    while let Some(line) = lines.next()? {
        count = count.saturating_add(1);
        bytes = bytes
            .saturating_add(line.bytes.len() as u64)
            .saturating_add(1);
        if bytes > limits::CHISEL_BYTES {
            let cause = format!("more than {} bytes", limits::CHISEL_BYTES);
            return Err(ParseError::limit(Some(line.number), cause));
        }
        if line.cut {
            let cause = "a line longer than the limit was skipped";
            facts.gap(path, Some(line.number), GapKind::Limit, cause);
            continue;
        }
        let record: Record = match serde_json::from_slice(line.bytes) {
            Ok(record) => record,
            Err(error) => {
                let cause = format!("a line that is not a record: {error}");
                facts.malformed(path, Some(line.number), cause);
                continue;
            }
        };
        if count == 1 {
            if record.jsonwall.as_deref() != Some("1.0") {
                let cause = "not a list of the format jsonwall 1.0";
                return Err(ParseError::unknown_format(Some(line.number), cause));
            }
            expected = record.count;
            continue;
        }
        take(record, path, line.number, facts);
    }
    if expected != Some(count) {
        let cause = format!("{count} lines, which is not what the first one says");
        facts.unjudged(path, None, GapKind::Malformed, cause);
    }
    Ok(())
}

fn take(record: Record, path: &Arc<str>, line: u32, facts: &mut Facts) {
    match record.kind.as_deref() {
        Some("package") => match record.name.zip(record.version) {
            Some((name, version)) if is_plain(&name) && is_plain(&version) => {
                let place = Location::line(Arc::clone(path), line);
                let mut package = Package::new(PackageType::DEB, name, version).at(place);
                package.arch = record.arch.map(Arc::from);
                package.lacks_source = true;
                facts.add(package);
            }
            Some((name, _)) => {
                let cause = format!("package {}: an invalid name or version", shown(&name));
                facts.malformed(path, Some(line), cause);
            }
            None => facts.malformed(path, Some(line), "a package without name or version"),
        },
        Some("path") => {
            let Some(file) = record.path else {
                return facts.malformed(path, Some(line), "a path without its text");
            };
            let (directory, name) = file.rsplit_once('/').unwrap_or(("", &file));
            // What Chisel changed after it unpacked the package is no longer the package's.
            let sum = record.final_sha256.or(record.sha256);
            // `<package>_<slice>`; a package name has no underscore.
            for slice in record.slices.iter().flatten() {
                let owner: Arc<str> = slice.split('_').next().unwrap_or_default().into();
                let sum = sum.as_deref();
                facts.own_summed(&owner, directory, name, || {
                    sum.map(|sum| format!("sha256:{sum}").into())
                });
            }
        }
        // They say which slice asks for which path: nothing of packages.
        Some("content" | "slice") => {}
        _ => facts.malformed(path, Some(line), "a record of a kind that is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::run;

    const PATH: &str = "var/lib/chisel/manifest.wall";

    fn of(text: &str) -> Facts {
        let bytes = zstd::encode_all(text.as_bytes(), 1).unwrap();
        run(&PARSER, PATH, Content::Whole(&bytes))
    }

    const HEAD: &str = "{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":";

    #[test]
    fn a_package_has_no_source_and_its_files() {
        let text = format!(
            "{HEAD}3}}\n{{\"kind\":\"package\",\"name\":\"libssl3t64\",\"version\":\"3.0.13-0ubuntu3.5\",\"sha256\":\"ab\",\"arch\":\"amd64\"}}\n{{\"kind\":\"path\",\"path\":\"/usr/lib/python3/x.egg-info\",\"mode\":\"0644\",\"slices\":[\"python3-x_core\"],\"sha256\":\"cd\"}}\n"
        );
        let facts = of(&text);
        assert!(facts.gaps.is_empty(), "{:?}", facts.gaps);
        assert!(facts.packages[0].lacks_source);
        assert_eq!(&*facts.owned[0].package, "python3-x");
        assert_eq!(facts.owned[0].digest.as_deref(), Some("sha256:cd"));
    }

    #[test]
    fn what_is_missing_or_unknown_is_a_gap() {
        for text in [
            format!("{HEAD}3}}\n{{\"kind\":\"slice\",\"name\":\"a_b\"}}\n"),
            format!("{HEAD}2}}\n{{\"kind\":\"package\",\"name\":\"a\"}}\n"),
            format!("{HEAD}2}}\n{{\"kind\":\"thing\"}}\n"),
            format!("{HEAD}2}}\nnothing\n"),
            "{\"jsonwall\":\"2.0\",\"count\":1}\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(of(&text).gaps.len(), 1, "{text}");
        }
        let not_packed = run(&PARSER, PATH, Content::Whole(b"{}"));
        assert_eq!(not_packed.gaps.len(), 1);
    }

    #[test]
    fn a_manifest_beyond_the_limit_is_a_gap() {
        let line = format!(
            "{{\"kind\":\"slice\",\"name\":\"{}\"}}\n",
            "a".repeat(500_000)
        );
        let lines = usize::try_from(limits::CHISEL_BYTES).unwrap() / line.len() + 2;
        let facts = of(&format!("{HEAD}1}}\n{}", line.repeat(lines)));
        assert!(facts.gaps.iter().any(|gap| gap.kind == GapKind::Limit));
    }
}
