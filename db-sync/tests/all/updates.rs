//! Random updates of a bucket that does everything a bucket may do, also what
//! it should not: a database that followed them answers as one from nothing.

use super::compare::assert_same;
use super::support;
use db_sync::sync::{SyncRequest, run};
use db_sync::{Db, Moment};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// How many buckets are followed.
const CASES: &str = "PORTCULLIS_UPDATES";

const DIRECTORIES: [&str; 4] = ["Debian", "PyPI", "crates.io", "npm"];
const ECOSYSTEMS: [&str; 6] = [
    "Debian:12",
    "Debian:13",
    "PyPI",
    "crates.io",
    "npm",
    "Debian",
];
/// Spellings of few packages, and an ecosystem nobody orders versions in.
const NAMES: [&str; 7] = ["one", "One", "o_n.e", "two", "o-n-e", "three", "Two"];
const VERSIONS: [&str; 8] = [
    "0",
    "1.0",
    "1.5",
    "1.5.0-rc1",
    "2.0",
    "2.1+deb12u1",
    "no version",
    "10",
];
const VECTORS: [&str; 4] = [
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
    "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:L/A:N",
];

/// A small generator: the same seed gives the same case.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % (end.max(1) as u64)).expect("small")
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len());
        &all[place]
    }
}

/// Ids of records, and some that only records name.
fn ids() -> Vec<String> {
    let mut ids = Vec::new();
    for number in 1000..1008 {
        ids.push(format!("CVE-2026-{number}"));
        ids.push(format!("DEBIAN-CVE-2026-{number}"));
    }
    for number in 0..6 {
        ids.push(format!("PYSEC-2026-{number}"));
        ids.push(format!("RUSTSEC-2026-000{number}"));
        ids.push(format!("GHSA-aaaa-aaaa-aaa{number}"));
        ids.push(format!("DSA-{number}"));
    }
    ids
}

/// The same times are often met, in different spellings.
fn time(dice: &mut Dice) -> String {
    let (day, second) = (dice.below(3) + 1, dice.below(4));
    match dice.below(6) {
        0 => format!("2026-03-{day:02}T00:00:{second:02}.5Z"),
        1 => format!("2026-03-{day:02}T00:00:{second:02}.500000Z"),
        2 => format!("2026-03-{day:02}T02:00:{second:02}+02:00"),
        3 => format!("2025-03-{day:02}T00:00:{second:02}Z"),
        4 => (*dice.of(&[
            "9999-12-31T23:59:59-12:00",
            "0001-01-01T00:00:00+12:00",
            "1960-01-01T00:00:00.25Z",
        ]))
        .to_owned(),
        _ => format!("2026-03-{day:02}T00:00:{second:02}Z"),
    }
}

fn severity(dice: &mut Dice) -> Value {
    let vector = *dice.of(&VECTORS);
    let kind = if vector.starts_with("CVSS:4") {
        "CVSS_V4"
    } else {
        "CVSS_V3"
    };
    json!([{"type": kind, "score": vector}])
}

fn affected(dice: &mut Dice) -> Value {
    let mut entry = Map::new();
    let package = json!({"ecosystem": dice.of(&ECOSYSTEMS), "name": dice.of(&NAMES)});
    entry.insert("package".to_owned(), package);
    if !dice.one_in(4) {
        let kind = if dice.one_in(3) {
            "SEMVER"
        } else {
            "ECOSYSTEM"
        };
        let mut events = vec![json!({"introduced": dice.of(&VERSIONS)})];
        let end = *dice.of(&["fixed", "last_affected", "limit"]);
        events.push(json!({end: dice.of(&VERSIONS)}));
        entry.insert(
            "ranges".to_owned(),
            json!([{"type": kind, "events": events}]),
        );
    }
    if dice.one_in(3) {
        let versions = [*dice.of(&VERSIONS), *dice.of(&VERSIONS)];
        entry.insert("versions".to_owned(), json!(versions));
    }
    if dice.one_in(4) {
        entry.insert("severity".to_owned(), severity(dice));
    }
    if dice.one_in(6) {
        let urgency = json!({"urgency": dice.of(&["low", "medium", "unimportant", "high"])});
        entry.insert("ecosystem_specific".to_owned(), urgency);
    }
    Value::Object(entry)
}

fn record(dice: &mut Dice, ids: &[String], id: &str) -> Value {
    let mut record = Map::new();
    record.insert("id".to_owned(), json!(id));
    record.insert("modified".to_owned(), json!(time(dice)));
    for field in ["published", "withdrawn"] {
        if dice.one_in(if field == "published" { 2 } else { 8 }) {
            record.insert(field.to_owned(), json!(time(dice)));
        }
    }
    for field in ["aliases", "upstream", "related"] {
        let mut list: Vec<&String> = Vec::new();
        while dice.one_in(4) {
            list.push(dice.of(ids));
        }
        record.insert(field.to_owned(), json!(list));
    }
    if dice.one_in(3) {
        record.insert("severity".to_owned(), severity(dice));
    }
    if dice.one_in(5) {
        let word = json!({"severity": dice.of(&["LOW", "CRITICAL", "Moderate"])});
        record.insert("database_specific".to_owned(), word);
    }
    record.insert("summary".to_owned(), json!(format!("s{}", dice.below(9))));
    let length = dice.below(40) * 100;
    record.insert(
        "details".to_owned(),
        json!("long text ".repeat(length / 10)),
    );
    let count = dice.below(4);
    let entries: Vec<Value> = (0..count).map(|_| affected(dice)).collect();
    record.insert("affected".to_owned(), Value::Array(entries));
    Value::Object(record)
}

/// An advisory of RustSec's tree.
struct Advisory {
    package: &'static str,
    fixed: usize,
    /// The day in March on which it was withdrawn; 0 where it was not.
    withdrawn: usize,
}

impl Advisory {
    /// The days are those on which OSV's records change.
    fn any(dice: &mut Dice) -> Self {
        Self {
            package: *dice.of(&["one", "two", "three"]),
            fixed: dice.below(3) + 1,
            withdrawn: dice.below(10).saturating_sub(5),
        }
    }
}

/// Everything that a sync reads.
#[derive(Default)]
struct World {
    ids: Vec<String>,
    /// Records by directory and id.
    bucket: BTreeMap<&'static str, BTreeMap<String, Value>>,
    /// What records were before: sometimes they are that again.
    before: Vec<Value>,
    epss: BTreeMap<String, usize>,
    kev: BTreeSet<String>,
    /// RustSec advisories by number.
    rustsec: BTreeMap<usize, Advisory>,
    /// Yanked versions of a crate.
    yanked: BTreeSet<usize>,
    has_lists: bool,
    has_feeds: bool,
    has_index: bool,
    /// The directories that are synced.
    asked: Vec<&'static str>,
}

impl World {
    fn change(&mut self, dice: &mut Dice) {
        let directory = *dice.of(&DIRECTORIES);
        let id = dice.of(&self.ids).clone();
        let records = self.bucket.entry(directory).or_default();
        match dice.below(13) {
            12 => {
                let version = dice.below(VERSIONS.len());
                if !self.yanked.remove(&version) {
                    self.yanked.insert(version);
                }
            }
            0 | 1 => self.before.extend(records.remove(&id)),
            2 if !self.before.is_empty() => {
                let old = dice.of(&self.before).clone();
                let id = old["id"].as_str().expect("id").to_owned();
                self.before.extend(records.insert(id, old));
            }
            3 => {
                // The same record in another directory, or moved there.
                let (from, take) = (*dice.of(&DIRECTORIES), dice.one_in(2));
                let other = self.bucket.entry(from).or_default();
                let there = other.keys().nth(dice.below(other.len().max(1))).cloned();
                let Some(there) = there else { return };
                let copy = if take && !there.starts_with("KEEP") {
                    other.remove(&there)
                } else {
                    other.get(&there).cloned()
                };
                let records = self.bucket.entry(directory).or_default();
                self.before
                    .extend(copy.and_then(|copy| records.insert(there, copy)));
            }
            4 => {
                // Withdrawn, or not withdrawn any more.
                if let Some(record) = records.get_mut(&id) {
                    self.before.push(record.clone());
                    record["modified"] = json!(time(dice));
                    if record["withdrawn"].is_null() {
                        record["withdrawn"] = json!(time(dice));
                    } else {
                        record.as_object_mut().expect("object").remove("withdrawn");
                    }
                }
            }
            5 => {
                let key = format!("CVE-2026-{}", 1000 + dice.below(10));
                if dice.one_in(2) {
                    self.epss.insert(key, dice.below(100_000));
                } else if !self.kev.remove(&key) {
                    self.kev.insert(key);
                }
            }
            _ => {
                let new = record(dice, &self.ids, &id);
                self.before.extend(records.insert(id, new));
            }
        }
    }

    /// What changes between two syncs besides records.
    fn surroundings(&mut self, dice: &mut Dice) {
        if dice.one_in(6) {
            self.asked = DIRECTORIES
                .into_iter()
                .filter(|_| !dice.one_in(3))
                .collect();
        }
        if self.asked.is_empty() {
            self.asked = DIRECTORIES.to_vec();
        }
        if !self.rustsec.is_empty() && dice.one_in(5) {
            let advisory = Advisory::any(dice);
            self.rustsec.insert(dice.below(6), advisory);
        }
        self.has_feeds |= dice.one_in(6);
        self.has_index |= dice.one_in(10);
        if dice.one_in(40) {
            // More than is kept as changes.
            let directory = *dice.of(&DIRECTORIES);
            let time = time(dice);
            for number in 0..350 {
                let id = format!("STORM-{number}");
                let package = json!({"ecosystem": "npm", "name": dice.of(&NAMES)});
                let new = json!({"id": id, "modified": time,
                    "aliases": [format!("CVE-2026-{}", 1000 + number % 40)],
                    "affected": [{"package": package, "versions": [dice.of(&VERSIONS)]}]});
                let records = self.bucket.entry(directory).or_default();
                records.insert(id, new);
            }
        }
    }

    /// A list tells a change by its time: where that is the same, there is none.
    fn settle(&mut self, last: &BTreeMap<&'static str, BTreeMap<String, Value>>) {
        let time = |record: &Value| record["modified"].as_str().and_then(Moment::parse);
        for (directory, records) in &mut self.bucket {
            for (id, record) in records {
                if let Some(old) = last.get(directory).and_then(|last| last.get(id))
                    && time(old) == time(record)
                    && self.has_lists
                {
                    *record = old.clone();
                }
            }
        }
    }

    fn write(&self, root: &Path, archives: bool) {
        let (mut names, mut all) = (String::new(), String::new());
        for (directory, records) in &self.bucket {
            let _ = writeln!(names, "{directory}");
            let folder = root.join(directory);
            fs::create_dir_all(&folder).expect("folder");
            let (mut list, mut entries) = (String::new(), Vec::new());
            for (id, record) in records {
                let (time, bytes) = (record["modified"].as_str(), record.to_string());
                let time = time.expect("time");
                let _ = writeln!(list, "{time},{id}");
                let _ = writeln!(all, "{time},{directory}/{id}");
                fs::write(folder.join(format!("{id}.json")), &bytes).expect("write");
                entries.push((format!("{id}.json"), bytes.into_bytes()));
            }
            if self.has_lists {
                fs::write(folder.join("modified_id.csv"), list).expect("write");
            }
            if archives || !self.has_lists {
                fs::write(folder.join("all.zip"), support::zip(&entries)).expect("write");
            }
        }
        fs::write(root.join("ecosystems.txt"), names).expect("write");
        fs::write(root.join("modified_id.csv"), all).expect("write");
        let mut epss =
            "#model_version:v1,score_date:2026-02-20T00:00:00+0000\ncve,epss,percentile\nCVE-1999-0001,0.1,0.1\n"
                .to_owned();
        for (cve, score) in &self.epss {
            let _ = writeln!(epss, "{cve},0.{score:05},0.5");
        }
        fs::write(root.join("epss.csv"), epss).expect("write");
        let mut kev = vec![json!({"cveID": "CVE-1999-0001", "dateAdded": "2026-01-01"})];
        kev.extend(
            self.kev
                .iter()
                .map(|cve| json!({"cveID": cve, "dateAdded": "2026-03-01"})),
        );
        let kev = json!({"catalogVersion": "1", "dateReleased": "2026-11-19T10:00:00Z", "vulnerabilities": kev});
        fs::write(root.join("kev.json"), kev.to_string()).expect("write");
        let mut yanked = String::new();
        for (number, version) in VERSIONS.iter().enumerate() {
            let is_yanked = self.yanked.contains(&number);
            let line = json!({"name": "one", "vers": version, "yanked": is_yanked});
            let _ = writeln!(yanked, "{line}");
        }
        fs::create_dir_all(root.join("index/3/o")).expect("folder");
        fs::write(root.join("index/3/o/one"), yanked).expect("write");
        let _ = fs::remove_dir_all(root.join("rustsec"));
        for (number, advisory) in &self.rustsec {
            let (name, fixed) = (advisory.package, advisory.fixed);
            let withdrawn = match advisory.withdrawn {
                0 => String::new(),
                day => format!("withdrawn = \"2026-03-{day:02}\"\n"),
            };
            let folder = root.join("rustsec/crates").join(name);
            fs::create_dir_all(&folder).expect("folder");
            let text = format!(
                "```toml\n[advisory]\nid = \"RUSTSEC-2026-000{number}\"\npackage = \"{name}\"\ndate = \"2026-02-01\"\naliases = [\"CVE-2026-100{number}\"]\ninformational = \"unsound\"\n{withdrawn}\n[affected]\narch = [\"x86_64\"]\n\n[versions]\npatched = [\">= {fixed}.0.0\"]\n```\n\n# Title {number}\n\nText.\n"
            );
            fs::write(folder.join(format!("RUSTSEC-2026-000{number}.md")), text).expect("write");
        }
    }
}

fn sync(root: &Path, output: &Path, world: &World) -> bool {
    let path = |name: &str| vec![root.join(name).display().to_string()];
    // What is not asked for any more leaves by name, as nothing leaves otherwise.
    let held = Db::open(output).map(|db| db.info().sources.clone());
    let mut remove: Vec<String> = held
        .unwrap_or_default()
        .into_iter()
        .filter(|source| source.kind == "osv")
        .map(|source| source.name)
        .collect();
    remove.retain(|name| !world.asked.contains(&name.as_str()));
    let mut request = SyncRequest {
        remove,
        from: vec![root.display().to_string()],
        output: output.to_owned(),
        accept_removals: true,
        ecosystems: world.asked.iter().map(|&name| name.to_owned()).collect(),
        ..SyncRequest::default()
    };
    if !world.rustsec.is_empty() {
        request.rustsec = path("rustsec");
    }
    if world.has_index {
        request.crates_index = Some(root.join("index"));
    }
    if world.has_feeds {
        (request.epss, request.kev) = (path("epss.csv"), path("kev.json"));
    }
    let report = run(&request).expect("sync");
    report.written && !report.rebuilt
}

fn case(seed: u64) -> usize {
    let dice = &mut Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut world = World {
        ids: ids(),
        has_lists: !dice.one_in(8),
        has_feeds: dice.one_in(3),
        asked: DIRECTORIES.to_vec(),
        ..World::default()
    };
    for directory in DIRECTORIES {
        // A directory is never empty.
        let keep = json!({"id": format!("KEEP-{directory}"), "modified": "2026-01-01T00:00:00Z"});
        let records = world.bucket.entry(directory).or_default();
        records.insert(format!("KEEP-{directory}"), keep);
    }
    if dice.one_in(3) {
        for number in 0..=dice.below(5) {
            world.rustsec.insert(number, Advisory::any(dice));
        }
    }
    for _ in 0..dice.below(70) {
        world.change(dice);
    }
    let directory = TempDir::new().expect("directory");
    let root = directory.path().join("bucket");
    fs::create_dir_all(&root).expect("folder");
    world.write(&root, true);
    let output = directory.path().join("followed.db");
    sync(&root, &output, &world);
    let mut deltas = 0;
    for round in 0..=dice.below(5) {
        let last = world.bucket.clone();
        for _ in 0..dice.below(6) {
            world.change(dice);
        }
        world.surroundings(dice);
        world.settle(&last);
        world.write(&root, dice.one_in(4));
        deltas += usize::from(sync(&root, &output, &world));
        let fresh = directory.path().join(format!("{round}.db"));
        if world.has_lists {
            world.write(&root, true);
        }
        sync(&root, &fresh, &world);
        assert_same(&[&root], &output, &fresh);
        fs::remove_file(&fresh).expect("remove");
    }
    deltas
}

#[test]
fn whatever_a_bucket_does_updates_answer_as_a_build_from_nothing() {
    let cases: u64 = std::env::var(CASES)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(40);
    let first: u64 = std::env::var("PORTCULLIS_UPDATES_FROM")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut deltas = 0;
    for seed in first..first + cases {
        let told = std::panic::catch_unwind(|| case(seed));
        match told {
            Ok(found) => deltas += found,
            Err(cause) => {
                println!("seed {seed}");
                std::panic::resume_unwind(cause);
            }
        }
    }
    println!("{cases} buckets, {deltas} updates in steps");
    assert!(deltas > 0);
}
