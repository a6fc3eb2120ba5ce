//! Whether two databases give the same answers to everything that a bucket
//! lets one ask.

use db_sync::{Db, FeedKind, Info, Moment, Query};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

/// Versions that are asked about per package.
const VERSIONS: usize = 8;
/// Records that are explained: an id that is no record's takes a look at all of them.
const EXPLAINED: usize = 150;

/// What there is to ask.
#[derive(Default)]
struct Questions {
    ids: BTreeSet<String>,
    /// Ids that records name.
    named: BTreeSet<String>,
    /// Versions by ecosystem and name.
    packages: BTreeMap<(String, String), BTreeSet<String>>,
    /// What to explain: any id of a vulnerability, a package of it, a version.
    whys: BTreeSet<(String, String, String, String)>,
}

impl Questions {
    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("list") {
            let path = entry.expect("entry").path();
            let extension = path.extension().unwrap_or_default();
            if path.is_dir() {
                self.read(&path);
            } else if extension == "json" {
                self.record(&fs::read(&path).expect("read"));
            } else if extension == "zip" {
                let file = std::io::BufReader::new(fs::File::open(&path).expect("open"));
                let mut archive = zip::ZipArchive::new(file).expect("zip");
                for number in 0..archive.len() {
                    let mut bytes = Vec::new();
                    let mut entry = archive.by_index(number).expect("entry");
                    entry.read_to_end(&mut bytes).expect("bytes");
                    self.record(&bytes);
                }
            }
        }
    }

    fn record(&mut self, bytes: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Value>(bytes) else {
            return;
        };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        self.ids.extend(record["id"].as_str().map(str::to_owned));
        let texts = |value: &Value| -> Vec<String> {
            let list = list(value).into_iter();
            list.filter_map(|text| Some(text.as_str()?.to_owned()))
                .collect()
        };
        let mut ids: Vec<String> = record["id"]
            .as_str()
            .map(str::to_owned)
            .into_iter()
            .collect();
        for field in ["aliases", "upstream", "related"] {
            ids.extend(texts(&record[field]));
        }
        self.named.extend(ids.iter().cloned());
        for entry in list(&record["affected"]) {
            let package = &entry["package"];
            let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
            let (ecosystem, name) = (text("ecosystem"), text("name"));
            let listed = texts(&entry["versions"]);
            let version = listed.first().map_or("1.5", String::as_str);
            for id in &ids {
                self.whys.insert((
                    id.clone(),
                    ecosystem.clone(),
                    name.clone(),
                    version.to_owned(),
                ));
            }
            let versions = self.packages.entry((ecosystem, name)).or_default();
            versions.extend(listed);
            for range in list(&entry["ranges"]) {
                for event in list(&range["events"]) {
                    let events = event.as_object().into_iter().flatten();
                    versions.extend(events.filter_map(|(_, text)| Some(text.as_str()?.to_owned())));
                }
            }
        }
    }
}

/// What a database says of itself, apart from how it is stored.
fn described(db: &Db) -> Info {
    Info {
        root_digest: String::new(),
        file_size: 0,
        ..db.info().clone()
    }
}

/// Fails where anything that the records of these folders name is answered
/// differently.
pub(crate) fn assert_same(folders: &[&Path], left: &Path, right: &Path) {
    let (left, right) = (
        Db::open(left).expect("open"),
        Db::open(right).expect("open"),
    );
    left.check().expect("sound");
    let told = [&left, &right].map(|db| format!("{:#?}", described(db)));
    assert_eq!(
        told[0]
            .lines()
            .zip(told[1].lines())
            .filter(|(l, r)| l != r)
            .collect::<Vec<_>>(),
        []
    );
    assert_eq!(described(&left), described(&right));
    let mut questions = Questions::default();
    for folder in folders {
        questions.read(folder);
    }
    for id in &questions.named {
        let answers = [&left, &right].map(|db| db.advisory(id).expect("answer"));
        assert_eq!(answers[0], answers[1], "{id}");
    }
    let day = Moment::parse("2026-03-01T12:00:00Z");
    assert_same_feeds(&left, &right, &questions, day);
    for ((ecosystem, name), versions) in &questions.packages {
        let known = [&left, &right].map(|db| db.has_ecosystem(ecosystem));
        assert_eq!(known[0], known[1], "{ecosystem}");
        let step = versions.len().div_ceil(VERSIONS).max(1);
        let versions = versions
            .iter()
            .step_by(step)
            .map(|text| Some(text.as_str()));
        for version in versions.chain([None]) {
            for as_of in [None, day] {
                let query = Query {
                    ecosystem,
                    name,
                    version,
                    as_of,
                    module: None,
                };
                let left = left.query(&query).expect("answer");
                let right = right.query(&query).expect("answer");
                assert_eq!(left, right, "{ecosystem} {name} {version:?}");
                for (left, right) in left.matches.iter().zip(&right.matches) {
                    let said = [left, right].map(|found| found.exploitation(as_of));
                    assert_eq!(said[0], said[1], "{ecosystem} {name} {}", left.id);
                }
            }
            if let (Some(version), "crates.io") = (version, ecosystem.as_str()) {
                let yanked = [&left, &right].map(|db| db.is_yanked(name, version));
                assert_eq!(yanked[0], yanked[1], "{name} {version}");
            }
        }
    }
    let step = questions.whys.len().div_ceil(EXPLAINED).max(1);
    for (id, ecosystem, name, version) in questions.whys.iter().step_by(step) {
        for (version, as_of) in [(Some(version.as_str()), None), (None, day)] {
            let query = Query {
                ecosystem,
                name,
                version,
                as_of,
                module: None,
            };
            let told =
                [&left, &right].map(|db| format!("{:#?}", db.explain(&query, id).expect("answer")));
            assert_eq!(told[0], told[1], "{id} {ecosystem} {name} {version:?}");
        }
    }
}

/// The feeds, for every id that is named.
fn assert_same_feeds(left: &Db, right: &Db, questions: &Questions, day: Option<Moment>) {
    for as_of in [None, day] {
        for kind in FeedKind::ALL {
            assert_eq!(left.has_feed(kind, as_of), right.has_feed(kind, as_of));
        }
        for id in &questions.named {
            let scores = [left, right].map(|db| db.epss(id, as_of));
            assert_eq!(scores[0], scores[1], "{id}");
            let entries = [left, right].map(|db| db.kev(id, as_of));
            assert_eq!(entries[0], entries[1], "{id}");
        }
    }
}
