//! The explanation in words and as JSON. Everything that comes from records, reports or arguments
//! is foreign text.

use std::fmt::Write as _;

use db_sync::query::{Answer, EntryTold, RangeTold, RecordTold, Standing};
use serde::Serialize;
use serde_json::{Value, json};

use super::Told;
use portcullis::matching::Assessment;
use portcullis::model::finding::{Uncertain, Vulnerability};
use portcullis::output::escape::line;
use portcullis::output::json::{RatingView, RemedyView};
use portcullis::output::serial;
use portcullis::phrase::count;

/// Ranges that the headline names; all follow below it.
const NAMED: usize = 3;

/// What is made of a vulnerability that affects the package.
#[derive(Serialize)]
struct AffectedView<'a> {
    shown_as: &'a str,
    record: &'a str,
    merged: &'a [String],
    #[serde(flatten)]
    rating: RatingView<'a>,
    #[serde(flatten)]
    remedy: RemedyView<'a>,
    fix_reason: String,
}

impl Told<'_> {
    /// The answer in one sentence.
    fn headline(&self) -> String {
        let subject = &self.subject;
        let package = format!(
            "{} {} ({})",
            subject.name, subject.version, subject.ecosystem
        );
        match &self.explanation.answer {
            Answer::Affected => format!("{} affects {package}", self.id),
            Answer::Possible | Answer::Disputed => {
                format!("{} possibly affects {package}{}", self.id, self.doubt())
            }
            Answer::Undecided(cause) => {
                format!(
                    "whether {} affects {package} cannot be decided: {cause}",
                    self.id
                )
            }
            Answer::NotAffected => {
                format!("{} does not affect {package}: {}", self.id, self.reason())
            }
        }
    }

    /// Why it is not certain that it affects the package.
    fn doubt(&self) -> String {
        let found = self.explanation.found.as_ref();
        let doubt = found.and_then(Uncertain::of);
        doubt.map_or_else(String::new, |doubt| {
            format!(" ({}): {}", doubt.kind.as_str(), doubt.reason)
        })
    }

    /// Why it does not affect the package.
    fn reason(&self) -> String {
        let subject = &self.subject;
        let naming = |record: &&RecordTold| !record.entries.is_empty();
        let records = &self.explanation.records;
        if let Some(record) = records
            .iter()
            .find(|record| record.standing != Standing::Counts && record.answer == Answer::Affected)
        {
            return format!("{} says so, but {}", record.id, standing(record));
        }
        let Some(record) = records.iter().find(naming) else {
            let elsewhere = match self.explanation.elsewhere.as_slice() {
                [] => String::new(),
                some => format!("; they name it in {}", some.join(", ")),
            };
            return format!(
                "no record of this vulnerability names {} in {}{elsewhere}",
                subject.name, subject.ecosystem
            );
        };
        let said: Vec<String> = record
            .entries
            .iter()
            .filter(|entry| entry.skipped.is_none())
            .flat_map(|entry| &entry.ranges)
            .map(|range| range.bounds.sentence(self.version()))
            .take(NAMED)
            .collect();
        if said.is_empty() {
            return format!("{} speaks of other versions or builds", record.id);
        }
        format!("{} ({})", said.join(" and "), record.id)
    }

    /// The version as it was compared.
    fn version(&self) -> &str {
        let compared = self.explanation.compared.as_deref();
        compared.unwrap_or(&self.subject.version)
    }

    /// The explanation for people.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n", line(&self.headline()));
        let mut say = |label: &str, said: &str| {
            let _ = writeln!(text, "{label:<10} {}", line(said));
        };
        let subject = &self.subject;
        say(
            "looked up",
            &format!("{} {} {}", subject.ecosystem, subject.name, self.version()),
        );
        if let Some(purl) = &subject.purl {
            say("purl", purl);
        }
        for note in &subject.notes {
            say("note", note);
        }
        say("ids", &self.explanation.ids.join(", "));
        let digest = &self.database.root_digest;
        say("database", digest);
        if let Some(reported) = subject
            .reported_digest
            .as_ref()
            .filter(|other| *other != digest)
        {
            say(
                "note",
                &format!("the report was made with another database, {reported}"),
            );
        }
        if let Some(moment) = self.as_of {
            say(
                "as of",
                &format!("{moment}; what records said before their last change is not known"),
            );
        }
        for record in &self.explanation.records {
            text.push('\n');
            self.record(&mut text, record);
        }
        if let Some(assessment) = &self.assessment {
            text.push('\n');
            affected(&mut text, assessment);
        }
        text
    }

    fn record(&self, text: &mut String, record: &RecordTold) {
        let mut say = |indent: usize, said: String| {
            let _ = writeln!(text, "{:indent$}{}", "", line(&said));
        };
        let verdict = match (&record.answer, record.entries.is_empty()) {
            (_, true) => format!("does not name {}", self.subject.name),
            (Answer::Affected | Answer::Disputed, _) => "affected".to_owned(),
            (Answer::Possible, _) => "possibly affected".to_owned(),
            (Answer::NotAffected, _) => "not affected".to_owned(),
            (Answer::Undecided(cause), _) => format!("undecided: {cause}"),
        };
        let counts = match record.standing {
            Standing::Counts => String::new(),
            _ => format!(", but does not count: {}", standing(record)),
        };
        say(0, format!("record {}: {verdict}{counts}", record.id));
        say(2, times(record));
        for source in self.sources(record) {
            say(
                2,
                format!("from {}/{} {}", source.kind, source.name, source.digest),
            );
        }
        for (ids, relation) in [
            (&record.aliases, "is the same vulnerability as"),
            (&record.upstream, "is derived from"),
        ] {
            if !ids.is_empty() {
                say(2, format!("says that it {relation} {}", ids.join(", ")));
            }
        }
        for entry in &record.entries {
            if let Some(cause) = &entry.skipped {
                say(2, format!("entry not compared: {cause}"));
            }
            for range in &entry.ranges {
                say(2, self.range(range));
            }
            if let Some(beyond) = &entry.beyond {
                let bound = beyond.sentence(self.version());
                say(
                    2,
                    format!("known to be affected only below: {bound}: possibly affected"),
                );
            }
            if entry.listed > 0 {
                let is = if entry.is_listed { "is" } else { "is not" };
                let listed = count(entry.listed, "listed version");
                say(2, format!("{} {is} among {listed}", self.subject.version));
            }
        }
    }

    fn range(&self, range: &RangeTold) -> String {
        let kind = kind(range);
        match &range.answer {
            Answer::Affected | Answer::Possible | Answer::Disputed => {
                format!(
                    "{kind}: {}: affected",
                    range.bounds.sentence(self.version())
                )
            }
            Answer::NotAffected => format!(
                "{kind}: {}: not affected",
                range.bounds.sentence(self.version())
            ),
            Answer::Undecided(cause) => format!("{kind}: undecided: {cause}"),
        }
    }

    fn sources(&self, record: &RecordTold) -> impl Iterator<Item = &db_sync::SourceInfo> {
        let names = record.sources.clone();
        self.database
            .sources
            .iter()
            .filter(move |source| names.contains(&source.name))
    }

    /// The explanation for programs.
    pub(super) fn json(&self) -> String {
        let subject = &self.subject;
        let explanation = &self.explanation;
        let records: Vec<Value> = explanation
            .records
            .iter()
            .map(|record| self.record_json(record))
            .collect();
        let affected = self.assessment.as_ref().map(|assessment| {
            let found = &assessment.vulnerability;
            json!(AffectedView {
                shown_as: &assessment.shown.id,
                record: &found.record,
                merged: &found.merged,
                rating: RatingView::new(found),
                remedy: RemedyView::new(found),
                fix_reason: fix(found),
            })
        });
        let (answer, _) = said(&explanation.answer);
        serial::pretty(&json!({
            "id": self.id,
            "answer": answer,
            "reason": self.headline(),
            "package": {
                "ecosystem": subject.ecosystem,
                "name": subject.name,
                "version": subject.version,
                "compared_version": self.version(),
                "purl": subject.purl,
            },
            "notes": subject.notes,
            "ids": explanation.ids,
            "records": records,
            "named_in": explanation.elsewhere,
            "affected": affected,
            "database": {
                "digest": self.database.root_digest,
                "reported_digest": subject.reported_digest,
                "as_of": self.as_of.map(|moment| moment.to_string()),
            },
        }))
    }

    fn record_json(&self, record: &RecordTold) -> Value {
        let (answer, cause) = said(&record.answer);
        let entries: Vec<Value> = record
            .entries
            .iter()
            .map(|entry| self.entry_json(entry))
            .collect();
        let sources: Vec<Value> = self
            .sources(record)
            .map(|source| {
                json!({ "name": format!("{}/{}", source.kind, source.name), "digest": source.digest })
            })
            .collect();
        json!({
            "id": record.id,
            "answer": answer,
            "cause": cause,
            "counts": record.standing == Standing::Counts,
            "standing": standing(record),
            "published": record.published.map(|moment| moment.to_string()),
            "modified": record.modified.map(|moment| moment.to_string()),
            "withdrawn": record.withdrawn.map(|moment| moment.to_string()),
            "sources": sources,
            "aliases": record.aliases,
            "upstream": record.upstream,
            "entries": entries,
        })
    }

    fn entry_json(&self, entry: &EntryTold) -> Value {
        let ranges: Vec<Value> = entry
            .ranges
            .iter()
            .map(|range| {
                let (answer, cause) = said(&range.answer);
                json!({
                    "type": kind(range),
                    "answer": answer,
                    "cause": cause,
                    "bounds": range.bounds.sentence(self.version()),
                })
            })
            .collect();
        json!({
            "not_compared": entry.skipped,
            "ranges": ranges,
            "listed_versions": entry.listed,
            "is_listed": entry.is_listed,
        })
    }
}

fn kind(range: &RangeTold) -> &'static str {
    if range.semver { "SEMVER" } else { "ECOSYSTEM" }
}

/// An answer as a word, and its cause.
fn said(answer: &Answer) -> (&'static str, Option<&str>) {
    match answer {
        Answer::Affected => ("affected", None),
        Answer::Possible => ("possible", None),
        Answer::Disputed => ("disputed", None),
        Answer::NotAffected => ("not-affected", None),
        Answer::Undecided(cause) => ("undecided", Some(cause)),
    }
}

/// Whether a record counts, in words.
fn standing(record: &RecordTold) -> String {
    let when = |moment: Option<db_sync::Moment>| {
        moment.map_or_else(|| "an unknown time".to_owned(), |moment| moment.to_string())
    };
    match record.standing {
        Standing::Counts if record.withdrawn.is_some() => format!(
            "it was withdrawn on {}, later than asked",
            when(record.withdrawn)
        ),
        Standing::Counts => "it counts".to_owned(),
        Standing::Withdrawn => format!("it was withdrawn on {}", when(record.withdrawn)),
        Standing::OtherStream => {
            "it is about another stream of the module that the package was built in".to_owned()
        }
        Standing::Later => format!(
            "it was published on {}, later than asked",
            when(record.published.or(record.modified))
        ),
    }
}

fn times(record: &RecordTold) -> String {
    let mut parts = Vec::new();
    for (word, moment) in [
        ("published", record.published),
        ("modified", record.modified),
        ("withdrawn", record.withdrawn),
    ] {
        parts.extend(moment.map(|moment| format!("{word} {moment}")));
    }
    if parts.is_empty() {
        "without times".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What is known about a fix, and why the recommended version is it.
fn fix(found: &Vulnerability) -> String {
    use db_sync::{FixState, Step};
    let Some((best, others)) = found.fixed.split_first() else {
        return match found.fix {
            FixState::WontFix => "none, and a source says that it stays so".to_owned(),
            FixState::NotFixed => "none: the range ends nowhere".to_owned(),
            FixState::Fixed | FixState::Unknown => {
                "unknown: some later version may be free of it, no record says which".to_owned()
            }
        };
    };
    let why = match found.step {
        Some(Step::Distribution) => "the first fixed build of the release",
        Some(Step::Patch) => "the smallest fixed version with the same major and minor number",
        Some(Step::Minor) => "the smallest fixed version with the same major number",
        Some(Step::Major) => "the smallest fixed version, on another release line",
        None => "the smallest fixed version",
    };
    if others.is_empty() {
        format!("{best}: {why}")
    } else {
        format!("{best}: {why}; also fixed: {}", others.join(", "))
    }
}

fn affected(text: &mut String, assessment: &Assessment) {
    let found = &assessment.vulnerability;
    let rated = &found.rated;
    let _ = writeln!(text, "shown as   {}", line(&assessment.shown.id));
    let _ = writeln!(text, "severity   {}", line(&rated.reason));
    for rating in &rated.ratings {
        let class = rating
            .severity
            .map_or("cannot be read", |severity| severity.as_str());
        let score = rating
            .score
            .map(|score| format!(" {score:.1}"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {}{score} {class}: {} ({})",
            rating.kind,
            line(&rating.value),
            line(&rating.source)
        );
    }
    let _ = writeln!(text, "fix        {}", line(&fix(found)));
}
