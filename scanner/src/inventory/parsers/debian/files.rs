//! Which files Debian packages own, and how they were: `<package[:arch]>.list` and
//! `<package[:arch]>.md5sums` in `var/lib/dpkg/info` (dpkg(1); opkg has the lists, too), the latter in `status.d` where there
//! is no package manager. No packages come from here.

use std::sync::Arc;

use crate::inventory::parsers::shared::has_extension;
use crate::inventory::text::{Line, with_lines};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, checksum};
use crate::model::gap::GapKind;

/// One path per line, absolute.
pub(crate) static LISTS: Parser = Parser {
    id: "dpkg-list",
    version: 2,
    wants: &[
        Want::In("opt/lib/opkg/info/"),
        Want::In("usr/lib/opkg/info/"),
        Want::In("var/lib/dpkg/info/"),
        Want::In("var/lib/opkg/info/"),
    ],
    accepts: Some(|path| has_extension(path, ".list")),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| parse(input, ".list", listed, facts),
};

/// A checksum, two spaces and a relative path per line. Beside a `.list`, only the checksums are
/// news.
pub(crate) static SUMS: Parser = Parser {
    id: "dpkg-md5sums",
    version: 1,
    wants: &[
        Want::In("var/lib/dpkg/info/"),
        Want::In("var/lib/dpkg/status.d/"),
    ],
    accepts: Some(|path| has_extension(path, ".md5sums")),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| parse(input, ".md5sums", summed, facts),
};

/// opkg writes the mode behind a tab, dpkg nothing.
#[expect(clippy::unnecessary_wraps, reason = "as for a line with a checksum")]
fn listed(line: &str) -> Option<Entry<'_>> {
    Some((line.split('\t').next().unwrap_or(line), None))
}

/// A path, and its checksum.
type Entry<'a> = (&'a str, Option<&'a str>);

fn summed(line: &str) -> Option<Entry<'_>> {
    line.split_once("  ").map(|(sum, path)| (path, Some(sum)))
}

fn parse(
    input: Input<'_>,
    extension: &str,
    entry: for<'a> fn(&'a str) -> Option<Entry<'a>>,
    facts: &mut Facts,
) -> Result<(), ParseError> {
    let file = input.path.rsplit('/').next().unwrap_or_default();
    let name = file.strip_suffix(extension).unwrap_or(file);
    let package: Arc<str> = name.split(':').next().unwrap_or_default().into();
    let is_second = extension == ".md5sums" && input.path.contains("/info/");
    with_lines(input.content, |mut lines| {
        while let Some(line) = lines.next()? {
            if is_second && !line.cut && !checksum::may_be_listed(line.bytes) {
                continue;
            }
            if line.cut {
                let cause = "a path longer than the limit was skipped";
                facts.gap(input.path, Some(line.number), GapKind::Limit, cause);
            } else if let Some((path, sum)) = Line::text(&line).and_then(entry) {
                let path = path.trim_end();
                let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
                facts.own_summed(&package, directory, name, || {
                    sum.map(|sum| format!("md5:{sum}").into())
                });
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Content;
    use crate::inventory::dispatch::run;

    #[test]
    fn the_architecture_is_no_part_of_the_name() {
        let text = b"/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n";
        let facts = run(
            &LISTS,
            "var/lib/dpkg/info/six:amd64.list",
            Content::Whole(text),
        );
        assert_eq!(&*facts.owned[0].package, "six");
        assert_eq!(facts.owned[0].digest, None);
        let text = b"31618bd0f4f3d68d1bf31df9de35dca1  usr/lib/python3/six-1.16.0.egg-info\n31618bd0f4f3d68d1bf31df9de35dca1  usr/share/doc/six\n";
        let facts = run(
            &SUMS,
            "var/lib/dpkg/info/six:amd64.md5sums",
            Content::Whole(text),
        );
        assert_eq!(&*facts.owned[0].package, "six");
        assert_eq!(
            facts.owned[0].digest.as_deref(),
            Some("md5:31618bd0f4f3d68d1bf31df9de35dca1")
        );
    }
}
