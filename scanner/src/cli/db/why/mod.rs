//! `portcullis db why`: explains one finding, or why a vulnerability is none. Owns what is asked
//! about; the answer is the database's ([`db_sync::Db::explain`]), and `render` puts it into words.

mod render;
mod report;
mod subject;

use std::sync::Arc;

use db_sync::{Explanation, Moment, Query, ReadError};

pub(super) use self::report::PastReport;
use self::subject::Subject;
use super::{open, query};
use crate::cli::args::WhyArguments;
use crate::cli::failure::Failure;
use crate::cli::print;
use portcullis::matching::{self, Assessment, Assessor, LookedUp};

/// All that is told.
struct Told<'db> {
    /// The id that was asked about.
    id: String,
    subject: Subject,
    explanation: Explanation<'db>,
    database: &'db db_sync::Info,
    as_of: Option<Moment>,
    /// For a vulnerability that affects the package.
    assessment: Option<Assessment>,
}

/// Explains; whatever the answer is, the code is 0. Without an answer it is 2.
pub(super) fn run(arguments: &WhyArguments) -> Result<u8, Failure> {
    let mut as_of = arguments.answer.moment()?;
    let (id, mut subject) = match (&arguments.report, arguments.package.as_slice()) {
        (None, []) => {
            return Err(
                Failure::new(format!("{} of which package?", arguments.finding))
                    .hint("portcullis db why ID PURL, or ID ECOSYSTEM NAME VERSION")
                    .hint("portcullis db why FINGERPRINT|ID --report report.json"),
            );
        }
        (None, package) => (arguments.finding.clone(), Subject::given(package)?),
        (Some(path), package) => {
            let report = PastReport::read(path)?;
            if as_of.is_none() {
                as_of = report.as_of()?;
            }
            match package {
                [] => report.finding(&arguments.finding)?,
                [purl] => (arguments.finding.clone(), report.package(purl)?),
                _ => {
                    return Err(Failure::new("a report knows its packages by package URL")
                        .hint("portcullis db why ID PURL --report report.json"));
                }
            }
        }
    };
    let db = open(&arguments.database)?;
    let spelled = query::spelled(&db, &subject.ecosystem).to_owned();
    subject.ecosystem = spelled;
    let module = arguments.module.as_ref().or(subject.module.as_ref());
    let module = module.map(|label| query::stream(label)).transpose()?;
    let read = |error: ReadError| Failure::from_error(&error);
    // The records of a release may stand under several names: the first that says yes explains.
    let mut explanation = None;
    let mut chosen = None;
    for part in matching::parts(&subject.ecosystem, &db) {
        let question = Query {
            ecosystem: &part,
            name: &subject.name,
            version: Some(&subject.version),
            as_of,
            module,
        };
        let told = db.explain(&question, &id).map_err(read)?;
        let says_yes = told.as_ref().is_some_and(|told| told.found.is_some());
        if says_yes || chosen.is_none() && db.has_ecosystem(&part) {
            explanation = told;
            chosen = Some(part);
        } else if explanation.is_none() {
            explanation = told;
        }
        if says_yes {
            break;
        }
    }
    if let Some(part) = chosen {
        subject.ecosystem = part.to_string();
    }
    // A record from elsewhere may say yes; a no takes the ecosystem's own advisories.
    let is_affected = explanation
        .as_ref()
        .is_some_and(|explanation| explanation.found.is_some());
    if !is_affected {
        query::known(&db, &subject.ecosystem)?;
    }
    let explanation = explanation.ok_or_else(|| unknown(&id))?;
    let assessment = match &explanation.found {
        Some(found) => {
            let looked_up = LookedUp {
                ecosystem: &subject.ecosystem,
                name: &subject.name,
                version: Some(&subject.version),
            };
            let package = Arc::new(looked_up.package());
            let prefer = arguments.answer.preference();
            let exploitation = found.exploitation(as_of).map_err(read)?;
            let assessed = Assessor::new(&prefer).assess(found, looked_up, &package, exploitation);
            Some(assessed.map_err(read)?)
        }
        None => None,
    };
    let told = Told {
        id,
        subject,
        explanation,
        database: db.info(),
        as_of,
        assessment,
    };
    print(&match arguments.format {
        crate::cli::args::TextOrJson::Json => told.json(),
        crate::cli::args::TextOrJson::Table => told.text(),
    })?;
    Ok(0)
}

fn unknown(id: &str) -> Failure {
    Failure::new(format!(
        "the database has no record {id}, and none that names it"
    ))
    .hint("ids are compared exactly, such as CVE-2021-44228 or GHSA-jfh8-c2jp-5v3q")
    .hint("the database may be older than the advisory: portcullis db status, db sync")
}
