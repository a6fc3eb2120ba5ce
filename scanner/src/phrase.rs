//! The words that several writers share: the names of closed lists as the JSON contract spells
//! them, digests in short, where something is in one phrase.

use std::fmt::Write as _;

use db_sync::Exploitation;
use db_sync::advisory::Scope;
use serde::Serialize;

use crate::inventory::Distribution;
use crate::model::coverage::{Coverage, Layers, Part};
use crate::model::finding::{FindingKind, Uncertain, Vulnerability};
use crate::model::location::{Layer, Location};
use crate::model::report::Report;
use crate::model::target::{BaseFrom, Origin};

/// How many hexadecimal digits of a digest people are shown.
const SHORT_DIGEST: usize = 12;

/// The word that serde writes for a variant without fields; empty for anything else.
pub fn word(variant: impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// What a reader should know besides findings and gaps: as of when the database answered, which
/// sources are old, which suppressions fitted nothing. Untrusted text; one note a line.
pub fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(database) = &report.database {
        if let Some(moment) = &database.as_of {
            notes.push(format!(
                "the database answered as of {moment}; what records said before their last change is not known"
            ));
        }
        for feed in database.feeds.iter().filter(|feed| !feed.used) {
            notes.push(format!(
                "the {} feed is of {}, after that day: it was not used, and earlier ones are not kept",
                feed.info.kind, feed.info.date
            ));
        }
        for source in &database.stale {
            notes.push(source.told());
        }
    }
    for repeated in &report.repeated_targets {
        notes.push(format!(
            "{repeated} is part of another target, or the same: judged once"
        ));
    }
    notes.extend(report.cache_notes.iter().cloned());
    for unmatched in &report.unmatched_suppressions {
        notes.push(format!(
            "{}: {}: matched nothing: {}",
            unmatched.source, unmatched.statement, unmatched.reason
        ));
    }
    notes
}

/// What feeds say, in short: `KEV, EPSS 0.94`; empty where they say nothing. A score is cut to two
/// decimals and not rounded, so that it never seems to reach a bound that it does not reach.
pub fn marks(said: &Exploitation) -> String {
    let listed = said.kev.map(|_| "KEV".to_owned());
    let scored = said.epss.map(|epss| match epss.score.parts() {
        1..1_000 => "EPSS <0.01".to_owned(),
        parts => format!("EPSS {}.{:02}", parts / 100_000, parts / 1_000 % 100),
    });
    let marks: Vec<String> = listed.into_iter().chain(scored).collect();
    marks.join(", ")
}

/// What people are shown before a title: that a finding is not certain (`possible`, `disputed by
/// RUSTSEC-…`), and what feeds say. Untrusted text.
pub fn remarks(doubt: Option<&Uncertain>, said: &Exploitation) -> String {
    let doubt = doubt.map(|doubt| match doubt.denied_by.as_slice() {
        [] => doubt.kind.as_str().to_owned(),
        ids => format!("{} by {}", doubt.kind.as_str(), ids.join(", ")),
    });
    let marks = Some(marks(said)).filter(|marks| !marks.is_empty());
    let all: Vec<String> = doubt.into_iter().chain(marks).collect();
    all.join(", ")
}

/// Most functions that people are shown of a condition; the JSON report has all.
const SHOWN_FUNCTIONS: usize = 3;

/// On what platforms, and in which functions, a vulnerability exists; `None` where it exists
/// everywhere. Untrusted text.
pub fn condition(scope: &Scope) -> Option<String> {
    let mut parts = Vec::new();
    for (what, names) in [("OS", &scope.os), ("architecture", &scope.arch)] {
        if !names.is_empty() {
            parts.push(format!("only on {what} {}", names.join(", ")));
        }
    }
    if let Some(first) = scope
        .functions
        .get(..SHOWN_FUNCTIONS.min(scope.functions.len()))
        && !first.is_empty()
    {
        let more = scope.functions.len().saturating_sub(first.len());
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(format!("only through {}{more}", first.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A title with what kind of remark it is, and on what condition it holds. Untrusted text.
pub fn title(found: &Vulnerability, title: &str) -> String {
    let mut text = match &found.informational {
        Some(kind) => format!("{kind}: {title}"),
        None => title.to_owned(),
    };
    if let Some(condition) = condition(&found.scope) {
        let _ = write!(text, " ({condition})");
    }
    text
}

/// A ledger in one phrase: `120 files seen, 14 read, 106 skipped; 5 packages judged; 2 Terraform
/// roots`. What there is none of is left out.
pub fn coverage(coverage: &Coverage) -> String {
    let files = &coverage.files;
    let mut parts = vec![format!("{} seen", number(files.seen, "file"))];
    let fates = [
        (files.read, "read"),
        (files.skipped(), "skipped"),
        (files.unreadable, "unreadable"),
    ];
    parts.extend(
        fates
            .iter()
            .filter(|(count, word)| *count > 0 || *word == "read")
            .map(|(count, word)| format!("{count} {word}")),
    );
    let mut text = parts.join(", ");
    let layers = coverage.layers;
    if layers != Layers::default() {
        let _ = write!(text, "; {} whole", number(layers.whole, "layer"));
        for (count, word) in [(layers.cut, "cut"), (layers.unread, "not read")] {
            if count > 0 {
                let _ = write!(text, ", {count} {word}");
            }
        }
    }
    if !layers.partial.is_none() {
        let _ = write!(text, ", {}", partial(layers.partial));
    }
    let all = coverage.packages.values();
    let (judged, not_judged) = all.fold((0u64, 0u64), |(yes, no), one| {
        let yes = yes.saturating_add(one.judged);
        (yes, no.saturating_add(one.not_judged))
    });
    if judged > 0 || not_judged > 0 {
        let _ = write!(text, "; {} judged", number(judged, "package"));
        if not_judged > 0 {
            let _ = write!(text, ", {not_judged} not judged");
        }
    }
    let terraform = coverage.terraform;
    if terraform.roots > 0 {
        let _ = write!(text, "; {}", number(terraform.roots, "Terraform root"));
        let modules = terraform
            .modules_resolved
            .saturating_add(terraform.modules_unresolved);
        if modules > 0 {
            let resolved = terraform.modules_resolved;
            let _ = write!(
                text,
                ", {resolved} of {} resolved",
                number(modules, "module call")
            );
        }
    }
    text
}

/// What was fetched of layers that were read by their tables of contents.
pub fn partial(part: Part) -> String {
    let Part {
        layers,
        fetched,
        stored,
    } = part;
    let layers = number(layers, "layer");
    format!("{layers} read partially: {fetched} of {stored} bytes")
}

fn number(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The first digits of a digest, without its algorithm.
pub fn short_digest(digest: &str) -> &str {
    let hex = digest.rsplit(':').next().unwrap_or(digest);
    hex.get(..SHORT_DIGEST).unwrap_or(hex)
}

/// A layer for people: `layer 3 (0123456789ab)`.
pub fn layer(layer: &Layer) -> String {
    format!("layer {} ({})", layer.index, short_digest(&layer.digest))
}

/// What an image was built on, and how many of its findings that explains, in one phrase: `base debian.tar
/// (layers 0–2): 12 findings, 9 of them with a fix in a newer version; 3 findings in the layers of the image
/// itself`. `None` where nothing is known of a base. Untrusted text.
pub fn base(report: &Report, index: usize) -> Option<String> {
    let target = report.targets.get(index)?;
    let base = target.base_image.as_ref()?;
    let name = match (&base.name, &base.digest) {
        (Some(name), _) => name.as_str(),
        (None, Some(digest)) => short_digest(digest),
        (None, None) => "without a name",
    };
    let Some(layers) = base.layers else {
        return Some(match base.found_by {
            BaseFrom::Option => format!("base {name}: the image does not begin with its layers"),
            BaseFrom::Annotation | BaseFrom::Target => {
                format!("base {name}, as the image says; its layers are not known: see --base")
            }
        });
    };
    let (mut below, mut fixed, mut own) = (0_usize, 0_usize, 0_usize);
    let mine = report.findings.iter();
    for finding in mine.filter(|one| one.target == index && one.suppressed.is_none()) {
        let FindingKind::Vulnerability(found) = &finding.kind else {
            continue; // no rule looks into images
        };
        match target.origin(&found.package.locations) {
            Some(Origin::Base) => {
                below = below.saturating_add(1);
                fixed = fixed.saturating_add(usize::from(!found.fixed.is_empty()));
            }
            Some(Origin::Own) | None => own = own.saturating_add(1),
        }
    }
    let range = match layers {
        1 => "layer 0".to_owned(),
        layers => format!("layers 0–{}", layers.saturating_sub(1)),
    };
    Some(format!(
        "base {name} ({range}): {}, {fixed} of which updated packages fix; {} in the image's own layers",
        count(below, "finding"),
        count(own, "finding"),
    ))
}

/// `path`, `path:line`, and for structured documents `path#/pointer`.
pub fn place(location: &Location) -> String {
    match (location.region, &location.pointer) {
        (Some(region), _) => format!("{}:{}", location.path, region.start_line),
        (None, Some(pointer)) => format!("{}#{pointer}", location.path),
        (None, None) => location.path.to_string(),
    }
}

/// What a distribution calls itself: its pretty name, else id and version; `None` if it says
/// nothing.
pub fn distribution(distribution: &Distribution) -> Option<String> {
    let name = distribution.name.as_deref().unwrap_or_default().trim();
    let text = match &distribution.version {
        _ if !name.is_empty() => name.to_owned(),
        Some(version) => format!("{} {version}", distribution.id),
        None => distribution.id.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// `1 gap`, `2 gaps`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use db_sync::{Cve, Day, Epss};

    use super::*;
    use crate::model::gap::GapKind;

    #[test]
    fn words() {
        assert_eq!(word(GapKind::ResultsDropped), "results-dropped");
        assert_eq!(word(3), "");
        let marked = |score: &str| {
            let cve = Cve::parse("CVE-2026-1000").unwrap();
            let share = score.parse().unwrap();
            let date = Day::parse("2026-02-19").unwrap();
            let epss = Epss {
                score: share,
                percentile: share,
                cve,
                date,
            };
            marks(&Exploitation {
                epss: Some(epss),
                kev: None,
            })
        };
        assert_eq!(marks(&Exploitation::default()), "");
        assert_eq!(marked("0.94999"), "EPSS 0.94");
        assert_eq!(marked("0.00042"), "EPSS <0.01");
        assert_eq!(
            (marked("0").as_str(), marked("1").as_str()),
            ("EPSS 0.00", "EPSS 1.00")
        );
        assert_eq!(condition(&Scope::default()), None);
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let scope = Scope {
            functions: texts(&["a::b", "a::c", "a::d", "a::e"]),
            arch: texts(&["x86"]),
            os: texts(&["windows", "linux"]),
        };
        assert_eq!(
            condition(&scope).as_deref(),
            Some(
                "only on OS windows, linux; only on architecture x86; only through a::b, a::c, a::d and 1 more"
            )
        );
        assert_eq!(short_digest("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_digest("sha256:äöü"), "äöü");
        assert_eq!(place(&Location::line("a/Cargo.lock", 7)), "a/Cargo.lock:7");
        assert_eq!(
            (count(1, "gap"), count(0, "gap")),
            ("1 gap".into(), "0 gaps".into())
        );
    }
}
