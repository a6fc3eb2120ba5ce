//! Whether one entry affects one version: the evaluation algorithm of the OSV
//! schema (section "Evaluation"), over events that the compiler has sorted.
//! What is learnt about a bound or a listed version is kept for the package's
//! other entries, which mostly name the same ones.

mod listed;
mod memo;
mod toolchain;

use self::memo::Memo;
pub(super) use self::toolchain::comparable;
use crate::advisory::{EventKind, order_of};
use crate::ecosystem;
use crate::store::ReadError;
use crate::store::entry::Mark;
use crate::store::read::Store;
use crate::store::view::{SpanView, View, Views};
use crate::strict;
use crate::version::{Order, Version};
use std::cell::Cell;
use std::cmp::Ordering;

/// What an entry says about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement<'v> {
    Affected,
    /// It lies in a range without an end, above all that its source knows to be
    /// affected.
    Possible,
    NotAffected,
    /// With the reason.
    Undecided(&'v str),
}

/// Where a version lies to a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Outside,
    /// In an interval that ends somewhere.
    Closed,
    /// In the last one, which has no end.
    Open,
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
    /// A PEP 440 version without its local label, where it has one.
    public: Option<Version<'a>>,
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
                return Err(format!("{text:?} is not a version of {registry}: {cause}"));
            }
            let version = order.parse(text).map_err(|invalid| invalid.to_string())?;
            Ok((order, version))
        };
        let own = order_of(ecosystem, false);
        let public = text.split_once('+').filter(|_| own == Some(Order::PyPi));
        // Where the release is missing, nobody knows what kind of build it is.
        let has_modules = ecosystem::has_modules(ecosystem) && text.contains('-');
        Self {
            given,
            own: read(own),
            public: public.and_then(|(public, _)| Order::PyPi.parse(public).ok()),
            semver: own.is_none().then(|| read(order_of(ecosystem, true))),
            has_modules,
            module: ecosystem::module_build(text)
                .filter(|_| has_modules)
                .map(str::as_bytes),
            memo: Memo::new(),
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
        let mut position = version.cmp(&bound);
        // `1.0+cpu` is a build of 1.0, and `==1.0` and `<=1.0` mean it, too (PEP 440,
        // "Version specifiers"): only a bound with a label asks for more.
        if position == Ordering::Greater
            && let Some(public) = &self.public
            && !store.version_bytes(number)?.contains(&b'+')
        {
            position = public.cmp(&bound);
        }
        if let Some(memo) = memo {
            memo.keep(number, position);
        }
        Ok(Some(position))
    }

    /// Evaluates one entry.
    pub(super) fn judge<'v>(
        &'v self,
        store: &Store,
        views: &'v Views<'_>,
        view: &View<'_>,
    ) -> Result<Judgement<'v>, ReadError> {
        let mut doubt = None;
        let mut is_open = false;
        for span in views.spans(view) {
            match self.place(store, views, span)? {
                Ok(Position::Outside) => {}
                Ok(Position::Open) if !views.beside(view).is_empty() => is_open = true,
                Ok(Position::Closed | Position::Open) => return Ok(Judgement::Affected),
                Err(cause) => {
                    doubt.get_or_insert(cause);
                }
            }
        }
        if is_open {
            if !self.is_beyond(store, views, view)? {
                return Ok(Judgement::Affected);
            }
            // Whoever lists the versions of such a range lists them to no end, too.
            return Ok(doubt.map_or(Judgement::Possible, Judgement::Undecided));
        }
        if !view.listed.is_empty()
            && (self.is_listed(store, view)? || self.is_listed_otherwise(store, view)?)
        {
            return Ok(Judgement::Affected);
        }
        Ok(doubt.map_or(Judgement::NotAffected, Judgement::Undecided))
    }

    /// Evaluates one range.
    pub(super) fn judge_span<'v>(
        &'v self,
        store: &Store,
        views: &Views<'_>,
        span: &SpanView<'v>,
    ) -> Result<Judgement<'v>, ReadError> {
        Ok(match self.place(store, views, span)? {
            Ok(Position::Outside) => Judgement::NotAffected,
            Ok(Position::Closed | Position::Open) => Judgement::Affected,
            Err(cause) => Judgement::Undecided(cause),
        })
    }

    /// Where the version lies to a range, or why that cannot be decided.
    #[inline]
    fn place<'v>(
        &'v self,
        store: &Store,
        views: &Views<'_>,
        span: &SpanView<'v>,
    ) -> Result<Result<Position, &'v str>, ReadError> {
        let marks = views.marks(span);
        if let Some(cause) = span.unusable {
            return Ok(Err(cause));
        }
        Ok(match self.reading(span.semver) {
            Err(_) if marks.is_empty() => Ok(Position::Outside),
            Err(cause) => Err(cause),
            Ok(_) => Ok(self.place_of(store, span.semver, marks)?),
        })
    }

    /// Whether nothing but ranges without an end make an entry affect the version.
    pub(super) fn rests_on_open_ends(
        &self,
        store: &Store,
        views: &Views<'_>,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        let mut is_open = false;
        for span in views.spans(view) {
            match self.place(store, views, span)? {
                Ok(Position::Closed) => return Ok(false),
                Ok(Position::Open) => is_open = true,
                Ok(Position::Outside) | Err(_) => {}
            }
        }
        Ok(is_open)
    }

    /// Whether the version lies above an end of the ranges beside an entry's own,
    /// and in none of them. One below them all is not beyond anything.
    fn is_beyond(
        &self,
        store: &Store,
        views: &Views<'_>,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        let mut is_beyond = false;
        for span in views.beside(view) {
            let last = self.last_reached(store, views, span)?;
            match last.map(|mark| mark.kind) {
                None => {}
                Some(EventKind::Introduced) => return Ok(false),
                Some(_) => is_beyond = true,
            }
        }
        Ok(is_beyond)
    }

    /// The last event of a range that has taken effect at the version.
    pub(super) fn last_reached<'v>(
        &self,
        store: &Store,
        views: &'v Views<'_>,
        span: &SpanView<'_>,
    ) -> Result<Option<&'v Mark>, ReadError> {
        let mut last = None;
        for mark in views.marks(span) {
            match self.reaches(store, span.semver, mark)? {
                Some(true) => last = Some(mark),
                Some(false) => break,
                None => {}
            }
        }
        Ok(last)
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

    fn place_of(&self, store: &Store, semver: bool, marks: &[Mark]) -> Result<Position, ReadError> {
        let mut affected = false;
        let mut limited = false;
        let mut ends_here = false;
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
                let is_inside = affected && (below_a_limit || !limited);
                let closes =
                    |mark: &Mark| mark.kind != EventKind::Introduced && mark.version.is_some();
                return Ok(match (is_inside, ends_here || above.iter().any(closes)) {
                    (false, _) => Position::Outside,
                    (true, true) => Position::Closed,
                    (true, false) => Position::Open,
                });
            }
            match mark.kind {
                EventKind::Introduced => affected = true,
                EventKind::Fixed => affected = false,
                EventKind::LastAffected if position == Ordering::Greater => affected = false,
                EventKind::LastAffected => ends_here = true,
                EventKind::Limit => limited = true,
            }
        }
        Ok(match (affected && !limited, ends_here) {
            (false, _) => Position::Outside,
            (true, true) => Position::Closed,
            (true, false) => Position::Open,
        })
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
