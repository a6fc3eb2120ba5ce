//! `portcullis db query`: the advisories for one package, as table or JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use db_sync::{Db, Match, ModuleStream, Moment, Query, ReadError};
use serde::Serialize;
use serde_json::{Value, json};

use super::open;
use crate::cli::args::{QueryArguments, TextOrJson};
use crate::cli::failure::Failure;
use crate::cli::print;
use portcullis::matching::{Assessment, Assessor, LookedUp};
use portcullis::model::package::Package;
use portcullis::output::json::{RatingView, RemedyView};
use portcullis::output::{escape, serial};
use portcullis::phrase;

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
    let looked_up = LookedUp {
        ecosystem,
        name: &arguments.name,
        version: arguments.version.as_deref(),
    };
    let prefer = arguments.answer.preference();
    let mut asked = Asked {
        ecosystem,
        assessor: Assessor::new(&prefer),
        looked_up,
        package: Arc::new(looked_up.package()),
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
pub(super) fn stream(label: &str) -> Result<ModuleStream<'_>, Failure> {
    ModuleStream::of_label(label).ok_or_else(|| {
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

/// One match with what is made of it.
struct Assessed<'m, 'db> {
    found: &'m Match<'db>,
    assessment: Assessment,
}

struct Asked<'a> {
    /// As the database spells it.
    ecosystem: &'a str,
    looked_up: LookedUp<'a>,
    assessor: Assessor<'a>,
    package: Arc<Package>,
    as_of: Option<Moment>,
}

impl Asked<'_> {
    fn assess<'m, 'db>(&mut self, found: &'m Match<'db>) -> Result<Assessed<'m, 'db>, ReadError> {
        let exploitation = found.exploitation(self.as_of)?;
        let assessment =
            self.assessor
                .assess(found, self.looked_up, &self.package, exploitation)?;
        Ok(Assessed { found, assessment })
    }

    fn json(&mut self, answer: &db_sync::Response<'_>) -> Result<String, ReadError> {
        let mut matches: Vec<Value> = Vec::new();
        for found in &answer.matches {
            matches.push(self.assess(found)?.json()?);
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

    fn table(&mut self, answer: &db_sync::Response<'_>) -> Result<String, ReadError> {
        let mut text = String::new();
        for found in &answer.matches {
            let Assessment {
                shown,
                vulnerability,
            } = self.assess(found)?.assessment;
            let fixed = match vulnerability.fixed.first() {
                Some(fixed) => format!("fixed: {}", escape::line(fixed)),
                None => format!("fix: {}", found.state.as_str()),
            };
            let mut marks =
                phrase::remarks(vulnerability.doubt.as_deref(), &vulnerability.exploitation);
            if !marks.is_empty() {
                marks = format!("[{}] ", escape::line(&marks));
            }
            let _ = writeln!(
                text,
                "{:<8} {}  {fixed}  {marks}{}",
                vulnerability.rated.severity,
                escape::line(&shown.id),
                escape::line(&phrase::title(&vulnerability, found.summary()?))
            );
            let _ = writeln!(
                text,
                "         {}",
                escape::line(&vulnerability.rated.reason)
            );
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

/// The answer about one vulnerability.
#[derive(Serialize)]
struct MatchView<'a> {
    id: &'a str,
    record: &'a str,
    merged: &'a [String],
    aliases: &'a [String],
    summary: &'a str,
    #[serde(flatten)]
    rating: RatingView<'a>,
    #[serde(flatten)]
    remedy: RemedyView<'a>,
    published: Option<String>,
    modified: Option<String>,
    url: String,
}

impl Assessed<'_, '_> {
    fn json(&self) -> Result<Value, ReadError> {
        let (found, shown) = (self.found, &self.assessment.shown);
        let vulnerability = &self.assessment.vulnerability;
        let view = MatchView {
            id: &shown.id,
            record: found.id,
            merged: &vulnerability.merged,
            aliases: &shown.aliases,
            summary: found.summary()?,
            rating: RatingView::new(vulnerability),
            remedy: RemedyView::new(vulnerability),
            published: found.published.map(|moment| moment.to_string()),
            modified: found.modified.map(|moment| moment.to_string()),
            url: db_sync::advisory_url(&shown.id),
        };
        Ok(json!(view))
    }
}
