//! Explanations: what they say of each record, and what a fix is called.

use super::support::{ask, built_from};
use db_sync::query::{Answer, Standing};
use db_sync::{Db, Explanation, FixState, Moment, Query};

const LIB: &str = r#"{"id": "X-1", "modified": "2024-03-01T00:00:00Z", "published": "2024-01-01T00:00:00Z", "aliases": ["CVE-1"],
  "affected": [{"package": {"ecosystem": "npm", "name": "lib"}, "versions": ["0.9.0-odd"],
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.2.5"}]}, {"type": "ECOSYSTEM", "events": [{"introduced": "2.0.0"}, {"last_affected": "2.1.0"}]}]},
    {"package": {"ecosystem": "PyPI", "name": "lib"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#;
const TWIN: &str = r#"{"id": "GHSA-1", "modified": "2024-03-01T00:00:00Z", "published": "2024-02-01T00:00:00Z", "withdrawn": "2024-06-01T00:00:00Z",
  "affected": [{"package": {"ecosystem": "npm", "name": "other"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#;
const OPEN: &str = r#"{"id": "X-2", "modified": "2024-03-01T00:00:00Z",
  "affected": [{"package": {"ecosystem": "npm", "name": "open"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}]}]}]}"#;
const LISTED: &str = r#"{"id": "X-3", "modified": "2024-03-01T00:00:00Z",
  "affected": [{"package": {"ecosystem": "npm", "name": "listed"}, "versions": ["1.0.0", "1.0.1"], "ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}]}]}"#;
const OVER: &str = r#"{"id": "DEBIAN-CVE-2", "modified": "2024-03-01T00:00:00Z",
  "affected": [{"package": {"ecosystem": "Debian:11", "name": "old"}, "ecosystem_specific": {"urgency": "end-of-life"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#;
const ALONE: &str = r#"{"id": "RUSTSEC-2024-1", "modified": "2024-03-01T00:00:00Z",
  "affected": [{"package": {"ecosystem": "crates.io", "name": "alone"}, "database_specific": {"informational": "unmaintained"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}]}]}]}"#;

fn all() -> super::support::Built {
    built_from(&[LIB, TWIN, OPEN, LISTED, OVER, ALONE])
}

fn why<'db>(db: &'db Db, id: &str, ecosystem: &str, name: &str, version: &str) -> Explanation<'db> {
    let query = Query {
        ecosystem,
        name,
        version: Some(version),
        as_of: None,
        module: None,
    };
    db.explain(&query, id).expect("answer").expect("known")
}

#[test]
fn the_bounds_next_to_the_version_are_told() {
    let built = all();
    for (version, place, affected, sentence) in [
        ("0.5.0", 0, false, "0.5.0 < introduced 1.0.0"),
        ("1.0.0", 0, true, "introduced 1.0.0 ≤ 1.0.0 < fixed 1.2.5"),
        ("1.2.5", 0, false, "fixed 1.2.5 ≤ 1.2.5"),
        (
            "2.1.0",
            1,
            true,
            "introduced 2.0.0 ≤ 2.1.0 ≤ last_affected 2.1.0",
        ),
        ("2.1.1", 1, false, "last_affected 2.1.0 < 2.1.1"),
    ] {
        let told = why(&built.db, "CVE-1", "npm", "lib", version);
        assert_eq!(told.found.is_some(), affected, "{version}");
        let range = &told.records[0].entries[0].ranges[place];
        assert_eq!(range.answer == Answer::Affected, affected, "{version}");
        assert_eq!(range.bounds.sentence(version), sentence);
    }
    let told = why(&built.db, "X-1", "npm", "lib", "0.9.0-odd");
    assert_eq!(told.answer, Answer::Affected);
    assert!(told.records[0].entries[0].is_listed);
    let told = why(&built.db, "X-1", "npm", "lib", "one");
    assert!(matches!(told.answer, Answer::Undecided(cause) if cause.contains("semver")));
}

#[test]
fn ids_records_and_other_ecosystems_are_told() {
    let built = all();
    let told = why(&built.db, "CVE-1", "npm", "absent", "1.0.0");
    assert_eq!(told.answer, Answer::NotAffected);
    assert_eq!(told.ids, ["CVE-1", "X-1"]);
    assert_eq!(told.records[0].aliases, ["CVE-1"]);
    assert!(told.records[0].entries.is_empty() && told.elsewhere.is_empty());
    let told = why(&built.db, "CVE-1", "crates.io", "lib", "1.0.0");
    assert_eq!(told.elsewhere, ["PyPI", "npm"]);
    let query = Query {
        ecosystem: "npm",
        name: "lib",
        version: Some("1.0.0"),
        as_of: None,
        module: None,
    };
    assert!(built.db.explain(&query, "CVE-9").expect("answer").is_none());
}

#[test]
fn records_that_do_not_count_say_so() {
    let built = all();
    let on = |day: Option<&str>| {
        let query = Query {
            ecosystem: "npm",
            name: "other",
            version: Some("1.0.0"),
            as_of: day.and_then(Moment::parse),
            module: None,
        };
        let told = built.db.explain(&query, "GHSA-1").expect("answer");
        let told = told.expect("known");
        let record = &told.records[0];
        assert_eq!(record.answer, Answer::Affected, "its own verdict stays");
        (record.standing, told.answer)
    };
    let not = Answer::NotAffected;
    assert_eq!(on(None), (Standing::Withdrawn, not.clone()));
    assert_eq!(
        on(Some("2024-05-01T00:00:00Z")),
        (Standing::Counts, Answer::Affected)
    );
    assert_eq!(on(Some("2024-01-15T00:00:00Z")), (Standing::Later, not));
}

#[test]
fn a_fix_that_is_not_known_says_why() {
    let built = all();
    for (ecosystem, name, version, state) in [
        ("npm", "lib", "1.0.0", FixState::Fixed),
        ("npm", "lib", "2.0.0", FixState::Unknown),
        ("npm", "open", "1.0.0", FixState::NotFixed),
        ("npm", "listed", "1.0.1", FixState::Unknown),
        ("Debian:11", "old", "1.0-1", FixState::WontFix),
        ("crates.io", "alone", "1.0.0", FixState::WontFix),
    ] {
        let outcome = ask(&built.db, ecosystem, name, version);
        assert_eq!(outcome.matches[0].state, state, "{name} {version}");
    }
}
