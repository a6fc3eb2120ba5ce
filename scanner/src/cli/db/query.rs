//! `portcullis db query`: the advisories for one package, as table or JSON.

use std::fmt::Write as _;

use db_sync::{Db, Exploitation, Match, Moment, Query, ReadError, Stream};
use serde_json::{Value, json};

use super::open;
use crate::cli::args::{QueryArguments, TextOrJson};
use crate::cli::failure::Failure;
use crate::cli::print;
use portcullis::model::finding::Uncertain;
use portcullis::model::rating::{Rated, Rater};
use portcullis::output::{escape, serial, words};
use portcullis::prefer::{Preference, Shown};

/// Ecosystems that an error names; `db status --format json` has all.
const NAMED: usize = 12;

/// Prints the answer. An ecosystem without advisories is no answer, and ends with 2.
pub(super) fn run(arguments: &QueryArguments) -> Result<u8, Failure> {
    let db = open(&arguments.database)?;
    let ecosystem = spelled(&db, &arguments.ecosystem);
    known(&db, ecosystem)?;
    let as_of = arguments.answer.moment()?;
    let module = arguments.module.as_deref().map(stream).transpose()?;
    let read = |error: ReadError| Failure::from_error(&error);
    let answer = db
        .query(&Query {
            ecosystem,
            name: &arguments.name,
            version: arguments.version.as_deref(),
            as_of,
            module,
        })
        .map_err(read)?;
    let mut asked = Asked {
        arguments,
        ecosystem,
        prefer: arguments.answer.preference(),
        rater: Rater::default(),
        as_of,
    };
    let text = match arguments.format {
        TextOrJson::Json => asked.json(&answer),
        TextOrJson::Table => asked.table(&answer),
    };
    print(&text.map_err(read)?)?;
    Ok(0)
}

/// Reads a module stream, or the label of a package that begins with it.
pub(super) fn stream(label: &str) -> Result<Stream<'_>, Failure> {
    Stream::of_label(label).ok_or_else(|| {
        Failure::new(format!("{label:?} is not a module stream"))
            .hint("write name:stream, such as nodejs:18, or the package's whole MODULARITYLABEL")
    })
}

/// The ecosystem as the database spells it, where it is written in another case.
pub(super) fn spelled<'n>(db: &'n Db, asked: &'n str) -> &'n str {
    let mut known = db.info().ecosystems.iter().map(|known| known.name.as_str());
    let is_known = db.has_ecosystem(asked);
    let alike = known.find(|known| !is_known && known.eq_ignore_ascii_case(asked));
    alike.unwrap_or(asked)
}

/// Refuses an ecosystem that the database knows nothing about, and names those that could be meant.
pub(super) fn known(db: &Db, ecosystem: &str) -> Result<(), Failure> {
    if db.has_ecosystem(ecosystem) {
        return Ok(());
    }
    let base = |name: &str| db_sync::ecosystem::base(name).to_ascii_lowercase();
    let all: Vec<&str> = db
        .info()
        .ecosystems
        .iter()
        .map(|known| known.name.as_str())
        .filter(|known| db.has_ecosystem(known))
        .collect();
    let alike: Vec<&str> = all
        .iter()
        .copied()
        .filter(|known| base(known) == base(ecosystem))
        .collect();
    let list = if alike.is_empty() { all } else { alike };
    let failure = Failure::new(format!("the database has no advisories for {ecosystem}"));
    if list.is_empty() {
        return Err(failure.hint("it is empty: portcullis db sync"));
    }
    let named = list.iter().take(NAMED).copied().collect::<Vec<_>>();
    let more = match list.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!(" and {more} more (portcullis db status --format json)"),
        _ => String::new(),
    };
    Err(failure.hint(format!("it has {}{more}", named.join(", "))))
}

/// One match with what our side makes of it.
struct Told<'m, 'db> {
    found: &'m Match<'db>,
    exploitation: Exploitation,
    shown: Shown,
    rated: std::sync::Arc<Rated>,
    fixed: Vec<String>,
    step: Option<db_sync::Step>,
    doubt: Option<Uncertain>,
}

struct Asked<'a> {
    arguments: &'a QueryArguments,
    /// As the database spells it.
    ecosystem: &'a str,
    prefer: Preference,
    rater: Rater,
    as_of: Option<Moment>,
}

impl Asked<'_> {
    fn tell<'m, 'db>(&mut self, found: &'m Match<'db>) -> Result<Told<'m, 'db>, ReadError> {
        let ecosystem = self.ecosystem;
        let choice = self.arguments.version.as_deref().and_then(|version| {
            db_sync::choose(ecosystem, &self.arguments.name, version, &found.fixed)
        });
        Ok(Told {
            found,
            exploitation: found.exploitation(self.as_of)?,
            shown: self
                .prefer
                .show(found.id, &found.merged(), found.aliases()?),
            rated: self.rater.rate(found.id, found.ratings()?),
            fixed: portcullis::matching::chosen_first(choice, &found.fixed),
            step: choice.and_then(|choice| choice.step),
            doubt: Uncertain::of(found),
        })
    }

    fn json(&mut self, answer: &db_sync::Outcome<'_>) -> Result<String, ReadError> {
        let mut matches: Vec<Value> = Vec::new();
        for found in &answer.matches {
            matches.push(self.tell(found)?.json()?);
        }
        let undecided: Vec<Value> = answer
            .undecided
            .iter()
            .map(|undecided| json!({ "id": undecided.id, "cause": undecided.cause }))
            .collect();
        Ok(serial::pretty(&json!({
            "ecosystem": self.ecosystem,
            "known_ecosystem": true,
            "matches": matches,
            "undecided": undecided,
        })))
    }

    fn table(&mut self, answer: &db_sync::Outcome<'_>) -> Result<String, ReadError> {
        let mut text = String::new();
        for found in &answer.matches {
            let told = self.tell(found)?;
            let fixed = match told.fixed.first() {
                Some(fixed) => format!("fixed: {}", escape::line(fixed)),
                None => format!("fix: {}", found.state.as_str()),
            };
            let mut marks = words::remarks(told.doubt.as_ref(), &told.exploitation);
            if !marks.is_empty() {
                marks = format!("[{}] ", escape::line(&marks));
            }
            let _ = writeln!(
                text,
                "{:<8} {}  {fixed}  {marks}{}",
                told.rated.severity,
                escape::line(&told.shown.id),
                escape::line(&words::remark(
                    found.informational()?,
                    &found.scope()?,
                    found.summary()?
                ))
            );
            let _ = writeln!(text, "         {}", escape::line(&told.rated.reason));
        }
        for undecided in &answer.undecided {
            let _ = writeln!(
                text,
                "undecided {}: {}",
                escape::line(&undecided.id),
                escape::line(&undecided.cause)
            );
        }
        let _ = match answer.matches.len() {
            1 => writeln!(text, "1 match"),
            count => writeln!(text, "{count} matches"),
        };
        Ok(text)
    }
}

impl Told<'_, '_> {
    fn json(&self) -> Result<Value, ReadError> {
        let found = self.found;
        let scope = found.scope()?;
        Ok(json!({
            "id": &*self.shown.id,
            "record": found.id,
            "merged": found.merged(),
            "aliases": self.shown.aliases,
            "summary": found.summary()?,
            "severity": self.rated.severity.as_str(),
            "severity_source": &*self.rated.source,
            "severity_reason": &*self.rated.reason,
            "score": self.rated.score,
            "ratings": self.rated.ratings,
            "epss": self.exploitation.epss,
            "kev": self.exploitation.kev,
            "fixed": self.fixed,
            "fix": {
                "state": found.state.as_str(),
                "version": self.fixed.first(),
                "step": self.step.map(db_sync::Step::as_str),
            },
            "doubt": self.doubt.as_ref().map(|doubt| json!({
                "kind": doubt.kind.as_str(),
                "reason": &*doubt.reason,
                "denied_by": doubt.denied_by,
            })),
            "published": found.published.map(|moment| moment.to_string()),
            "modified": found.modified.map(|moment| moment.to_string()),
            "informational": found.informational()?,
            "limited_to": { "functions": scope.functions, "arch": scope.arch, "os": scope.os },
            "url": db_sync::advisory_url(&self.shown.id),
        }))
    }
}
