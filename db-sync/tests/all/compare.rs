//! Whether two databases give the same answers to everything that a bucket
//! lets one ask.

use db_sync::{Db, Info, Moment, Query};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

/// Versions that are asked about per package.
const VERSIONS: usize = 8;

/// What there is to ask.
#[derive(Default)]
struct Questions {
    ids: BTreeSet<String>,
    /// Versions by ecosystem and name.
    packages: BTreeMap<(String, String), BTreeSet<String>>,
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
        for entry in list(&record["affected"]) {
            let package = &entry["package"];
            let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
            let versions = self
                .packages
                .entry((text("ecosystem"), text("name")))
                .or_default();
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
    left.verify().expect("whole");
    assert_eq!(described(&left), described(&right));
    let mut questions = Questions::default();
    for folder in folders {
        questions.read(folder);
    }
    for id in &questions.ids {
        let answers = [&left, &right].map(|db| db.advisory(id).expect("answer"));
        assert_eq!(answers[0], answers[1], "{id}");
    }
    let day = Moment::parse("2026-03-01T12:00:00Z");
    for ((ecosystem, name), versions) in &questions.packages {
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
            }
        }
    }
}
