//! Hostile text in every field of a report: no line of any format is a command to the CI runner
//! that reads it, and the JSON formats still say the same text.

use std::sync::Arc;

use portcullis::gate::{Policy, judge};
use portcullis::model::coverage::Judged;
use portcullis::model::finding::FindingKind;
use portcullis::model::location::Location;
use portcullis::model::package::{Package, SourcePackage};
use portcullis::model::report::Report;
use portcullis::output::{Format, Options, write};
use portcullis::vex::write_openvex;

use super::{sample, written};

const TEXTS: &[&str] = &[
    "::error::x",
    " \t::add-mask::x",
    "a\n::error::x",
    "a\r::error::x",
    "a\u{b}::x\u{c}::y\u{85}::z",
    "a\u{2028}::x\u{2029}::y",
    "\u{a0}\u{3000}::x",
    "\u{feff}\u{200b}::x",
    "\u{1b}[2K::x",
    "a ##[error]x",
    "##vso[task.setvariable variable=a]x",
    "## Heading\n##[group]",
    "##",
    "##vso",
    "[error]x",
    ":",
    "```\n::error::x\n##[error]x\n```",
];

/// Puts a text into every field that can hold text of the scanned tree, an advisory, a rule or a
/// statement.
fn fill(report: &mut Report, text: &str) {
    let shared: Arc<str> = text.into();
    let place = |location: &mut Location| location.path = Arc::clone(&shared);
    let package = |package: &mut Arc<Package>| {
        let package = Arc::make_mut(package);
        package.name = Arc::clone(&shared);
        package.version = Arc::clone(&shared);
        package.arch = Some(Arc::clone(&shared));
        package.owner = Some(Arc::clone(&shared));
        package.module = Some(Arc::clone(&shared));
        package.dependencies = vec![Arc::clone(&shared)];
        package.source = Some(SourcePackage {
            name: Arc::clone(&shared),
            version: Arc::clone(&shared),
        });
        package.locations.iter_mut().for_each(place);
    };
    for (_, one) in &mut report.packages {
        package(one);
    }
    for target in &mut report.targets {
        text.clone_into(&mut target.id);
        text.clone_into(&mut target.path);
        text.clone_into(&mut target.prefix);
        target.platform = Some(text.to_owned());
        target.digest = Some(text.to_owned());
        target.other_platforms = vec![text.to_owned()];
        let coverage = &mut target.coverage;
        coverage.files.skip_directory(text);
        let judged = Judged {
            judged: 1,
            not_judged: 1,
        };
        coverage.packages.insert(Arc::clone(&shared), judged);
        if let Some(distribution) = &mut target.distribution {
            distribution.id = Arc::clone(&shared);
            distribution.version = Some(Arc::clone(&shared));
            distribution.like = vec![Arc::clone(&shared)];
            distribution.name = Some(Arc::clone(&shared));
        }
    }
    for finding in &mut report.findings {
        finding.rule = Arc::clone(&shared);
        finding.aliases = vec![text.to_owned()].into();
        finding.severity_source = Arc::clone(&shared);
        finding.title = Arc::clone(&shared);
        text.clone_into(&mut finding.message);
        place(&mut finding.location);
        if finding.suppressed.is_some() {
            finding.suppressed = Some(sample::suppression(text));
        }
        match &mut finding.kind {
            FindingKind::Vulnerability(found) => {
                package(&mut found.package);
                found.record = Arc::clone(&shared);
                found.fixed = vec![text.to_owned()];
                found.merged = vec![text.to_owned()];
                found.informational = Some(text.to_owned());
            }
            FindingKind::Misconfiguration(found) => {
                found.resource = Arc::clone(&shared);
                found.fix = Some(text.to_owned());
            }
            FindingKind::EndOfLife(found) => {
                for part in [
                    &mut found.product,
                    &mut found.name,
                    &mut found.cycle,
                    &mut found.version,
                    &mut found.ended,
                ] {
                    *part = Arc::clone(&shared);
                }
                found.extended = Some(Arc::clone(&shared));
                found.page = Some(Arc::clone(&shared));
            }
        }
    }
    for rule in &mut report.rules {
        rule.id = Arc::clone(&shared);
        rule.record = Arc::clone(&shared);
        text.clone_into(&mut rule.title);
        text.clone_into(&mut rule.help);
        rule.url = Some(text.to_owned());
        rule.tags = vec![text.to_owned()];
    }
    for check in &mut report.undecided {
        check.rule = Arc::clone(&shared);
        check.resource = Arc::clone(&shared);
        text.clone_into(&mut check.cause);
        place(&mut check.location);
    }
    for entry in &mut report.gaps {
        entry.gap.cause = Arc::clone(&shared);
        place(&mut entry.gap.location);
    }
    report.repeated_targets = vec![text.to_owned()];
    for unmatched in &mut report.unmatched_suppressions {
        unmatched.source = Arc::clone(&shared);
        text.clone_into(&mut unmatched.statement);
        text.clone_into(&mut unmatched.reason);
    }
    if let Some(database) = &mut report.database {
        text.clone_into(&mut database.digest);
        database.as_of = Some(text.to_owned());
        for source in &mut database.sources {
            text.clone_into(&mut source.name);
            source.newest_modified = Some(text.to_owned());
        }
        for feed in &mut database.feeds {
            text.clone_into(&mut feed.info.version);
            text.clone_into(&mut feed.info.date);
        }
        for stale in &mut database.stale {
            text.clone_into(&mut stale.ecosystem);
            stale.newest_modified = Some(text.to_owned());
            stale.newest_listed = Some(text.to_owned());
        }
    }
}

/// Without the escape sequences that colours are.
fn bare(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str(piece.split_once('m').map_or(piece, |(_, rest)| rest));
    }
    text
}

/// The first line that a runner would obey; it may end lines where Unicode does.
pub(crate) fn command(output: &str) -> Option<String> {
    let ends = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    output.split(ends).map(bare).find(|line| {
        let start = line.trim_start_matches(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
        });
        let marked = line.match_indices("##").any(|(at, _)| {
            let rest = line[at..].trim_start_matches('#');
            rest.trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .starts_with('[')
        });
        start.starts_with("::") || marked
    })
}

#[test]
fn what_would_be_obeyed_is_known() {
    for bad in [
        "::x",
        "a\n \t::x",
        "a ##[x",
        "##vso[x",
        "\u{1b}[1m::x",
        "a\u{2028}::x",
    ] {
        assert!(command(bad).is_some(), "{bad:?}");
    }
    assert_eq!(command("a::b\n## c [d]\n{\"::\"}"), None);
}

#[test]
fn no_line_of_any_format_is_a_command() {
    for text in TEXTS {
        let mut report = sample::report();
        fill(&mut report, text);
        for format in Format::ALL {
            let output = written(format, &report);
            assert_eq!(command(&output), None, "{format:?} {text:?}");
            if format != Format::Table {
                let document: serde_json::Value = serde_json::from_str(&output).unwrap();
                assert!(document.is_object());
            }
        }
        let mut coloured = Vec::new();
        let options = Options {
            width: 60,
            colour: true,
        };
        let verdict = judge(&report, &Policy::default());
        write(Format::Table, &report, &verdict, options, &mut coloured).unwrap();
        assert_eq!(
            command(&String::from_utf8(coloured).unwrap()),
            None,
            "{text:?}"
        );
        let mut vex = Vec::new();
        write_openvex(&report, text, &mut vex).unwrap();
        let vex = String::from_utf8(vex).unwrap();
        assert_eq!(command(&vex), None, "{text:?}");
        let document: serde_json::Value = serde_json::from_str(&vex).unwrap();
        assert_eq!(document["author"], *text);
    }
}

/// The contract keeps the text: only its bytes are others.
#[test]
fn json_says_the_text_itself() {
    for text in TEXTS {
        let mut report = sample::report();
        fill(&mut report, text);
        let document = super::document(Format::Json, &report);
        assert_eq!(document["gaps"][0]["cause"], *text);
        assert_eq!(document["packages"][0]["name"], *text);
    }
}
