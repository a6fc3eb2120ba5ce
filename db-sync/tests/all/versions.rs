//! Version order against tables: lines `a < b`, `a = b` or `a > b`, read in both directions.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says when it is skipped"
)]

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use db_sync::version::Order;
use proptest::prelude::*;

/// The frozen tables of other tools: a word in the name of a file, and the order it is about.
const SHARED: [(&str, Order); 12] = [
    ("alpine", Order::Alpine),
    ("cran", Order::Cran),
    ("debian", Order::Debian),
    ("hackage", Order::Hackage),
    ("maven", Order::Maven),
    ("nuget", Order::NuGet),
    ("packagist", Order::Packagist),
    ("pub", Order::Pub),
    ("pypi", Order::PyPi),
    ("redhat", Order::Rpm),
    ("rubygems", Order::RubyGems),
    ("semver", Order::Semver),
];

/// Lines that are wrong themselves: their file, why, the lines.
const WRONG: [(&str, &str, &[&str]); 6] = [
    (
        "maven-versions-generated.txt",
        // The table was sorted by a Maven before 3.9: `1.0.0.RC8` counted as newer than
        // `1.0.0-RC16`, and `2.9.0 < 2.9.0-1 < 2.9.0.RC1 < 2.9.0` ran in a circle. The class
        // `ComparableVersion` of 3.8.7 and 3.9.9 contradicts these lines, too.
        "MNG-7644: `.X` and `-X` are one for a qualifier X, and zeros before it do not count",
        &[
            "1.0.0-RC16 < 1.0.0.RC8-beta",
            "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3",
            "2.9.0-1 < 2.9.0.RC1",
            "6.1.12.rc5 < 6.1.12rc1",
            "1.1.31.sec10 < 1.1.31_noneautotype",
            "1.1.34.sec10 < 1.1.34_noneautotype",
            "1.1.46.sec10 < 1.1.46_noneautotype",
            "1.2.8.sec10_noneautotype < 1.2.8_noneautotype",
            "1.2.31.sec10 < 1.2.31_noneautotype",
            "1.2.48.sec10 < 1.2.48_noneautotype",
            "1.2.50.sec10 < 1.2.50_noneautotype",
            "1.2.54.sec10 < 1.2.54_noneautotype",
            "1.2.57.sec10 < 1.2.57_noneautotype",
            "1.2.60.sec10 < 1.2.60_noneautotype",
            "1.2.67.sec10 < 1.2.67_noneautotype",
            "1.0.0rc0 < 1.0.beta8",
            "1.5.9.RC1 < 1.5.9-RC0",
            "1.1.0-01-glassfish < 1.1.0.Beta1",
        ],
    ),
    (
        "maven-versions-generated.txt",
        // The class says so up to 3.9.9, since `-X-1` opens a list there and `.X` does not.
        "the same, by the POM reference: CR is newer than Beta, `.2009` than `-2009`",
        &[
            "3.6.2.FL.20090615 < 3.6.2-FL-2009-05-11",
            "3.5.0-CR-2 < 3.5.0.Beta-1",
        ],
    ),
    (
        "packagist-versions-generated.txt",
        // Made with PHP's function alone, to which ALPHA and BETA are both unknown words.
        "Composer's VersionParser ignores case before it compares",
        &[
            "v1.9.0-ALPHA.1 = v1.9.0-BETA.1",
            "v1.9.0-BETA.1 < v1.9.0-ALPHA.2",
            "v1.9.0-ALPHA.2 = v1.9.0-BETA.2",
        ],
    ),
    (
        "packagist-versions-generated.txt",
        "Composer's VersionParser takes the word `stable` away before it compares",
        &["5.1.0-stable < 5.1.0-beta2"],
    ),
    (
        "packagist-versions.txt",
        "by the file's own `1.2.3.# = 1.2.3` it says 1.2.3 = 1.2.3.1, against `1.0.0 > 1.0`",
        &["1.2.3.# = 1.2.3.1"],
    ),
    (
        "osvdev-packagist_test_cases.txt",
        "as in packagist-versions.txt",
        &["1.2.3.# = 1.2.3.1"],
    ),
];

fn shared() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| default.into(), PathBuf::from);
    let folder = root.join("advisories/versions");
    if !folder.is_dir() {
        println!("skipped: no shared data");
        return None;
    }
    Some(folder)
}

/// The words of [`Ordering`] in the tables.
fn relation(text: &str) -> Option<Ordering> {
    Some(match text {
        "<" => Ordering::Less,
        "=" => Ordering::Equal,
        ">" => Ordering::Greater,
        _ => return None,
    })
}

/// Counts the lines of a table and gathers those that the order contradicts.
fn check(path: &Path, order: Order) -> (usize, Vec<String>) {
    let table = fs::read_to_string(path).expect("a table");
    let mut failures = Vec::new();
    let mut lines = 0;
    for (number, line) in table.lines().enumerate() {
        if line.is_empty() || line.starts_with("# ") || line.starts_with("// ") {
            continue;
        }
        lines += 1;
        let parts: Vec<&str> = line.split(' ').collect();
        let (a, b, expected) = match parts[..] {
            [a, sign, b] => (a, b, relation(sign)),
            _ => ("", "", None),
        };
        let expected =
            expected.unwrap_or_else(|| panic!("{}:{}: {line:?}", path.display(), number + 1));
        let found = (order.compare(a, b), order.compare(b, a));
        if found != (Ok(expected), Ok(expected.reverse())) {
            failures.push(format!("{line}  ({}, {found:?})", number + 1));
        }
    }
    (lines, failures)
}

#[test]
fn every_line_of_the_shared_tables_holds() {
    let Some(folder) = shared() else { return };
    let mut files: Vec<String> = fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no tables");

    let mut failures = Vec::new();
    for file in files {
        let Some((_, order)) = SHARED.iter().find(|(word, _)| file.contains(word)) else {
            panic!("{file} is about no known order");
        };
        let (lines, found) = check(&folder.join(&file), *order);
        assert!(lines > 0, "{file} is empty");
        let mut wrong: Vec<&str> = WRONG
            .iter()
            .filter(|(in_file, ..)| *in_file == file.as_str())
            .flat_map(|(.., lines)| *lines)
            .copied()
            .collect();
        // Each known line excuses one failure and must be one.
        for failure in found {
            match wrong
                .iter()
                .position(|line| failure.starts_with(&format!("{line}  ")))
            {
                Some(known) => drop(wrong.swap_remove(known)),
                None => failures.push(format!("{file}: {failure}")),
            }
        }
        failures.extend(wrong.iter().map(|line| format!("{file}: {line} holds")));
    }
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_line_of_our_own_tables_holds() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/versions"));
    for order in Order::ALL {
        let path = folder.join(format!("{}.txt", order.name()));
        let (lines, failures) = check(&path, order);
        assert!(lines >= 15, "{} has {lines} lines", path.display());
        assert!(failures.is_empty(), "{}: {failures:#?}", order.name());
    }
}

/// Longest text that the orders are timed with; a version from a hostile lockfile can be longer.
const LONG: usize = 100_000;

#[test]
fn long_versions_take_linear_time() {
    let shapes = [
        "9", "0", "a", "1.", "0.", "0.0.0.1.", "1-", "-", "a1", "_p1", "~", "^", "1-a.0", ".",
        "-r", "+1", "_", "0-0.", "é", "1.0-rc", "a.",
    ];
    let start = Instant::now();
    for order in Order::ALL {
        for shape in shapes {
            let body = shape.repeat(LONG / shape.len());
            let a = format!("1.{body}1");
            let b = format!("1.{body}2");
            for (a, b) in [(&a, &b), (&a, &a), (&body, &a)] {
                let _ = order.compare(a, b);
            }
        }
    }
    // Quadratic time would be minutes; a loaded machine may be slow.
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

/// Text that looks like a version in at least one order.
fn plausible() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        6 => "[0-3]",
        2 => prop_oneof![Just("00"), Just("01"), Just("10"), Just("18446744073709551616")].prop_map(String::from),
        6 => Just(".".to_owned()),
        3 => prop_oneof![Just("-"), Just("_"), Just("+"), Just("~"), Just("^"), Just(":"), Just("!"), Just("#")]
            .prop_map(String::from),
        4 => prop_oneof![
            Just("a"), Just("b"), Just("rc"), Just("alpha"), Just("beta"), Just("RC"), Just("dev"), Just("p"),
            Just("post"), Just("pre"), Just("SNAPSHOT"), Just("Final"), Just("ga"), Just("sp"), Just("foo"),
            Just("-r1"), Just("_p1"), Just("_pre"), Just("v"), Just("stable"), Just("é")
        ]
        .prop_map(String::from),
    ];
    (0..3_u8, prop::collection::vec(atom, 0..7))
        .prop_map(|(first, rest)| format!("{first}{}", rest.concat()))
}

/// A text and two that were made from it by small changes, so that ties and near ties are common.
fn neighbours() -> impl Strategy<Value = [String; 3]> {
    let tail = prop_oneof![
        Just(""),
        Just(".0"),
        Just(".0.0"),
        Just("-0"),
        Just("-1"),
        Just(".1"),
        Just("a"),
        Just("-a"),
        Just(".a"),
        Just("-r0"),
        Just("_p"),
        Just("~"),
        Just("^"),
        Just("rc1"),
        Just(".dev0"),
        Just("+1"),
        Just("-"),
        Just("."),
        Just(".0-1"),
        Just("-SNAPSHOT"),
        Just("ga"),
        Just("sp"),
        Just("p1"),
        Just("#"),
    ];
    (plausible(), tail.clone(), tail.clone(), tail.clone(), tail).prop_map(|(base, a, b, c, d)| {
        [
            format!("{base}{a}"),
            format!("{base}{b}{c}"),
            format!("{base}{d}"),
        ]
    })
}

fn total(order: Order, texts: &[String; 3]) {
    let versions: Vec<_> = texts
        .iter()
        .filter_map(|text| order.parse(text).ok())
        .collect();
    for a in &versions {
        assert_eq!(a.cmp(a), Ordering::Equal);
        for b in &versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{order:?} {a:?} {b:?}");
            assert_eq!(a == b, a.cmp(b).is_eq());
            for c in &versions {
                if a.cmp(b).is_le() && b.cmp(c).is_le() {
                    let strict = a.cmp(b).is_lt() || b.cmp(c).is_lt();
                    let expected = if strict {
                        Ordering::Less
                    } else {
                        Ordering::Equal
                    };
                    assert_eq!(a.cmp(c), expected, "{order:?} {a:?} {b:?} {c:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_order_is_total(a in plausible(), b in plausible(), c in plausible(), near in neighbours()) {
        for order in Order::ALL {
            total(order, &[a.clone(), b.clone(), c.clone()]);
            total(order, &near);
        }
    }

    #[test]
    fn no_text_is_too_strange(a in any::<String>(), b in "\\PC*", c in plausible()) {
        for order in Order::ALL {
            total(order, &[a.clone(), b.clone(), c.clone()]);
        }
    }

    #[test]
    fn semantic_versions_are_ordered_as_the_semver_crate_does(a in semantic(), b in semantic()) {
        let oracle = |text: &str| semver::Version::parse(text).expect("a semantic version");
        let expected = oracle(&a).cmp_precedence(&oracle(&b));
        prop_assert_eq!(Order::Semver.compare(&a, &b), Ok(expected));
    }

    #[test]
    fn python_versions_are_ordered_as_the_pep440_crate_does(a in plausible(), b in plausible()) {
        let oracle = |text: &str| text.parse::<pep440_rs::Version>();
        // The oldest version of PEP 440; what is none lies before it. The crate's numbers have 64 bits.
        let first = Order::PyPi.compare("0.dev0", &a);
        prop_assert!(first.map(Ordering::is_le) == Ok(oracle(&a).is_ok()) || a.contains("18446744073709551616"));
        if let (Ok(x), Ok(y)) = (oracle(&a), oracle(&b)) {
            prop_assert_eq!(Order::PyPi.compare(&a, &b), Ok(x.cmp(&y)), "{} {}", a, b);
        }
    }
}

fn semantic() -> impl Strategy<Value = String> {
    "(0|1|10)\\.(0|2)\\.(0|3)(-(0|1|10|a|b|rc-1|0a)(\\.(0|9|10|a))?)?(\\+[a1]{1,2})?"
}
