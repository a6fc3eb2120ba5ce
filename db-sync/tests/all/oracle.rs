//! The real bucket against an evaluator of our own that shares nothing with
//! the database but the version orders: it reads the raw JSON and looks for
//! the last event at or below a version, instead of walking sorted events.

use super::support::{ask, built, merged, shared};
use db_sync::Query;
use db_sync::query::Answer;
use db_sync::version::Order;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

/// Every so many questions are explained record by record, too.
const WHY_EVERY: u32 = 20;

/// Live records by package, each with its entries about it.
type Packages = BTreeMap<(String, String), BTreeMap<String, Vec<Value>>>;

fn load(bucket: &Path) -> Packages {
    let mut packages = Packages::new();
    let mut seen = BTreeSet::new();
    for directory in std::fs::read_dir(bucket).expect("list") {
        let archive = directory.expect("entry").path().join("all.zip");
        let Ok(file) = std::fs::File::open(archive) else {
            continue;
        };
        let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).expect("zip");
        for number in 0..archive.len() {
            let mut text = String::new();
            archive
                .by_index(number)
                .expect("entry")
                .read_to_string(&mut text)
                .expect("text");
            let record: Value = serde_json::from_str(&text).expect("json");
            let id = record["id"].as_str().expect("id").to_owned();
            if !record["withdrawn"].is_null() || !seen.insert(id.clone()) {
                continue;
            }
            for entry in record["affected"].as_array().into_iter().flatten() {
                let (Some(ecosystem), Some(name)) = (
                    entry["package"]["ecosystem"].as_str(),
                    entry["package"]["name"].as_str(),
                ) else {
                    continue;
                };
                let key = (ecosystem.to_owned(), plain_name(ecosystem, name));
                packages
                    .entry(key)
                    .or_default()
                    .entry(id.clone())
                    .or_default()
                    .push(entry.clone());
            }
        }
    }
    packages
}

fn plain_name(ecosystem: &str, name: &str) -> String {
    match ecosystem {
        "PyPI" => {
            let dashes = name.to_lowercase().replace(['_', '.'], "-");
            dashes
                .split('-')
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("-")
        }
        "NuGet" | "Packagist" | "GitHub Actions" => name.to_lowercase(),
        "SwiftURL" => name
            .to_lowercase()
            .replace("https://", "")
            .replace(".git", ""),
        _ => name.to_owned(),
    }
}

fn texts(entry: &Value, kind: &str) -> Vec<String> {
    let ranges = entry["ranges"].as_array().into_iter().flatten();
    ranges
        .filter(|range| range["type"] != "GIT")
        .flat_map(|range| range["events"].as_array().into_iter().flatten())
        .filter_map(|event| event[kind].as_str().map(str::to_owned))
        .collect()
}

fn module(version: &str) -> Option<String> {
    let (_, build) = version.split_once(".module_el")?;
    build.split('+').next().map(str::to_owned)
}

/// What a range says: affected, not, or `None` where it cannot be compared.
fn in_range(order: Order, range: &Value, version: &str) -> Option<bool> {
    let events: Vec<(&str, &str)> = range["events"]
        .as_array()?
        .iter()
        .flat_map(|event| event.as_object().into_iter().flatten())
        .filter_map(|(kind, value)| Some((kind.as_str(), value.as_str()?)))
        .collect();
    order.parse(version).ok()?;
    if order == Order::PyPi && version.parse::<pep440_rs::Version>().is_err() {
        return None;
    }
    for (kind, bound) in &events {
        if (*kind, *bound) != ("introduced", "0") {
            order.parse(bound).ok()?;
            if order == Order::PyPi && bound.parse::<pep440_rs::Version>().is_err() {
                return None;
            }
        }
    }
    let cmp = |left: &str, right: &str| match (left, right) {
        ("0", "0") => Ordering::Equal,
        ("0", _) => Ordering::Less,
        (_, "0") => Ordering::Greater,
        _ => order.compare(left, right).expect("both were parsed"),
    };
    let latest = |kinds: &[&str], at: &dyn Fn(&str) -> bool| {
        events
            .iter()
            .filter(|(kind, bound)| kinds.contains(kind) && at(bound))
            .map(|(_, bound)| *bound)
            .max_by(|left, right| cmp(left, right))
    };
    // The last introduction decides, unless the last end is not before it;
    // of both at one version, whatever held below that version goes on.
    let mut below: Option<String> = None;
    loop {
        let inside = |bound: &str| {
            below
                .as_ref()
                .is_none_or(|limit| cmp(bound, limit) == Ordering::Less)
        };
        let started = latest(&["introduced"], &|bound| {
            inside(bound)
                && (bound == "0" || order.compare(bound, version) != Ok(Ordering::Greater))
        });
        let fixed = latest(&["fixed"], &|bound| {
            inside(bound) && order.compare(bound, version) != Ok(Ordering::Greater)
        });
        let last = latest(&["last_affected"], &|bound| {
            inside(bound) && order.compare(bound, version) == Ok(Ordering::Less)
        });
        let ended = fixed.or(last);
        match (started, ended) {
            (None, _) => return Some(false),
            (Some(_), None) => return Some(true),
            (Some(started), Some(ended)) => match cmp(started, ended) {
                Ordering::Greater => return Some(true),
                Ordering::Less => return Some(false),
                Ordering::Equal => below = Some(started.to_owned()),
            },
        }
    }
}

/// The ids that match and those that cannot be decided.
fn answer(
    ecosystem: &str,
    records: &BTreeMap<String, Vec<Value>>,
    version: &str,
) -> (Vec<String>, Vec<String>) {
    let own = db_sync::ecosystem::order(ecosystem).expect("an order");
    let (mut matched, mut undecided) = (Vec::new(), Vec::new());
    for (id, entries) in records {
        let mut entries: Vec<&Value> = entries.iter().collect();
        if ecosystem.starts_with("AlmaLinux") && version.contains('-') {
            let of = |entry: &Value| texts(entry, "fixed").iter().find_map(|fixed| module(fixed));
            match module(version) {
                None => entries.retain(|entry| of(entry).is_none()),
                Some(asked) => {
                    entries.retain(|entry| of(entry).is_some());
                    if entries
                        .iter()
                        .any(|entry| of(entry).as_ref() == Some(&asked))
                    {
                        entries.retain(|entry| of(entry).as_ref() == Some(&asked));
                    }
                }
            }
        }
        let mut verdict = Some(false);
        for entry in entries {
            let listed = entry["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|one| one == version);
            let ranges = entry["ranges"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|range| range["type"] != "GIT");
            let inside: Vec<Option<bool>> =
                ranges.map(|range| in_range(own, range, version)).collect();
            if listed || inside.contains(&Some(true)) {
                verdict = Some(true);
                break;
            }
            if inside.contains(&None) {
                verdict = None;
            }
        }
        match verdict {
            Some(true) => matched.push(id.clone()),
            None => undecided.push(id.clone()),
            Some(false) => {}
        }
    }
    (matched, undecided)
}

/// A bound itself, and texts a little below and above it.
fn near(bound: &str) -> Vec<String> {
    let mut all = vec![
        bound.to_owned(),
        format!("{bound}.1"),
        format!("{bound}-1"),
        format!("{bound}~rc1"),
    ];
    let digits = bound.len()
        - bound
            .trim_end_matches(|character: char| character.is_ascii_digit())
            .len();
    let (head, tail) = bound.split_at(bound.len() - digits);
    if let Ok(number) = tail.parse::<u64>() {
        all.push(format!("{head}{}", number.saturating_sub(1)));
        all.push(format!("{head}{}", number.saturating_add(1)));
    }
    all
}

#[test]
fn the_database_answers_as_the_records_say() {
    let Some(bucket) = shared("osv-bucket") else {
        return;
    };
    let packages = load(&bucket);
    let built = built(&[&bucket], None);
    let mut asked = 0_u32;
    let mut affected = 0_usize;
    let mut explained = 0_u32;
    // Every package of small ecosystems, every n-th of large ones.
    let mut per_ecosystem: BTreeMap<&str, usize> = BTreeMap::new();
    for (ecosystem, _) in packages.keys() {
        *per_ecosystem.entry(ecosystem).or_default() += 1;
    }
    for (number, ((ecosystem, name), records)) in packages.iter().enumerate() {
        let step = (per_ecosystem[ecosystem.as_str()] / 150).max(1);
        if number % step != 0 || records.len() > 400 {
            continue;
        }
        let mut bounds: BTreeSet<String> = BTreeSet::new();
        for entry in records.values().flatten() {
            for kind in ["introduced", "fixed", "last_affected", "limit"] {
                bounds.extend(texts(entry, kind));
            }
            let listed = entry["versions"].as_array().into_iter().flatten();
            bounds.extend(
                listed
                    .filter_map(Value::as_str)
                    .step_by(17)
                    .map(str::to_owned),
            );
        }
        let every = (bounds.len() / 12).max(1);
        for version in bounds.iter().step_by(every).flat_map(|bound| near(bound)) {
            let outcome = ask(&built.db, ecosystem, name, &version);
            let (matched, undecided) = answer(ecosystem, records, &version);
            assert_eq!(merged(&outcome), matched, "{ecosystem} {name} {version}");
            let doubtful: Vec<String> =
                outcome.undecided.iter().map(|one| one.id.clone()).collect();
            assert_eq!(doubtful, undecided, "{ecosystem} {name} {version}");
            if asked.is_multiple_of(WHY_EVERY) {
                let query = Query {
                    ecosystem,
                    name,
                    version: Some(&version),
                    as_of: None,
                    module: None,
                };
                for id in records.keys() {
                    let told = built
                        .db
                        .explain(&query, id)
                        .expect("answer")
                        .expect("known");
                    let own = told.records.iter().find(|record| record.id == *id);
                    let own = own.map(|record| &record.answer);
                    let expected = (matched.contains(id), undecided.contains(id));
                    let said = (
                        own == Some(&Answer::Affected),
                        matches!(own, Some(Answer::Undecided(_))),
                    );
                    assert_eq!(said, expected, "{id} {ecosystem} {name} {version}");
                    assert!(!expected.0 || told.answer == Answer::Affected);
                    explained += 1;
                }
            }
            asked += 1;
            affected += matched.len();
        }
    }
    assert!(asked > 5000, "{asked} questions");
    assert!(explained > 500, "{explained} explanations");
    println!("{asked} questions, {affected} matched records, {explained} explained");
}
