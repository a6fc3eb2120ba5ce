//! Matches that are not certain: bounds beside a range without an end, and the
//! word of the ecosystem's own database.

use super::support::{Built, ask, built_from, merged};
use db_sync::{Doubt, Response};

fn record(id: &str, aliases: &[&str], affected: &str) -> String {
    let aliases = aliases.join("\",\"");
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","aliases":["{aliases}"],"affected":[{affected}]}}"#
    )
}

fn entry(ecosystem: &str, name: &str, events: &str, more: &str) -> String {
    format!(
        r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]{more}}}"#
    )
}

fn of(records: &[String]) -> Built {
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    built_from(&records)
}

/// `-` no match, `+` a certain one, `?` possible, `!` disputed, `u` undecided.
fn mark(outcome: &Response<'_>) -> char {
    match outcome.matches.as_slice() {
        [] if outcome.undecided.is_empty() => '-',
        [] => 'u',
        [found] => match found.doubt {
            None => '+',
            Some(Doubt::Possible) => '?',
            Some(Doubt::Disputed) => '!',
        },
        _ => 'x',
    }
}

const OPEN: &str = r#"{"introduced":"1.0.0"}"#;

fn known(text: &str) -> String {
    format!(r#","database_specific":{{"last_known_affected_version_range":"{text}"}}"#)
}

#[test]
fn beyond_the_last_known_version_is_possible_in_every_ecosystem() {
    for (ecosystem, text, versions) in [
        (
            "crates.io",
            "< 1.5",
            "0.9.0- 1.0.0+ 1.4.9+ 1.5.0-rc.1+ 1.5.0? 2.0.0?",
        ),
        ("npm", "<= 1.5.0", "1.5.0+ 1.5.1? 9.0.0?"),
        ("Maven", "< 1.5.0.1", "1.5+ 1.5.0.1? 1.6?"),
        ("PyPI", "<= 1.5", "1.5+ 1.5.post1? 1.6? 1.5+cpu+"),
        ("RubyGems", "< 1.5", "1.4.9+ 1.5.0?"),
        ("NuGet", "<= 1.5", "1.5.0+ 1.5.1?"),
        ("Packagist", "< 1.5", "1.4+ v1.5?"),
        ("Go", "< 1.5.0", "v1.4.0+ v1.5.0?"),
        ("Hex", "= 1.5.0", "1.4.0+ 1.5.0+ 1.5.1?"),
        ("Pub", ">= 1.0.0, < 1.5.0", "1.4.0+ 1.5.0?"),
        ("SwiftURL", "< 1.5.0", "1.4.0+ 1.5.0?"),
        // One that cannot be read limits nothing.
        ("crates.io", "all of them", "1.0.0+ 9.0.0+"),
        ("PyPI", "< latest", "1.0+ 9.0+"),
    ] {
        let built = of(&[record(
            "GHSA-1",
            &[],
            &entry(ecosystem, "example.org/x", OPEN, &known(text)),
        )]);
        for asked in versions.split(' ') {
            let (version, expected) = asked.split_at(asked.len() - 1);
            let outcome = ask(&built.db, ecosystem, "example.org/x", version);
            let expected = expected.chars().next().expect("a mark");
            assert_eq!(mark(&outcome), expected, "{ecosystem} {text}: {version}");
        }
    }
}

#[test]
fn a_range_with_an_end_needs_no_other_bound() {
    for (events, more, asked, expected) in [
        // The fix is the later bound.
        (
            r#"{"introduced":"0"},{"fixed":"3.0.0"}"#,
            known("< 2"),
            "2.5.0",
            '+',
        ),
        (
            r#"{"introduced":"0"},{"last_affected":"3.0.0"}"#,
            known("< 2"),
            "2.5.0",
            '+',
        ),
        (
            r#"{"introduced":"0"},{"last_affected":"3.0.0"}"#,
            known("< 2"),
            "3.0.0",
            '+',
        ),
        // Of several intervals only the last has no end.
        (
            r#"{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"2.0.0"}"#,
            known("< 2.5"),
            "0.5.0",
            '+',
        ),
        (
            r#"{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"2.0.0"}"#,
            known("< 2.5"),
            "2.6.0",
            '?',
        ),
        // The versions of such a range are listed to no end, too.
        (
            r#"{"introduced":"0"}"#,
            format!(r#","versions":["1.0.0","4.0.0"]{}"#, known("< 2")),
            "4.0.0",
            '?',
        ),
        // A version outside of the range that is listed is meant.
        (
            r#"{"introduced":"3.0.0"}"#,
            format!(r#","versions":["1.0.0"]{}"#, known("< 4")),
            "1.0.0",
            '+',
        ),
    ] {
        let built = of(&[record("GHSA-1", &[], &entry("npm", "x", events, &more))]);
        let outcome = ask(&built.db, "npm", "x", asked);
        assert_eq!(mark(&outcome), expected, "{events} {asked}");
    }
    // One entry may be possible and another one certain.
    let both = format!(
        "{},{}",
        entry("npm", "x", r#"{"introduced":"1.0.0"}"#, &known("< 2")),
        entry(
            "npm",
            "x",
            r#"{"introduced":"3.0.0"},{"fixed":"3.1.0"}"#,
            ""
        )
    );
    let built = of(&[record("GHSA-1", &[], &both)]);
    assert_eq!(mark(&ask(&built.db, "npm", "x", "3.0.5")), '+');
    assert_eq!(mark(&ask(&built.db, "npm", "x", "3.1.0")), '?');
}

#[test]
fn custom_ranges_of_go_bound_a_range_without_an_end() {
    let custom = r#","ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM","events":[
        {"introduced":"4.0.0"},{"fixed":"4.2.0"},{"introduced":"5.0.0"},{"fixed":"5.1.0"}]}]}"#;
    let built = of(&[record(
        "GO-1",
        &[],
        &entry("Go", "example.org/x", r#"{"introduced":"0"}"#, custom),
    )]);
    for (version, expected) in [
        // Below all of them a version is numbered otherwise.
        ("v0.0.0-20240101000000-abcdefabcdef", '+'),
        ("v4.1.0+incompatible", '+'),
        ("v4.2.0+incompatible", '?'),
        ("v5.0.3+incompatible", '+'),
        ("v5.1.0+incompatible", '?'),
    ] {
        let outcome = ask(&built.db, "Go", "example.org/x", version);
        assert_eq!(mark(&outcome), expected, "{version}");
    }
}

#[test]
fn the_home_database_disputes_a_range_without_an_end() {
    let copy = |events: &str, more: &str| entry("crates.io", "x", events, more);
    let home =
        |aliases: &[&str], events: &str| record("RUSTSEC-2026-0001", aliases, &copy(events, ""));
    let patched = r#"{"introduced":"0.0.0-0"},{"fixed":"1.2.0"}"#;
    let open = r#"{"introduced":"0"}"#;
    for (what, home, copies, expected) in [
        (
            "a copy",
            Some(home(&["GHSA-1"], patched)),
            vec![copy(open, "")],
            '!',
        ),
        (
            "a copy that is bounded, too",
            Some(home(&["GHSA-1"], patched)),
            vec![copy(open, &known("< 1.2"))],
            '!',
        ),
        (
            "a copy that is known to reach so far",
            Some(home(&["GHSA-1"], patched)),
            vec![copy(open, &known("< 1.5"))],
            '+',
        ),
        (
            "a copy that names an end",
            Some(home(&["GHSA-1"], patched)),
            vec![copy(r#"{"introduced":"0"},{"fixed":"1.5.0"}"#, "")],
            '+',
        ),
        (
            "a copy that names the version",
            Some(home(&["GHSA-1"], patched)),
            vec![copy(
                r#"{"introduced":"9.0.0"}"#,
                r#","versions":["1.3.0"]"#,
            )],
            '+',
        ),
        (
            "another vulnerability",
            Some(home(&["GHSA-2"], patched)),
            vec![copy(open, "")],
            '+',
        ),
        (
            "a home that agrees",
            Some(home(&["GHSA-1"], open)),
            vec![copy(open, "")],
            '+',
        ),
        (
            "a home that cannot be read",
            Some(home(&["GHSA-1"], r#"{"fixed":"1.2.0"}"#)),
            vec![copy(open, "")],
            '+',
        ),
        (
            "a home about another package",
            Some(record(
                "RUSTSEC-2026-0001",
                &["GHSA-1"],
                &entry("crates.io", "y", patched, ""),
            )),
            vec![copy(open, "")],
            '+',
        ),
        ("no home", None, vec![copy(open, "")], '+'),
    ] {
        let mut records: Vec<String> = home.into_iter().collect();
        for (number, copy) in copies.iter().enumerate() {
            records.push(record(
                &format!("GHSA-{}", number + 1),
                &["CVE-2026-1"],
                copy,
            ));
        }
        let built = of(&records);
        let outcome = ask(&built.db, "crates.io", "x", "1.3.0");
        assert_eq!(mark(&outcome), expected, "{what}: {outcome:?}");
        if expected == '!' {
            let found = &outcome.matches[0];
            assert_eq!(
                (found.id, &found.denied_by[..]),
                ("GHSA-1", &["RUSTSEC-2026-0001"][..])
            );
        }
        // Where the home database says it, too, nobody disputes it.
        let earlier = ask(&built.db, "crates.io", "x", "1.1.0");
        let is_certain = earlier.matches.iter().all(|found| found.doubt.is_none());
        assert!(is_certain && !earlier.matches.is_empty(), "{what}");
    }
}

#[test]
fn each_ecosystem_has_its_own_home_and_distributions_none() {
    for (ecosystem, home, expected) in [
        ("Go", "GO-2026-1", '!'),
        ("PyPI", "PYSEC-2026-1", '!'),
        ("Hex", "EEF-CVE-2026-1", '!'),
        ("Hackage", "HSEC-2026-0001", '!'),
        ("opam", "OSEC-2026-01", '!'),
        ("CRAN", "RSEC-2026-1", '!'),
        ("npm", "NPM-2026-1", '+'),
        // Another ecosystem's database has no say.
        ("npm", "RUSTSEC-2026-0001", '+'),
        ("Debian:12", "DSA-1-1", '+'),
    ] {
        let patched = entry(
            ecosystem,
            "x",
            r#"{"introduced":"0"},{"fixed":"1.2.0"}"#,
            "",
        );
        let open = entry(ecosystem, "x", r#"{"introduced":"0"}"#, "");
        let built = of(&[
            record(home, &["CVE-2026-1"], &patched),
            record("GHSA-1", &["CVE-2026-1"], &open),
        ]);
        let outcome = ask(&built.db, ecosystem, "x", "1.3.0");
        assert_eq!(mark(&outcome), expected, "{ecosystem} {home}");
    }
}

#[test]
fn a_withdrawn_home_record_denies_nothing() {
    let patched = entry(
        "crates.io",
        "x",
        r#"{"introduced":"0"},{"fixed":"1.2.0"}"#,
        "",
    );
    let home = record("RUSTSEC-2026-0001", &["GHSA-1"], &patched);
    let home = home.replace(
        "\"aliases\"",
        "\"withdrawn\":\"2026-01-02T00:00:00Z\",\"aliases\"",
    );
    let open = entry("crates.io", "x", r#"{"introduced":"0"}"#, "");
    let built = of(&[home, record("GHSA-1", &["RUSTSEC-2026-0001"], &open)]);
    assert_eq!(mark(&ask(&built.db, "crates.io", "x", "1.3.0")), '+');
}

#[test]
fn a_version_that_is_merely_unaffected_is_no_fix() {
    // RustSec's `unaffected = ["=0.2.0", "=0.2.1"]`, `patched = [">=0.2.23"]`.
    let events = r#"{"introduced":"0.0.0-0"},{"fixed":"0.2.0"},{"introduced":"0.2.1-0"},
        {"fixed":"0.2.1"},{"introduced":"0.2.2-0"},{"fixed":"0.2.23"}"#;
    let fixed = |events: &str, version: &str| -> Vec<String> {
        let built = of(&[record(
            "RUSTSEC-2026-0001",
            &[],
            &entry("crates.io", "x", events, ""),
        )]);
        let outcome = ask(&built.db, "crates.io", "x", version);
        outcome.matches[0]
            .fixed
            .iter()
            .map(|text| (*text).to_owned())
            .collect()
    };
    assert_eq!(fixed(events, "0.1.43"), ["0.2.23"]);
    assert_eq!(fixed(events, "0.2.5"), ["0.2.23"]);
    // A fix on each release line is one, and where there is nothing better, so
    // is a version that is merely unaffected.
    let lines =
        r#"{"introduced":"1.0.0"},{"fixed":"1.2.5"},{"introduced":"1.3.0"},{"fixed":"1.3.2"}"#;
    assert_eq!(fixed(lines, "1.1.0"), ["1.2.5", "1.3.2"]);
    let only = r#"{"introduced":"0"},{"fixed":"0.2.0"},{"introduced":"0.2.7"}"#;
    assert_eq!(fixed(only, "0.1.0"), ["0.2.0"]);
}

#[test]
fn an_entry_that_cannot_be_read_loses_only_itself() {
    let good = entry("npm", "good", r#"{"introduced":"0"},{"fixed":"2.0.0"}"#, "");
    for (bad, both) in [
        (
            r#"{"package":{"ecosystem":"npm","name":"bad"},"ranges":{"type":"SEMVER"}}"#,
            'u',
        ),
        (
            r#"{"package":{"ecosystem":"npm","name":"bad"},"versions":[1.5]}"#,
            'u',
        ),
        (
            r#"{"package":{"ecosystem":"npm","name":"bad"},"ranges":[{"type":"SEMVER","events":{"introduced":"0"}}]}"#,
            'u',
        ),
        (
            r#"{"package":{"ecosystem":"npm","name":"bad"},"ranges":[{"type":"NEW","events":[]}]}"#,
            'u',
        ),
        (
            r#"{"package":{"ecosystem":"npm","name":"bad"},"severity":"high","versions":["1.0.0"]}"#,
            'u',
        ),
        (r#"{"package":"npm/bad"}"#, '-'),
        ("null", '-'),
        ("7", '-'),
    ] {
        let built = of(&[record("GHSA-1", &[], &format!("{bad},{good}"))]);
        assert_eq!(mark(&ask(&built.db, "npm", "good", "1.0.0")), '+', "{bad}");
        assert_eq!(mark(&ask(&built.db, "npm", "good", "2.0.0")), '-', "{bad}");
        assert_eq!(mark(&ask(&built.db, "npm", "bad", "1.0.0")), both, "{bad}");
        let told = bad.contains("NEW") || built.report.skipped() == 1;
        assert!(told && !built.report.warnings.is_empty(), "{bad}");
    }
    // Written twice, once wrong: the good one decides, and nothing is undecided.
    let bad = r#"{"package":{"ecosystem":"npm","name":"good"},"ranges":{}}"#;
    for order in [format!("{bad},{good}"), format!("{good},{bad}")] {
        let built = of(&[record("GHSA-1", &[], &order)]);
        assert_eq!(mark(&ask(&built.db, "npm", "good", "2.0.0")), '-');
        assert_eq!(merged(&ask(&built.db, "npm", "good", "1.0.0")), ["GHSA-1"]);
    }
}

#[test]
fn a_fault_in_a_sources_own_object_takes_nothing_else_with_it() {
    let more = r#","database_specific":{"informational":"unsound","last_known_affected_version_range":7},
        "ecosystem_specific":{"affected_functions":[""],"affects":"all","custom_ranges":{"x":1}}"#;
    let built = of(&[record(
        "RUSTSEC-2026-0001",
        &[],
        &entry("crates.io", "x", r#"{"introduced":"0"}"#, more),
    )]);
    let outcome = ask(&built.db, "crates.io", "x", "1.0.0");
    let found = &outcome.matches[0];
    assert_eq!(found.informational(), Ok(Some("unsound")));
    // An empty function is no limit.
    assert!(found.scope().expect("scope").is_empty());
}
