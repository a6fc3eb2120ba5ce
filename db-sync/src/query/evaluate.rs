//! Whether one entry affects one version: the evaluation algorithm of the OSV
//! schema (section "Evaluation"), over events that the compiler has sorted.
//! What is learnt about a bound or a listed version is kept for the package's
//! other entries, which mostly name the same ones.

use super::damaged;
use crate::advisory::{EventKind, order_of};
use crate::ecosystem;
use crate::store::ReadError;
use crate::store::entry::Mark;
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::view::{SpanView, View, Views};
use crate::strict;
use crate::version::{Order, Version};
use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;

/// What an entry says about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict<'v> {
    Affected,
    NotAffected,
    /// With the reason.
    Undecided(&'v str),
}

/// Which of a record's entries speak about builds of the asked kind: module
/// builds and ordinary ones are never compared, and where the record knows the
/// asked module build's platform, only that one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builds {
    All,
    Ordinary,
    Modules,
    OneModule,
}

impl Builds {
    /// Whether only module builds are compared.
    pub(super) fn are_modular(self) -> bool {
        matches!(self, Self::Modules | Self::OneModule)
    }
}

/// The asked version, read in the orders that its ecosystem's ranges use.
pub(super) struct Asked<'a> {
    /// As given; listed versions are compared with this text.
    given: &'a str,
    own: Reading<'a>,
    /// For SEMVER ranges, where the ecosystem has no order of its own.
    semver: Option<Reading<'a>>,
    has_modules: bool,
    /// The module build that the version belongs to.
    module: Option<&'a [u8]>,
    /// Where the version lies to bounds that were compared before.
    memo: Memo,
    /// The version's number, if it has one, lies in this range; narrowed with
    /// each listed version that is compared.
    numbers: Cell<(u64, u64)>,
    /// Whether the lower end of `numbers` is the version's own number.
    found: Cell<bool>,
}

/// An order and a version in it, or why there is none.
type Reading<'a> = Result<(Order, Version<'a>), String>;

const MEMO: usize = 256;

/// Comparisons by number of the bound. Each number has one place, and the
/// last one to use it stays there.
struct Memo([Cell<u64>; MEMO]);

impl Memo {
    fn place(&self, number: u32) -> Option<&Cell<u64>> {
        self.0.get(number as usize % MEMO)
    }

    #[inline]
    fn recall(&self, number: u32) -> Option<Ordering> {
        let kept = self.place(number)?.get();
        // Where nothing was kept yet, not even the number 0 has been.
        (kept >> 2 == u64::from(number) && kept & 3 != 0).then(|| (kept & 3).cmp(&2))
    }

    fn keep(&self, number: u32, position: Ordering) {
        let code = match position {
            Ordering::Less => 1,
            Ordering::Equal => 2,
            Ordering::Greater => 3,
        };
        if let Some(place) = self.place(number) {
            place.set(u64::from(number) << 2 | code);
        }
    }
}

/// The text in which a version of a package is compared: Go's toolchain
/// writes `go1.21rc2` for what advisories call `1.21.0-rc2`.
pub(super) fn comparable<'a>(ecosystem: &str, name: &str, version: &'a str) -> Cow<'a, str> {
    if ecosystem != "Go" || !matches!(name, "stdlib" | "toolchain") {
        return Cow::Borrowed(version);
    }
    let version = version.trim();
    let plain = version.strip_prefix("go").unwrap_or(version);
    let plain = plain.split(' ').next().unwrap_or(plain);
    let end = plain
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(plain.len());
    let (numbers, rest) = plain.split_at_checked(end).unwrap_or((plain, ""));
    if numbers.is_empty() {
        return Cow::Borrowed(plain);
    }
    let Some(pre_release) = go_pre_release(rest.strip_prefix('-').unwrap_or(rest)) else {
        // A vendor's suffix (`go1.21.5-bigcorp`, `go1.21.5 X:boringcrypto`) is none.
        return Cow::Borrowed(numbers);
    };
    let padding = if numbers.matches('.').count() < 2 {
        ".0"
    } else {
        ""
    };
    Cow::Owned(format!("{numbers}{padding}-{pre_release}"))
}

/// A version without the white space around it and the letter before it.
fn without_v(version: &[u8]) -> &[u8] {
    match version.trim_ascii() {
        [b'v' | b'V', rest @ ..] => rest,
        all => all,
    }
}

/// The number that a version begins with, without leading zeros.
fn first_number(version: &[u8]) -> &[u8] {
    let end = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = version.get(..end(version)).unwrap_or_default();
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    match number.get(zeros..) {
        Some([]) | None => number.get(..1).unwrap_or_default(),
        Some(rest) => rest,
    }
}

/// The versions that an entry lists from a text on: their numbers follow their texts.
fn from(
    store: &Store,
    view: &View<'_>,
    text: &[u8],
) -> Result<impl Iterator<Item = u32>, ReadError> {
    let numbers: Vec<u32> = view
        .listed
        .clone()
        .collect::<Result<_, _>>()
        .map_err(damaged(Section::Packages))?;
    let mut rest = numbers.as_slice();
    let mut below: usize = 0;
    while let (left, [middle, right @ ..]) = rest.split_at(rest.len() / 2) {
        if store.version_bytes(*middle)? < text {
            below = below.saturating_add(left.len()).saturating_add(1);
            rest = right;
        } else {
            rest = left;
        }
    }
    Ok(numbers.into_iter().skip(below))
}

/// A pre-release of Go in the spelling of its advisories (`rc.1`, `beta.2`, `0`), whichever way
/// it was written; `None` for anything else.
fn go_pre_release(text: &str) -> Option<String> {
    if text == "0" || text.starts_with("0.") {
        return Some(text.to_owned());
    }
    ["rc", "beta", "alpha", "pre"].into_iter().find_map(|word| {
        let number = text.strip_prefix(word)?;
        let number = number.strip_prefix('.').unwrap_or(number);
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(format!("{word}.{number}"));
        }
        // No release of Go, but what is built before one: `rc`, `rc1.0.2020…`, `pre.0.2020…`.
        let is_word = !number.starts_with(|first: char| first.is_ascii_alphabetic());
        is_word.then(|| text.to_owned())
    })
}

impl<'a> Asked<'a> {
    pub(super) fn new(ecosystem: &'a str, given: &'a str, text: &'a str) -> Self {
        let read = |order: Option<Order>| -> Reading<'a> {
            let order = order
                .ok_or_else(|| format!("no version order is known for ecosystem {ecosystem:?}"))?;
            // The order of PyPI's old versions is a legacy that no advisory counts on, and
            // dpkg's puts what is no version above the numbers: a guess that it is fixed.
            let is_strict = matches!(order, Order::PyPi | Order::Debian);
            let refused = strict::refusal(ecosystem, false, text.trim()).filter(|_| is_strict);
            if let Some(cause) = refused {
                let registry = ecosystem::base(ecosystem);
                return Err(format!("{text:?} is no version of {registry}: {cause}"));
            }
            let version = order.parse(text).map_err(|invalid| invalid.to_string())?;
            Ok((order, version))
        };
        let own = order_of(ecosystem, false);
        // Where the release is missing, nobody knows what kind of build it is.
        let has_modules = ecosystem::has_modules(ecosystem) && text.contains('-');
        Self {
            given,
            own: read(own),
            semver: own.is_none().then(|| read(order_of(ecosystem, true))),
            has_modules,
            module: ecosystem::module_build(text)
                .filter(|_| has_modules)
                .map(str::as_bytes),
            memo: Memo([const { Cell::new(0) }; MEMO]),
            numbers: Cell::new((0, u64::MAX)),
            found: Cell::new(false),
        }
    }

    fn reading(&self, semver: bool) -> &Reading<'a> {
        self.semver.as_ref().filter(|_| semver).unwrap_or(&self.own)
    }

    /// How the version lies to the one with a number; `None` where one of them
    /// is no version in the order.
    #[inline]
    pub(super) fn position(
        &self,
        store: &Store,
        semver: bool,
        number: u32,
    ) -> Result<Option<Ordering>, ReadError> {
        // Only one order has a memory; the other one is rare.
        let memo = (!semver || self.semver.is_none()).then_some(&self.memo);
        match memo.and_then(|memo| memo.recall(number)) {
            None => self.compare(store, semver, number, memo),
            known => Ok(known),
        }
    }

    #[inline(never)]
    fn compare(
        &self,
        store: &Store,
        semver: bool,
        number: u32,
        memo: Option<&Memo>,
    ) -> Result<Option<Ordering>, ReadError> {
        let Ok((order, version)) = self.reading(semver) else {
            return Ok(None);
        };
        let Some(bound) = order.parse_bytes(store.version_bytes(number)?) else {
            return Ok(None);
        };
        let position = version.cmp(&bound);
        if let Some(memo) = memo {
            memo.keep(number, position);
        }
        Ok(Some(position))
    }

    /// Whether an entry lists the version by name. Numbers of versions follow
    /// their texts, so that each comparison says something about all lists.
    pub(super) fn is_listed(&self, store: &Store, view: &View<'_>) -> Result<bool, ReadError> {
        let (mut low, mut high) = self.numbers.get();
        let mut open = Vec::new();
        for number in view.listed.clone() {
            let number = number.map_err(damaged(Section::Packages))?;
            if u64::from(number) >= high {
                break;
            }
            if u64::from(number) >= low {
                if self.found.get() {
                    return Ok(true);
                }
                open.push(number);
            }
        }
        let mut rest = open.as_slice();
        while let (below, [middle, above @ ..]) = rest.split_at(rest.len() / 2) {
            match self.given.cmp(store.version(*middle)?) {
                Ordering::Equal => {
                    self.found.set(true);
                    let number = u64::from(*middle);
                    self.numbers.set((number, number.saturating_add(1)));
                    return Ok(true);
                }
                Ordering::Less => {
                    high = u64::from(*middle);
                    rest = below;
                }
                Ordering::Greater => {
                    low = u64::from(*middle).saturating_add(1);
                    rest = above;
                }
            }
        }
        self.numbers.set((low, high));
        Ok(false)
    }

    /// Whether an entry lists the version in another spelling of the same
    /// release: `23.9` is PEP 440's `23.9.0`, and `v1.2.3` is what Go calls `1.2.3`.
    pub(super) fn is_listed_otherwise(
        &self,
        store: &Store,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        let Ok((order, _)) = &self.own else {
            return Ok(false);
        };
        let plain = without_v(self.given.as_bytes());
        match order {
            // Equal versions are one release there, and begin with one number.
            Order::PyPi | Order::NuGet => {
                let start = first_number(plain);
                for number in from(store, view, start)? {
                    if !store.version_bytes(number)?.starts_with(start) {
                        break;
                    }
                    if self.position(store, false, number)? == Some(Ordering::Equal) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Order::Semver | Order::Packagist => {
                let with_v = [b"v", plain].concat();
                for spelling in [plain, &with_v] {
                    let first = from(store, view, spelling)?.next();
                    if let Some(number) = first
                        && store.version_bytes(number)? == spelling
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Evaluates one entry.
    pub(super) fn judge<'v>(
        &'v self,
        store: &Store,
        views: &'v Views<'_>,
        view: &View<'_>,
    ) -> Result<Verdict<'v>, ReadError> {
        let mut doubt = None;
        for span in views.spans(view) {
            match self.judge_span(store, views, span)? {
                Verdict::Affected => return Ok(Verdict::Affected),
                Verdict::NotAffected => {}
                Verdict::Undecided(cause) => {
                    doubt.get_or_insert(cause);
                }
            }
        }
        if !view.listed.is_empty()
            && (self.is_listed(store, view)? || self.is_listed_otherwise(store, view)?)
        {
            return Ok(Verdict::Affected);
        }
        Ok(doubt.map_or(Verdict::NotAffected, Verdict::Undecided))
    }

    /// Evaluates one range.
    #[inline]
    pub(super) fn judge_span<'v>(
        &'v self,
        store: &Store,
        views: &Views<'_>,
        span: &SpanView<'v>,
    ) -> Result<Verdict<'v>, ReadError> {
        let marks = views.marks(span);
        if let Some(cause) = span.unusable {
            return Ok(Verdict::Undecided(cause));
        }
        Ok(match self.reading(span.semver) {
            Err(_) if marks.is_empty() => Verdict::NotAffected,
            Err(cause) => Verdict::Undecided(cause),
            Ok(_) if self.contains(store, span.semver, marks)? => Verdict::Affected,
            Ok(_) => Verdict::NotAffected,
        })
    }

    /// Whether an event has taken effect at the version; `None` where its bound
    /// cannot be read. Until it is left behind, the last affected version has not.
    pub(super) fn reaches(
        &self,
        store: &Store,
        semver: bool,
        mark: &Mark,
    ) -> Result<Option<bool>, ReadError> {
        let Some(number) = mark.version else {
            return Ok(Some(mark.kind != EventKind::Limit));
        };
        let position = self.position(store, semver, number)?;
        Ok(position.map(|position| match position {
            Ordering::Less => false,
            Ordering::Equal => mark.kind != EventKind::LastAffected,
            Ordering::Greater => true,
        }))
    }

    fn contains(&self, store: &Store, semver: bool, marks: &[Mark]) -> Result<bool, ReadError> {
        let mut affected = false;
        let mut limited = false;
        for (place, mark) in marks.iter().enumerate() {
            // How the asked version lies to the event's.
            let position = match mark.version {
                None if mark.kind == EventKind::Limit => Ordering::Less,
                None => Ordering::Greater,
                Some(number) => match self.position(store, semver, number)? {
                    Some(position) => position,
                    // The compiler has parsed it; another program version may not.
                    None => continue,
                },
            };
            if position == Ordering::Less {
                // All that follow lie above the version too: they change nothing,
                // except that it is below their limits.
                let above = marks.get(place..).unwrap_or_default();
                let below_a_limit = above.iter().any(|mark| mark.kind == EventKind::Limit);
                return Ok(affected && (below_a_limit || !limited));
            }
            match mark.kind {
                EventKind::Introduced => affected = true,
                EventKind::Fixed => affected = false,
                EventKind::LastAffected if position == Ordering::Greater => affected = false,
                EventKind::LastAffected => {}
                EventKind::Limit => limited = true,
            }
        }
        Ok(affected && !limited)
    }

    /// Which entries of one record can be compared with the version.
    pub(super) fn builds<'v, 'f: 'v>(
        &self,
        store: &Store,
        views: &Views<'f>,
        record: impl Iterator<Item = &'v View<'f>>,
    ) -> Result<Builds, ReadError> {
        if !self.has_modules {
            return Ok(Builds::All);
        }
        if self.module.is_none() {
            return Ok(Builds::Ordinary);
        }
        for view in record {
            if module_of(store, views, view)? == self.module {
                return Ok(Builds::OneModule);
            }
        }
        Ok(Builds::Modules)
    }

    /// Whether an entry is one of those builds.
    pub(super) fn compares(
        &self,
        store: &Store,
        views: &Views<'_>,
        builds: Builds,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        if builds == Builds::All {
            return Ok(true);
        }
        let module = module_of(store, views, view)?;
        Ok(match builds {
            Builds::All => true,
            Builds::Ordinary => module.is_none(),
            Builds::Modules => module.is_some(),
            Builds::OneModule => module == self.module,
        })
    }
}

/// The module build that an entry's bounds name.
fn module_of<'s>(
    store: &'s Store,
    views: &Views<'_>,
    view: &View<'_>,
) -> Result<Option<&'s [u8]>, ReadError> {
    for mark in views.spans(view).iter().flat_map(|span| views.marks(span)) {
        if let Some(number) = mark.version
            && let Some(build) = ecosystem::module_build_bytes(store.version_bytes(number)?)
        {
            return Ok(Some(build));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{MEMO, Memo, comparable};
    use std::cell::Cell;
    use std::cmp::Ordering;

    #[test]
    fn the_toolchains_spelling_becomes_semver() {
        for (version, expected) in [
            ("go1.21.5", "1.21.5"),
            ("go1.21rc2", "1.21.0-rc.2"),
            ("1.24.0-rc.1", "1.24.0-rc.1"),
            ("1.25.0-0", "1.25.0-0"),
            ("1.25.0-rc", "1.25.0-rc"),
            (" go1.21.5 ", "1.21.5"),
            ("1.25.0-0.20250101", "1.25.0-0.20250101"),
            ("1.25.0-rc1.0.20250101", "1.25.0-rc1.0.20250101"),
            ("go1.21.5-prefab", "1.21.5"),
            ("go1.21.5-bigcorp", "1.21.5"),
            ("1.20", "1.20"),
            ("go1.21.5 X:boringcrypto", "1.21.5"),
        ] {
            assert_eq!(comparable("Go", "stdlib", version), expected);
        }
        assert_eq!(comparable("Go", "example.org/x", "v1.0.0"), "v1.0.0");
    }

    #[test]
    fn a_memory_forgets_but_never_confuses() {
        let memo = Memo([const { Cell::new(0) }; MEMO]);
        let same_place = u32::try_from(MEMO).expect("small");
        assert_eq!(memo.recall(0), None);
        memo.keep(0, Ordering::Greater);
        assert_eq!(memo.recall(0), Some(Ordering::Greater));
        assert_eq!(memo.recall(same_place), None);
        memo.keep(same_place, Ordering::Less);
        assert_eq!(memo.recall(0), None);
        assert_eq!(memo.recall(same_place), Some(Ordering::Less));
    }
}
