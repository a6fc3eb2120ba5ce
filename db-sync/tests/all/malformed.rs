//! The broken inputs of the shared data: each behaves as its manifest says.

use super::support::{ask, built, built_from, merged, request, shared};
use db_sync::{BuildError, RatingKind, build, sources::SourceError};
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;

const GOOD: [&str; 3] = ["GOOD-2026-0001", "GOOD-2026-0002", "GOOD-2026-0003"];

/// What a file must give: entries or ids that a warning names, and answers as
/// (ecosystem, name, version, matched, undecided); ids without `BAD-2026-`.
struct Case {
    file: &'static str,
    warned: &'static [&'static str],
    answers: &'static [(
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
    )],
}

const CRATE: &str = "crates.io";

const CASES: &[Case] = &[
    Case {
        file: "02-path-traversal.zip",
        warned: &["0002", "0003", "0004"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "0005", "")],
    },
    Case {
        file: "03-zip-bomb-ratio.zip",
        warned: &["0006"],
        answers: &[],
    },
    Case {
        file: "04-lying-size.zip",
        warned: &["0007"],
        answers: &[],
    },
    Case {
        file: "05-bad-crc.zip",
        warned: &["0008"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "", "")],
    },
    Case {
        file: "08-duplicate-ids.zip",
        warned: &["DUP-2026-0001"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "", "")],
    },
    Case {
        file: "09-json-not-osv.zip",
        warned: &["package.json", "list.json", "string.json", "null.json"],
        answers: &[],
    },
    Case {
        file: "10-broken-json.zip",
        warned: &["0010", "0011", "0012", "0013"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "0015", "")],
    },
    Case {
        file: "11-missing-affected.zip",
        warned: &[],
        answers: &[],
    },
    Case {
        file: "12-missing-required.zip",
        warned: &["0019", "0020", "0021", "OTHER-2026-0022"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "0020 OTHER-2026-0022", "")],
    },
    Case {
        file: "13-wrong-types.zip",
        warned: &["0023", "0024", "0025", "0026", "0027", "0028", "0029"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "", "0027")],
    },
    Case {
        file: "14-bad-timestamps.zip",
        warned: &["0030", "0031", "0035"],
        answers: &[(
            CRATE,
            "bad-crate",
            "1.0.0",
            "0030 0031 0032 0033 0034 0035",
            "",
        )],
    },
    Case {
        file: "15-gigantic-versions.zip",
        warned: &["0036", "0037", "0039"],
        answers: &[
            (CRATE, "bad-crate", "1.0.0", "0038", "0036"),
            ("PyPI", "bad-crate", "1", "", "0037"),
            ("Debian:12", "bad-crate", "1", "", "0039"),
        ],
    },
    Case {
        file: "16-invalid-utf8.zip",
        warned: &["0040", "0041", "0042"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "0042", "")],
    },
    Case {
        file: "17-cyclic-or-empty-ranges.zip",
        warned: &["0051", "0052", "0056", "0057", "0058"],
        answers: &[
            (
                CRATE,
                "bad-crate",
                "0.5.0",
                "0055 0059",
                "0051 0052 0056 0057 0058",
            ),
            (
                CRATE,
                "bad-crate",
                "1.0.0",
                "0055 0059",
                "0051 0052 0056 0057 0058",
            ),
            (
                CRATE,
                "bad-crate",
                "2.0.0",
                "0053",
                "0051 0052 0056 0057 0058",
            ),
        ],
    },
    Case {
        file: "18-limit-events.zip",
        warned: &[],
        answers: &[
            (CRATE, "bad-crate", "0.9.0", "0061 0062", ""),
            (CRATE, "bad-crate", "1.0.0", "0060 0061 0062", ""),
            (CRATE, "bad-crate", "2.0.0", "0062", ""),
        ],
    },
    Case {
        file: "19-git-only-ranges.zip",
        warned: &["0066"],
        answers: &[
            (CRATE, "bad-crate", "1.0.0", "0064 0066", ""),
            (CRATE, "bad-crate", "2.0.0", "", "0066"),
        ],
    },
    Case {
        file: "20-broken-cvss.zip",
        warned: &["0070", "0071", "0072", "0073", "0074", "0076", "0078"],
        answers: &[(
            CRATE,
            "bad-crate",
            "1.0.0",
            "0070 0071 0072 0073 0074 0075 0076 0077 0078",
            "",
        )],
    },
    Case {
        file: "21-future-schema.zip",
        warned: &["0080", "0083"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "0080 0081 0082 0083", "")],
    },
    Case {
        file: "22-record-over-5mb.zip",
        warned: &[],
        answers: &[
            (CRATE, "bad-crate", "7.249.249", "BIG-2026-0001", ""),
            (CRATE, "bad-crate", "8.0.0", "", ""),
        ],
    },
    Case {
        file: "23-deep-nesting.zip",
        warned: &["0090"],
        answers: &[],
    },
    Case {
        file: "24-ecosystem-names.zip",
        warned: &["0100", "0101", "0102", "0103", "0104", "0105", "0108"],
        answers: &[("Debian:12", "bad", "1", "0109", "")],
    },
    Case {
        file: "25-unparsable-bounds.zip",
        warned: &["0110", "0111", "0112", "0113", "0114", "0115", "0116"],
        answers: &[
            (CRATE, "bad-crate", "1.0.0", "", "0110 0111 0112 0115 0116"),
            ("PyPI", "bad-crate", "1!1.0", "0117", "0113"),
            ("PyPI", "bad-crate", "1!3.0", "", "0113"),
            ("Debian:12", "bad-crate", "1.0", "", "0114"),
        ],
    },
    Case {
        file: "30-encrypted-flag.zip",
        warned: &["0121"],
        answers: &[(CRATE, "bad-crate", "1.0.0", "", "")],
    },
];

fn full(ids: &str) -> Vec<String> {
    let mut ids: Vec<String> = ids
        .split_whitespace()
        .map(|id| {
            if id.contains('-') {
                id.to_owned()
            } else {
                format!("BAD-2026-{id}")
            }
        })
        .collect();
    ids.sort();
    ids
}

#[test]
fn every_broken_archive_behaves_as_the_manifest_says() {
    let Some(folder) = shared("malformed") else {
        return;
    };
    for case in CASES {
        let start = Instant::now();
        let built = built(&[&folder.join(case.file)], None);
        assert!(
            start.elapsed().as_secs() < 10,
            "{} took too long",
            case.file
        );
        let good = ask(&built.db, CRATE, "good-crate", "1.0.0");
        assert_eq!(merged(&good), GOOD, "{}", case.file);
        assert!(good.undecided.is_empty(), "{}", case.file);
        for id in case.warned {
            let named = built
                .report
                .warnings
                .iter()
                .any(|warning| warning.entry.contains(id));
            assert!(
                named,
                "{}: no warning names {id}: {:?}",
                case.file, built.report.warnings
            );
        }
        if case.warned.is_empty() {
            assert!(
                built.report.warnings.is_empty(),
                "{}: {:?}",
                case.file,
                built.report.warnings
            );
        }
        for (ecosystem, name, version, matched, undecided) in case.answers {
            let outcome = ask(&built.db, ecosystem, name, version);
            assert_eq!(
                merged(&outcome),
                full(matched),
                "{}: {name} {version}",
                case.file
            );
            let doubtful: Vec<String> =
                outcome.undecided.iter().map(|one| one.id.clone()).collect();
            assert_eq!(doubtful, full(undecided), "{}: {name} {version}", case.file);
        }
    }
}

#[test]
fn unusable_archives_are_refused_by_name_and_leave_the_old_database() {
    let Some(folder) = shared("malformed") else {
        return;
    };
    let directory = TempDir::new().expect("temporary directory");
    let before = b"what was there before";
    for file in [
        "01-truncated.zip",
        "06-empty.zip",
        "07-not-a-zip.zip",
        "29-not-deflate.zip",
    ] {
        let request = request(&[&folder.join(file)], directory.path());
        std::fs::write(&request.output, before).expect("write");
        let error = build(&request).expect_err(file);
        assert!(error.to_string().contains(file), "{error}");
        assert_eq!(std::fs::read(&request.output).expect("read"), before);
        if file.starts_with("29") {
            assert!(error.to_string().contains("LZMA"), "{error}");
        }
        let rest = std::fs::read_dir(directory.path()).expect("list").count();
        assert_eq!(rest, 1, "{file}: a scratch file was left");
    }
}

#[test]
fn only_the_valid_vector_is_a_rating() {
    let Some(folder) = shared("malformed") else {
        return;
    };
    let built = built(&[&folder.join("20-broken-cvss.zip")], None);
    for found in ask(&built.db, CRATE, "bad-crate", "1.0.0").matches {
        let ratings = found.ratings().expect("ratings");
        let kinds: Vec<RatingKind> = ratings.iter().map(|rating| rating.kind).collect();
        let expected: &[RatingKind] = if found.id.ends_with("0075") {
            &[RatingKind::Cvss2]
        } else {
            &[]
        };
        assert_eq!(kinds, expected, "{}", found.id);
    }
}

#[test]
fn raw_source_records_all_load() {
    let Some(folder) = shared("malformed") else {
        return;
    };
    let built = built(&[&folder.join("28-raw-source-records.zip")], None);
    assert!(
        built.report.warnings.is_empty(),
        "{:?}",
        built.report.warnings
    );
    assert_eq!(built.report.info.records, 4);
}

#[test]
fn a_broken_list_of_ecosystems_loses_only_its_broken_lines() {
    let Some(folder) = shared("malformed") else {
        return;
    };
    let bucket = TempDir::new().expect("temporary directory");
    std::fs::copy(
        folder.join("27-ecosystems-broken.txt"),
        bucket.path().join("ecosystems.txt"),
    )
    .expect("copy");
    let record = std::fs::read(super::support::own().join("osv/npm/GHSA-hrpp-h998-j3pp.json"))
        .expect("read");
    for name in ["npm", "PyPI", "crates.io", "Go", "Debian"] {
        std::fs::create_dir(bucket.path().join(name)).expect("directory");
        std::fs::write(
            bucket.path().join(name).join("GHSA-hrpp-h998-j3pp.json"),
            &record,
        )
        .expect("write");
    }
    let built = built(&[bucket.path()], None);
    assert_eq!(built.report.info.records, 1);
    assert!(
        built
            .report
            .warnings
            .iter()
            .any(|warning| warning.cause.contains("not a directory name"))
    );
    assert!(
        built
            .report
            .warnings
            .iter()
            .any(|warning| warning.cause.contains("not UTF-8"))
    );
    assert!(
        built
            .report
            .warnings
            .iter()
            .any(|warning| warning.cause.contains("listed twice"))
    );
}

#[test]
fn every_limit_is_reached() {
    let record = |id: &str, more: &str| {
        format!(r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z"{more}}}"#)
    };
    let directory = TempDir::new().expect("temporary directory");
    let archive = directory.path().join("few.zip");
    let entries: Vec<(String, Vec<u8>)> = (0..4)
        .map(|number| {
            (
                format!("T-{number}.json"),
                record(&format!("T-{number}"), "").into_bytes(),
            )
        })
        .collect();
    std::fs::write(&archive, super::support::zip(&entries)).expect("write");
    let with = |change: &dyn Fn(&mut db_sync::Limits)| {
        let mut request = request(&[&archive], directory.path());
        change(&mut request.limits);
        build(&request)
    };
    let too_large = |result: Result<_, BuildError>| {
        matches!(
            result,
            Err(BuildError::Source(SourceError::TooLarge { .. }))
        )
    };
    assert!(with(&|_| ()).is_ok());
    assert!(too_large(with(&|limits| limits.entries = 3)));
    assert!(too_large(with(&|limits| limits.total_bytes = 100)));
    assert!(matches!(
        with(&|limits| limits.record_bytes = 10),
        Err(BuildError::Source(SourceError::Empty { .. }))
    ));
    assert!(with(&|limits| limits.depth = 0).is_err());

    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let long = "1".repeat(2000);
    let built = built_from(&[
        &record("OK-1", ""),
        &record(&"L".repeat(200), ""),
        &record("DEEP-1", &format!(r#","database_specific":{deep}"#)),
        &record(
            "LONG-1",
            &format!(
                r#","affected":[{{"package":{{"ecosystem":"PyPI","name":"x"}},"versions":["{long}"]}}]"#
            ),
        ),
    ]);
    assert_eq!(built.report.info.records, 2);
    assert_eq!(
        built.report.warnings.len(),
        3,
        "{:?}",
        built.report.warnings
    );
}

#[test]
fn a_missing_input_is_an_error() {
    let directory = TempDir::new().expect("temporary directory");
    let nowhere = directory.path().join("nowhere");
    assert!(build(&request(&[&nowhere], directory.path())).is_err());
    assert!(build(&request(&[], directory.path())).is_err());
    let empty = directory.path().join("empty");
    std::fs::create_dir(&empty).expect("directory");
    assert!(build(&request(&[Path::new(&empty)], directory.path())).is_err());
}
