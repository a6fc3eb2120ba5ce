//! What an answer says, on our own small set.

use super::support::{Built, ask, built, built_from, merged, own};
use db_sync::{ModuleStream, Moment, Query, RatingKind};

fn small() -> Built {
    built(&[&own().join("osv")], None)
}

#[test]
fn one_vulnerability_is_one_match_with_the_ecosystems_id_first() {
    let built = small();
    assert!(
        built.report.warnings.is_empty(),
        "{:?}",
        built.report.warnings
    );
    let outcome = ask(&built.db, "PyPI", "Django", "2.2.10");
    assert_eq!(outcome.matches.len(), 1);
    let found = &outcome.matches[0];
    assert_eq!(found.id, "PYSEC-2021-439");
    assert_eq!(found.merged(), ["GHSA-v6rh-hp5x-86rv", "PYSEC-2021-439"]);
    assert_eq!(
        found.aliases().expect("aliases"),
        [
            "CVE-2021-44420",
            "DEBIAN-CVE-2021-44420",
            "GHSA-v6rh-hp5x-86rv"
        ]
    );
    // 2.2.25 is still affected by the twin's range.
    assert_eq!(found.fixed, ["2.2.26", "3.1.14", "3.2.10"]);
    let ratings = found.ratings().expect("ratings");
    let first = &ratings[0];
    assert_eq!(
        (first.kind, first.source.as_str()),
        (RatingKind::Cvss3, "alias GHSA-v6rh-hp5x-86rv")
    );
    let word = ratings.last().expect("a word");
    assert_eq!((word.kind, word.value.as_str()), (RatingKind::Word, "HIGH"));
    assert_eq!(
        found.published.map(|time| time.to_string()).as_deref(),
        Some("2021-12-08T00:15:00Z")
    );
}

#[test]
fn a_distributions_record_inherits_from_the_vulnerability() {
    let built = small();
    let outcome = ask(&built.db, "Debian:12", "python-django", "3:3.2.19-1");
    let found = &outcome.matches[0];
    assert_eq!(found.id, "DEBIAN-CVE-2021-44420");
    let ratings = found.ratings().expect("ratings");
    // The distribution's own word first, even one that says nothing yet.
    assert_eq!(ratings[0].value, "not yet assigned");
    assert_eq!(ratings[1].source, "alias GHSA-v6rh-hp5x-86rv");
    assert!(
        merged(&ask(
            &built.db,
            "Debian:12",
            "python-django",
            "3:3.2.19-1+deb12u1"
        ))
        .is_empty()
    );
    assert!(merged(&ask(&built.db, "Debian:11", "python-django", "1")).is_empty());
    assert!(built.db.has_ecosystem("Debian:12") && built.db.has_ecosystem("PyPI"));
    assert!(!built.db.has_ecosystem("Debian") && !built.db.has_ecosystem("Debian:11"));
}

#[test]
fn an_erratums_own_word_comes_before_the_worst_related_vulnerability() {
    let built = small();
    let outcome = ask(&built.db, "AlmaLinux:8", "slirp4netns", "0.1-4.el8");
    let found = &outcome.matches[0];
    assert_eq!(found.aliases(), Ok(Vec::new()));
    let ratings = found.ratings().expect("ratings");
    let sources: Vec<&str> = ratings
        .iter()
        .map(|rating| rating.source.as_str())
        .collect();
    assert_eq!(sources, ["summary", "related GHSA-hrpp-h998-j3pp"]);
    assert_eq!(ratings[1].kind, RatingKind::Cvss4);
}

#[test]
fn a_withdrawn_twin_is_dropped_and_hides_nothing() {
    let built = small();
    let outcome = ask(&built.db, "PyPI", "apache_airflow", "1.10");
    assert_eq!(merged(&outcome), ["GHSA-656c-6cxf-hvcv"]);
    assert_eq!(
        merged(&ask(&built.db, "PyPI", "apache-airflow", "2.0.0")),
        ["GHSA-656c-6cxf-hvcv"]
    );
    assert!(merged(&ask(&built.db, "PyPI", "apache-airflow", "2.0.1")).is_empty());
    assert_eq!(built.db.info().withdrawn, 1);
}

#[test]
fn as_of_shows_the_database_of_that_day() {
    let built = small();
    let on = |day: &str| {
        let query = Query {
            ecosystem: "PyPI",
            name: "apache-airflow",
            version: Some("1.10"),
            as_of: Moment::parse(day),
            ..Query::default()
        };
        merged(&built.db.query(&query).expect("answer"))
    };
    assert!(on("2020-01-01").is_empty());
    assert_eq!(on("2024-01-15"), ["GHSA-656c-6cxf-hvcv"]);
    assert_eq!(on("2024-02-02"), ["GHSA-656c-6cxf-hvcv"]);
}

#[test]
fn module_builds_and_ordinary_builds_are_not_compared() {
    let built = small();
    let hit =
        |version: &str| !merged(&ask(&built.db, "AlmaLinux:8", "oci-umount", version)).is_empty();
    // An ordinary build, though rpm would call it older.
    assert!(!hit("2:2.3.4-1.el8"));
    assert!(hit("2:2.3.4-2.git87f9237.module_el8.3.0+1999+00000000"));
    // The fixed build of its own platform, though below the one for 8.5.
    assert!(!hit("2:2.3.4-2.git87f9237.module_el8.3.0+2044+12421f43"));
    assert!(!hit("2:2.3.4-2.git87f9237.module_el8.5.0+119+9a9ec082"));
    // A platform that the record does not name is compared with all.
    assert!(hit("2:2.3.4-2.git87f9237.module_el8.4.0+1+aaaaaaaa"));
    // Without a release it may be either.
    assert!(hit("2:2.3.3"));
    assert!(!hit("2:2.3.5"));
}

#[test]
fn gos_spellings_are_understood() {
    let built = small();
    for (name, version, affected) in [
        ("stdlib", "go1.20.9", true),
        ("stdlib", "1.20.10", false),
        ("stdlib", "go1.21rc2", true),
        ("stdlib", "go1.21.3", false),
        ("golang.org/x/net", "v0.16.0", true),
        ("golang.org/x/net", "v0.17.0", false),
        (
            "golang.org/x/net",
            "v0.0.0-20190404232315-eb5bcb51f2a3",
            true,
        ),
        ("golang.org/X/net", "v0.16.0", false),
    ] {
        assert_eq!(
            !merged(&ask(&built.db, "Go", name, version)).is_empty(),
            affected,
            "{name} {version}"
        );
    }
    let pubnub = ask(&built.db, "Go", "github.com/pubnub/go/v6", "v6.0.0");
    assert_eq!(
        pubnub.matches[0].fixed,
        ["6.1.1-0.20231016150651-428517fef5b9"]
    );
}

#[test]
fn versions_that_are_none_match_lists_or_stay_undecided() {
    let record = r#"{"id":"V-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},
        "versions":["build-7"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#;
    let listed_only = r#"{"id":"V-2","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["build-7"]}]}"#;
    let built = built_from(&[record, listed_only]);
    assert_eq!(
        merged(&ask(&built.db, "npm", "x", "build-7")),
        ["V-1", "V-2"]
    );
    let other = ask(&built.db, "npm", "x", "build-8");
    assert!(other.matches.is_empty());
    assert_eq!(other.undecided.len(), 1);
    assert!(other.undecided[0].cause.contains("build-8"));
    assert!(ask(&built.db, "npm", "x", "3.0.0").undecided.is_empty());
}

#[test]
fn a_release_is_listed_however_it_is_spelt() {
    let listed = |id: &str, ecosystem: &str, version: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"x"}},"versions":["0.1","{version}","bad one"]}}]}}"#
        )
    };
    let built = built_from(&[
        &listed("P-1", "PyPI", "23.9.0.post1"),
        &listed("P-2", "PyPI", "2.0.0"),
        &listed("P-3", "PyPI", "1!2"),
        &listed("N-1", "NuGet", "1.2"),
        &listed("G-1", "Go", "1.2.3"),
        &listed("M-1", "Maven", "1.0"),
        &listed("P-4", "PyPI", "v4.0"),
        &listed("P-5", "PyPI", "5.0+ours"),
        &listed("N-2", "NuGet", "01.5"),
        &listed("G-2", "Go", "v3.0.0+incompatible"),
        &listed("C-1", "Packagist", "v1.0"),
        &listed("D-1", "Pub", "1.2.3+4"),
    ]);
    for (ecosystem, version, expected) in [
        ("PyPI", "23.9.post1", &["P-1"][..]),
        ("PyPI", "v23.9.0-1", &["P-1"]),
        ("PyPI", "2", &["P-2"]),
        ("PyPI", "02.0", &["P-2"]),
        ("PyPI", "0.1.0", &["P-1", "P-2", "P-3", "P-4", "P-5"]),
        ("PyPI", "04", &["P-4"]),
        // A build of the release, but not a release of some build.
        ("PyPI", "2.0.0+cpu", &["P-2"]),
        ("PyPI", "2.0.1+cpu", &[]),
        ("PyPI", "5.0", &[]),
        ("PyPI", "5.0+ours", &["P-5"]),
        ("PyPI", "5.0+theirs", &[]),
        ("NuGet", "1.5.0+build", &["N-2"]),
        ("Go", "v3.0.0", &["G-2"]),
        ("Packagist", "1.0.0.0", &["C-1"]),
        ("Packagist", "10", &[]),
        ("Packagist", "1.0.0-beta", &[]),
        ("Pub", "1.2.3", &[]),
        ("PyPI", "01!2.0", &["P-3"]),
        ("PyPI", "2.0.1", &[]),
        ("NuGet", "1.2.0", &["N-1"]),
        ("Go", "v1.2.3", &["G-1"]),
        ("Go", "v1.2.3+incompatible", &["G-1"]),
        ("Go", "v1.2.3-rc.1", &[]),
        // Two different files of one repository.
        ("Maven", "1.0.0", &[]),
    ] {
        let outcome = ask(&built.db, ecosystem, "x", version);
        assert_eq!(merged(&outcome), expected, "{ecosystem} {version}");
        assert!(outcome.undecided.is_empty());
    }
}

#[test]
fn a_build_of_the_last_affected_release_is_affected() {
    let range = |id: &str, end: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"PyPI","name":"x"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{end}]}}]}}]}}"#
        )
    };
    let built = built_from(&[
        &range("P-1", r#"{"last_affected":"2.0"}"#),
        &range("P-2", r#"{"fixed":"2.0"}"#),
        &range("P-3", r#"{"fixed":"2.0+ours.2"}"#),
    ]);
    for (version, expected) in [
        ("2.0.0+cpu", &["P-1", "P-3"][..]),
        ("2.0+ours.2", &["P-1"]),
        ("2.0.post1", &[]),
        ("2.0.post1+cpu", &[]),
    ] {
        let outcome = ask(&built.db, "PyPI", "x", version);
        assert_eq!(merged(&outcome), expected, "{version}");
    }
}

#[test]
fn what_is_no_debian_version_is_undecided() {
    let record = r#"{"id":"D-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"x"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:1.0-1"}]}]}]}"#;
    let built = built_from(&[record]);
    for version in ["latest", "", "*", "1:2_3", "1:unknown-1"] {
        let outcome = ask(&built.db, "Debian:12", "x", version);
        assert_eq!(outcome.undecided.len(), 1, "{version}");
        assert!(outcome.matches.is_empty(), "{version}");
    }
    let outcome = ask(&built.db, "Debian:12", "x", " 1:1.0-1~deb12u1 ");
    assert_eq!(merged(&outcome), ["D-1"]);
}

#[test]
fn a_version_that_is_itself_affected_is_no_fix() {
    let record = |id: &str, ecosystem: &str, events: &str, others: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"x"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}],"ecosystem_specific":{{"custom_ranges":[{{"type":"ECOSYSTEM","events":[{others}]}}]}}}}]}}"#
        )
    };
    let built = built_from(&[
        &record(
            "B-1",
            "Bitnami",
            r#"{"introduced":"2.0.0"},{"fixed":"2.1.0"},{"introduced":"0"},{"fixed":"2.0"}"#,
            "",
        ),
        // Named outside of the ranges, and inside of one of them.
        &record(
            "G-1",
            "Go",
            r#"{"introduced":"0"},{"fixed":"1.5.0"}"#,
            r#"{"introduced":"0"},{"fixed":"1.4.0"},{"fixed":"1.6.0"}"#,
        ),
    ]);
    let fixed = |ecosystem: &str, version: &str| {
        let outcome = ask(&built.db, ecosystem, "x", version);
        let found = outcome.matches.first().expect("a match");
        found
            .fixed
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(fixed("Bitnami", "1.0.0"), ["2.1.0"]);
    assert_eq!(fixed("Bitnami", "2.0.0"), ["2.1.0"]);
    assert_eq!(fixed("Go", "1.0.0"), ["1.5.0", "1.6.0"]);
}

#[test]
fn a_fix_that_another_record_of_the_vulnerability_calls_affected_is_none() {
    let record = |id: &str, more: &str, events: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-1"]{more},"affected":[{{"package":{{"ecosystem":"npm","name":"x"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}]}}]}}"#
        )
    };
    let one = r#"{"introduced":"0"},{"fixed":"1.5.0"},{"introduced":"1.7.0"},{"fixed":"2.1.0"}"#;
    let other = r#"{"introduced":"1.4.0"},{"fixed":"2.0.0"}"#;
    let fixed = |more: &str| {
        let built = built_from(&[&record("A-1", "", one), &record("B-1", more, other)]);
        let outcome = ask(&built.db, "npm", "x", "1.0.0");
        let found = outcome.matches.first().expect("a match");
        let texts = found.fixed.iter().map(|text| (*text).to_owned());
        texts.collect::<Vec<_>>()
    };
    assert_eq!(fixed(""), ["2.1.0"]);
    // What does not count says nothing.
    let withdrawn = r#","withdrawn":"2026-01-01T00:00:00Z""#;
    assert_eq!(fixed(withdrawn), ["1.5.0", "2.1.0"]);
    let lists = r#"{"id":"L-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1.5.0"],"ranges":[{"type":"SEMVER","events":[EVENTS]}]}]}"#;
    let built = built_from(&[&lists.replace("EVENTS", one)]);
    let outcome = ask(&built.db, "npm", "x", "1.0.0");
    assert_eq!(outcome.matches[0].fixed, ["2.1.0"]);
}

#[test]
fn without_a_version_all_live_records_are_listed() {
    let built = small();
    let query = Query {
        ecosystem: "PyPI",
        name: "django",
        ..Query::default()
    };
    let outcome = built.db.query(&query).expect("answer");
    assert_eq!(merged(&outcome), ["GHSA-v6rh-hp5x-86rv", "PYSEC-2021-439"]);
}

#[test]
fn a_record_is_found_by_its_id_with_its_texts() {
    let built = small();
    let details = built
        .db
        .advisory("RUSTSEC-2021-0003")
        .expect("read")
        .expect("known");
    assert!(details.details.starts_with("An iterator"));
    assert_eq!(details.aliases, ["CVE-2021-25900", "GHSA-43w2-9j62-hq99"]);
    assert_eq!(details.references[0].kind, "ADVISORY");
    assert_eq!(
        details.url,
        "https://rustsec.org/advisories/RUSTSEC-2021-0003.html"
    );
    let debian = built
        .db
        .advisory("DEBIAN-CVE-2021-44420")
        .expect("read")
        .expect("known");
    assert_eq!(debian.upstream, ["CVE-2021-44420"]);
    assert!(built.db.advisory("CVE-2021-25900").expect("read").is_none());
}

#[test]
fn one_way_aliases_join_and_withdrawn_links_do_not() {
    let record = |id: &str, more: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z",{more}"affected":[{{"package":{{"ecosystem":"PyPI","name":"x"}},
            "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}]}}]}}]}}"#
        )
    };
    let built = built_from(&[
        &record("GHSA-1", ""),
        &record("GHSA-2", ""),
        &record("PYSEC-1", r#""aliases":["GHSA-1","CVE-2026-0001"],"#),
        &record(
            "PYSEC-2",
            r#""aliases":["GHSA-1","GHSA-2"],"withdrawn":"2026-01-02T00:00:00Z","#,
        ),
    ]);
    let outcome = ask(&built.db, "PyPI", "x", "1");
    let ids: Vec<&str> = outcome.matches.iter().map(|one| one.id).collect();
    assert_eq!(ids, ["GHSA-2", "PYSEC-1"]);
    let aliases = outcome.matches[1].aliases().expect("aliases");
    assert_eq!(aliases, ["CVE-2026-0001", "GHSA-1"]);
}

/// An erratum of one module package, as AlmaLinux writes them.
fn module_erratum(id: &str, summary: &str, fixed: &[&str]) -> String {
    let affected: Vec<String> = fixed
        .iter()
        .map(|fixed| {
            format!(
                r#"{{"package":{{"ecosystem":"AlmaLinux:9","name":"nodejs"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}"#
            )
        })
        .collect();
    format!(
        r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z","summary":"{summary}","affected":[{}]}}"#,
        affected.join(",")
    )
}

#[test]
fn errata_of_other_streams_are_left_out_only_where_both_are_known() {
    let build = "1:20.11.1-1.module_el9.3.0+90+e3b3c1fb";
    let records = [
        module_erratum(
            "ALSA-1",
            "Important: nodejs:18 security update",
            &["1:18.19.0-1.module_el9.3.0+51+abc"],
        ),
        module_erratum("ALSA-2", "Important: nodejs:20 security update", &[build]),
        module_erratum("ALSA-3", "Important: nodejs security update", &[build]),
        module_erratum(
            "ALSA-4",
            "Low: nodejs:20 and web:1 security update",
            &[build, "1:21.0-1.el9"],
        ),
    ];
    let built = built_from(&records.each_ref().map(String::as_str));
    let ask = |version: &str, label: &str| -> Vec<String> {
        let query = Query {
            ecosystem: "AlmaLinux:9",
            name: "nodejs",
            version: Some(version),
            module: ModuleStream::of_label(label),
            ..Query::default()
        };
        let outcome = built.db.query(&query).expect("answer");
        merged(&outcome).into_iter().map(str::to_owned).collect()
    };
    let modular = "1:18.14.2-2.module_el9.2.0+29+de583a0b";
    assert_eq!(ask(modular, "nodejs:18:9020:rhel9"), ["ALSA-1", "ALSA-3"]);
    assert_eq!(ask(modular, "nodejs:20"), ["ALSA-2", "ALSA-3", "ALSA-4"]);
    // Another module, or no label, says nothing about streams of this one.
    for label in ["other:18", "", "nodejs"] {
        assert_eq!(ask(modular, label).len(), 4, "{label}");
    }
    assert_eq!(ask(modular, "web:2"), ["ALSA-1", "ALSA-2", "ALSA-3"]);
    // An ordinary build is compared with ordinary builds, whatever its label says.
    assert_eq!(ask("1:18.14.2-2.el9", "nodejs:18"), ["ALSA-4"]);
}
