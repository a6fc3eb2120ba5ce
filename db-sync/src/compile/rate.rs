//! The order of a record's severities, best first: its own vectors, vectors of
//! its aliases, of its upstream vulnerabilities, the worst one of related vulnerabilities, then
//! words: its own, then those of its aliases. Each keeps where it came from.
//! (Vectors that a record gives for single packages stay with the package and
//! come first of all when it is asked about.)

use super::collect::Stored;
use super::interner::Interner;
use super::vulnerability::Vulnerabilities;
use crate::id;
use crate::severity::{self, RatingKind};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// At most this many ratings are inherited per record: the first is used, the
/// others explain; vulnerabilities with hundreds of records must not repeat all of them.
const MAX_INHERITED: usize = 8;

/// Where a stored rating comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The field of the record itself.
    Field(u8),
    /// The record with this position, by relation.
    Alias(u32),
    Upstream(u32),
    Related(u32),
}

impl Origin {
    /// The number under which the origin is stored.
    pub(super) fn code(self) -> u64 {
        let (tag, value) = match self {
            Self::Field(field) => (0, u64::from(field)),
            Self::Alias(record) => (1, u64::from(record)),
            Self::Upstream(record) => (2, u64::from(record)),
            Self::Related(record) => (3, u64::from(record)),
        };
        value << 2 | tag
    }
}

/// What a record lends to others: (kind, rating number, record).
type Loan = (RatingKind, u32, u32);

/// Everything that can be inherited, by vulnerability.
pub(super) struct Loans<'a> {
    ratings: &'a Interner,
    by_vulnerability: BTreeMap<u32, Vec<Loan>>,
    /// Scores of vectors by number: many records ask for the same ones.
    scores: RefCell<BTreeMap<u32, u32>>,
}

impl<'a> Loans<'a> {
    pub(super) fn of(
        records: &[&Stored],
        vulnerabilities: &mut Vulnerabilities,
        ids: &Interner,
        ratings: &'a Interner,
    ) -> Self {
        let mut by_vulnerability: BTreeMap<u32, Vec<Loan>> = BTreeMap::new();
        for (record, number) in records.iter().zip(0_u32..) {
            if record.withdrawn.is_some() {
                continue;
            }
            let own = record.ratings.iter().map(|(value, _)| *value);
            let loans: Vec<Loan> = own
                .chain(record.package_vectors.iter().copied())
                .map(|value| (kind_of(ratings, value), value, number))
                .collect();
            if !loans.is_empty() {
                by_vulnerability
                    .entry(vulnerabilities.root(record.id))
                    .or_default()
                    .extend(loans);
            }
        }
        for loans in by_vulnerability.values_mut() {
            loans.sort_by(|left, right| {
                let id = |loan: &Loan| {
                    records
                        .get(loan.2 as usize)
                        .map_or("", |record| ids.text(record.id))
                };
                left.0
                    .cmp(&right.0)
                    .then_with(|| id::compare("", id(left), id(right)))
                    .then_with(|| ratings.text(left.1).cmp(ratings.text(right.1)))
            });
            loans.dedup();
        }
        Self {
            ratings,
            by_vulnerability,
            scores: RefCell::default(),
        }
    }

    /// The ratings of one record in order.
    pub(super) fn ratings(
        &self,
        record: &Stored,
        number: u32,
        vulnerabilities: &mut Vulnerabilities,
    ) -> Vec<(u32, Origin)> {
        let is_word = |value: u32| kind_of(self.ratings, value) == RatingKind::Word;
        let (words, mut out): (Vec<_>, Vec<_>) = record
            .ratings
            .iter()
            .map(|(value, field)| (*value, Origin::Field(*field)))
            .partition(|(value, _)| is_word(*value));
        let own_vulnerability = vulnerabilities.root(record.id);
        let aliases: Vec<Loan> = self
            .loans(own_vulnerability)
            .iter()
            .filter(|(_, _, lender)| *lender != number)
            .copied()
            .collect();
        let mut inherited: Vec<(u32, Origin)> = aliases
            .iter()
            .filter(|(kind, _, _)| *kind != RatingKind::Word)
            .map(|(_, value, lender)| (*value, Origin::Alias(*lender)))
            .collect();
        let mut foreign = |ids: &[u32]| -> Vec<Loan> {
            let mut roots: Vec<u32> = ids
                .iter()
                .map(|id| vulnerabilities.root(*id))
                .filter(|root| *root != own_vulnerability)
                .collect();
            roots.sort_unstable();
            roots.dedup();
            roots
                .into_iter()
                .flat_map(|root| self.loans(root))
                .filter(|(kind, _, _)| *kind != RatingKind::Word)
                .copied()
                .collect()
        };
        let mut upstream = foreign(&record.upstream);
        self.worst_first(&mut upstream);
        inherited.extend(
            upstream
                .iter()
                .map(|(_, value, lender)| (*value, Origin::Upstream(*lender))),
        );
        let mut related = foreign(&record.related);
        self.worst_first(&mut related);
        inherited.extend(
            related
                .first()
                .map(|(_, value, lender)| (*value, Origin::Related(*lender))),
        );
        inherited.truncate(MAX_INHERITED);
        out.extend(inherited);
        out.extend(words);
        out.extend(
            aliases
                .iter()
                .filter(|(kind, _, _)| *kind == RatingKind::Word)
                .take(MAX_INHERITED)
                .map(|(_, value, lender)| (*value, Origin::Alias(*lender))),
        );
        out
    }

    /// Of several vulnerabilities the worst counts; equal ones keep a fixed order.
    fn worst_first(&self, loans: &mut [Loan]) {
        let mut scores = self.scores.borrow_mut();
        loans.sort_by_cached_key(|(kind, value, lender)| {
            let score = *scores.entry(*value).or_insert_with(|| {
                let vector = self.ratings.text(*value);
                severity::tenths(vector.get(1..).unwrap_or_default())
            });
            (std::cmp::Reverse(score), *kind, *lender)
        });
    }

    fn loans(&self, vulnerability: u32) -> &[Loan] {
        self.by_vulnerability
            .get(&vulnerability)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

fn kind_of(ratings: &Interner, value: u32) -> RatingKind {
    ratings
        .text(value)
        .bytes()
        .next()
        .and_then(|digit| RatingKind::from_code(digit.wrapping_sub(b'0')))
        .unwrap_or(RatingKind::Word)
}
