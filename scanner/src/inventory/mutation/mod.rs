//! Damaged copies of good files: a parser that meets one tells the same packages, or a gap; never
//! fewer packages, or others, in silence. Drives every parser over the corpus of
//! `testdata/inventory`; a parser is in it as soon as it has a folder there.
//!
//! Every mutator has a space of mutants per file ([`Mutator::count`]). A run takes
//! `PORTCULLIS_MUTANTS` of each space (default [`FEW`]), evenly spread and always the same ones;
//! a number beyond the space takes all. What survives is counted by parser and mutator.
//! [`judge`] says what survives, and which changes are no loss, with reasons.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::parsers;
use super::{Parser, corpus};

mod exceptions;
mod items;
mod judge;
mod lines;
mod tree;

use self::items::{Known, items};
use self::judge::Loss;

/// Mutants of each space in an ordinary run.
const FEW: usize = 120;

/// Survivors that are known and not repaired yet, by parser: a debt that only shrinks.
const DEBT: &[(&str, usize)] = &[
    ("go-mod", 3),
    ("go-sum", 1),
    ("package-lock", 2),
    ("pnpm-lock", 1),
    ("rpm-bdb", 3),
    ("rpm-ndb", 1),
    ("rpm-sqlite", 1),
    ("yarn-lock", 1),
];

/// A file as the mutators see it.
struct Source {
    bytes: Vec<u8>,
    /// Byte ranges of its lines with their ends; none in a binary file.
    lines: Vec<std::ops::Range<usize>>,
    /// The document, if it is one.
    tree: Option<tree::Tree>,
}

impl Source {
    fn new(parser: &Parser, path: &str, bytes: &[u8]) -> Self {
        let lines = match std::str::from_utf8(bytes) {
            Ok(_) if !bytes.contains(&0) => lines::ranges(bytes),
            _ => Vec::new(),
        };
        Self {
            bytes: bytes.to_vec(),
            lines,
            tree: tree::Tree::new(parser, path, bytes),
        }
    }
}

/// What was done to a file.
struct Mutant {
    bytes: Vec<u8>,
    edit: Edit,
    /// For the list of survivors.
    note: String,
}

/// Where it was done, as far as it matters for what may change.
enum Edit {
    /// These bytes of the good file, or before its start if it is empty.
    Bytes(std::ops::Range<usize>),
    /// This line was left out, from 1.
    Line(u32),
    /// Everything from this offset on was left out.
    Cut(usize),
    /// An entry of a list of packages was left out.
    Entry,
    /// This key became another.
    Key(String),
    /// The list or mapping under this path became an empty one.
    Emptied(String),
    /// Any other change of a document.
    Value,
}

struct Mutator {
    name: &'static str,
    count: fn(&Source) -> usize,
    make: fn(&Source, usize) -> Option<Mutant>,
}

/// A small generator of our own: the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn of(text: &str) -> Self {
        let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self(hash | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap()
    }
}

/// `few` of a space, one of each of as many equal parts.
fn chosen(space: usize, few: usize, numbers: &mut Numbers) -> Vec<usize> {
    if space <= few {
        return (0..space).collect();
    }
    let part = |index: usize| index * space / few;
    (0..few)
        .map(|index| part(index) + numbers.below(part(index + 1) - part(index)))
        .collect()
}

#[derive(Default)]
struct Tally {
    mutants: usize,
    /// By mutator: how many, and the first few.
    survivors: BTreeMap<&'static str, (usize, Vec<String>)>,
}

fn per_space() -> usize {
    let asked = std::env::var("PORTCULLIS_MUTANTS").ok();
    asked.map_or(FEW, |text| text.parse().expect("a number of mutants"))
}

fn drive(few: usize) -> BTreeMap<&'static str, Tally> {
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for (parser, case) in corpus::cases() {
        for (path, bytes) in &case.files {
            let wanted = super::dispatch::by_path(path, parser.evidence);
            // Some are only run on files that others include.
            let mine = parser.wants.is_empty() || wanted.iter().any(|one| one.id == parser.id);
            if !mine {
                continue;
            }
            let source = Source::new(parser, path, bytes);
            let good = items(&corpus::run(parser, path, bytes));
            if !good.is_good() {
                continue;
            }
            let tally = tallies.entry(parser.id).or_default();
            for mutator in lines::ALL.iter().chain(tree::ALL) {
                let space = (mutator.count)(&source);
                let mut numbers = Numbers::of(&format!("{} {path} {}", case.name, mutator.name));
                for index in chosen(space, few, &mut numbers) {
                    let Some(mutant) = (mutator.make)(&source, index) else {
                        continue;
                    };
                    tally.mutants += 1;
                    let bad = items(&corpus::run(parser, path, &mutant.bytes));
                    let known = Known {
                        parser: parser.id,
                        source: &source,
                    };
                    if let Loss::Survives(what) = judge::judge(&known, &good, &bad, &mutant) {
                        let entry = tally.survivors.entry(mutator.name).or_default();
                        entry.0 += 1;
                        if entry.1.len() < 4 || few > FEW && entry.1.len() < 12 {
                            let text = format!("{} {path}: {}: {what}", case.name, mutant.note);
                            entry.1.push(text);
                        }
                    }
                }
            }
        }
    }
    tallies
}

#[test]
fn no_damage_loses_packages_in_silence() {
    let mut text = String::new();
    let mut worse = Vec::new();
    for (id, tally) in drive(per_space()) {
        let all: usize = tally.survivors.values().map(|(count, _)| count).sum();
        let debt = DEBT.iter().find(|(parser, _)| *parser == id);
        let debt = debt.map_or(0, |(_, count)| *count);
        if all > debt {
            worse.push(id);
        }
        if all > 0 || per_space() > FEW {
            let _ = writeln!(text, "{id}: {all} of {} survive", tally.mutants);
        }
        for (mutator, (count, samples)) in &tally.survivors {
            let _ = writeln!(text, "  {mutator}: {count}");
            for sample in samples {
                let _ = writeln!(text, "    {sample}");
            }
        }
    }
    println!("{text}");
    assert!(worse.is_empty(), "{worse:?} let mutants survive:\n{text}");
}

/// Parsers that list no packages: there is nothing to lose.
const WITHOUT_PACKAGES: &[&str] = &[
    "dpkg-list",
    "dpkg-md5sums",
    "pacman-files",
    "requirements-constraints",
    "redhat-release",
    "rpm-sqlite-log",
    "runtime",
    "suse-products",
];

#[test]
fn every_parser_is_damaged() {
    let driven = drive(1);
    for parser in parsers::ALL {
        let id = parser.id;
        let exempt = WITHOUT_PACKAGES.contains(&id);
        assert!(
            exempt != driven.contains_key(id),
            "{id}: no good file in its folder of testdata/inventory"
        );
    }
}

#[test]
fn debts_are_of_parsers_that_exist() {
    for (id, count) in DEBT {
        assert!(parsers::ALL.iter().any(|parser| parser.id == *id), "{id}");
        assert!(*count > 0, "{id}");
    }
}

#[test]
fn a_part_of_a_space_is_spread_and_always_the_same() {
    let take = || chosen(1000, 10, &mut Numbers::of("seed"));
    assert_eq!(take(), take());
    let tens: Vec<_> = take().iter().map(|index| index / 100).collect();
    assert_eq!(tens, (0..10).collect::<Vec<_>>());
    assert_eq!(chosen(3, 10, &mut Numbers::of("")), [0, 1, 2]);
}
