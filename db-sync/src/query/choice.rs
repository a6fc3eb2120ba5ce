//! Which of several fixed versions to recommend: the smallest one on the
//! installed version's own release line. Knows how releases are numbered, and
//! leaves the order of versions to [`crate::version`].

use super::evaluate::comparable;
use crate::advisory::order_of;
use crate::version::Order;

/// How far the recommended version lies from the installed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A later build within the same release of a distribution.
    Distribution,
    /// The same major and minor number.
    Patch,
    /// The same major number, which is not 0.
    Minor,
    /// Another release line; below 1.0 a new minor number is one.
    Major,
}

impl Step {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Distribution => "distribution",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// A recommended version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its place in the list that was chosen from.
    pub place: usize,
    /// How far it is; `None` where one of the two is not numbered so.
    pub step: Option<Step>,
}

/// Chooses one of `fixed`, which are above `installed` and ascend, as
/// [`Match::fixed`](super::Match::fixed) does: the smallest with the same major
/// and minor number, else the smallest with the same major one, else the
/// smallest. A pre-release is no advice for a stable installation while there
/// is a stable fix. Within a distribution's release the smallest is meant.
///
/// `None` for an empty list.
///
/// ```
/// # use db_sync::{choose, Step};
/// let choice = choose("npm", "x", "2.1.0", &["1.9.9", "2.2.0-rc.1", "2.4.1", "3.0.0"]);
/// assert_eq!(choice.map(|choice| (choice.place, choice.step)), Some((2, Some(Step::Minor))));
/// ```
pub fn choose(ecosystem: &str, name: &str, installed: &str, fixed: &[&str]) -> Option<Choice> {
    let smallest = fixed.first().map(|_| Choice {
        place: 0,
        step: None,
    })?;
    let Some(order) = order_of(ecosystem, true) else {
        return Some(smallest);
    };
    if order.is_of_distributions() {
        return Some(Choice {
            step: Some(Step::Distribution),
            ..smallest
        });
    }
    let installed = comparable(ecosystem, name, installed);
    let from = Release::of(&installed);
    let is_stable = !is_pre_release(order, &installed);
    let choices = |stable_only: bool| {
        fixed
            .iter()
            .enumerate()
            .filter(move |(_, text)| !stable_only || !is_pre_release(order, text))
            .map(|(place, text)| Choice {
                place,
                step: from.zip(Release::of(text)).map(|(from, to)| from.step(to)),
            })
            // The first of equal ones.
            .min_by_key(|choice| choice.step.unwrap_or(Step::Major))
    };
    let stable = if is_stable { choices(true) } else { None };
    stable.or_else(|| choices(false))
}

/// Whether two versions lie on one release line: the same major and minor number.
pub(super) fn is_one_line(left: &str, right: &str) -> bool {
    let lines = Release::of(left).zip(Release::of(right));
    lines.is_some_and(|(left, right)| left == right)
}

/// The numbers that name a release line.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Release<'a> {
    epoch: &'a str,
    major: &'a str,
    minor: &'a str,
}

impl<'a> Release<'a> {
    fn of(version: &'a str) -> Option<Self> {
        let Leading { epoch, numbers, .. } = Leading::of(version)?;
        let mut parts = numbers
            .split('.')
            .map(|number| number.trim_start_matches('0'));
        Some(Self {
            epoch: epoch.trim_start_matches('0'),
            major: parts.next()?,
            minor: parts.next().unwrap_or_default(),
        })
    }

    fn step(self, to: Self) -> Step {
        if self == to {
            Step::Patch
        } else if self.epoch == to.epoch && self.major == to.major && !self.major.is_empty() {
            Step::Minor
        } else {
            Step::Major
        }
    }
}

/// What a version begins with.
struct Leading<'a> {
    /// PEP 440's, or nothing.
    epoch: &'a str,
    /// With dots between.
    numbers: &'a str,
    /// Everything up to their end, as it is written.
    release: &'a str,
}

impl<'a> Leading<'a> {
    fn of(version: &'a str) -> Option<Self> {
        let version = version.trim();
        let plain = version.strip_prefix(['v', 'V']).unwrap_or(version);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let (epoch, rest) = plain
            .split_once('!')
            .filter(|(epoch, _)| is_number(epoch))
            .unwrap_or(("", plain));
        let end = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(rest.len());
        let numbers = rest.get(..end)?.trim_end_matches('.');
        let before = version.len().saturating_sub(rest.len());
        numbers
            .starts_with(|character: char| character.is_ascii_digit())
            .then_some(Self {
                epoch,
                numbers,
                release: version.get(..before.saturating_add(numbers.len()))?,
            })
    }
}

/// A version is a pre-release where its order puts it before its own numbers
/// alone: `1.0-rc1`, `1.0b2`, `1.0.dev3`, `1.0-SNAPSHOT`, Go's pseudo-versions.
fn is_pre_release(order: Order, version: &str) -> bool {
    let Some(Leading { release, .. }) = Leading::of(version) else {
        return false;
    };
    match (order.parse(version), order.parse(release)) {
        (Ok(version), Ok(release)) => version < release,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, choose};

    #[test]
    fn the_own_release_line_comes_first() {
        use Step::{Distribution, Major, Minor, Patch};
        for (ecosystem, installed, fixed, expected, step) in [
            (
                "npm",
                "1.2.3",
                &["1.2.5", "1.3.0", "2.0.1"][..],
                "1.2.5",
                Some(Patch),
            ),
            (
                "npm",
                "1.4.0",
                &["1.5.0", "1.6.1", "2.0.1"],
                "1.5.0",
                Some(Minor),
            ),
            ("npm", "2.0.0", &["3.1.0", "4.0.1"], "3.1.0", Some(Major)),
            // Below 1.0 a minor number is a release line.
            (
                "crates.io",
                "0.2.7",
                &["0.2.23", "0.3.0"],
                "0.2.23",
                Some(Patch),
            ),
            (
                "crates.io",
                "0.2.7",
                &["0.3.1", "0.4.0"],
                "0.3.1",
                Some(Major),
            ),
            // Pre-releases.
            (
                "npm",
                "1.2.3",
                &["1.2.4-rc.1", "1.3.0"],
                "1.3.0",
                Some(Minor),
            ),
            (
                "npm",
                "1.2.4-rc.0",
                &["1.2.4-rc.1", "1.3.0"],
                "1.2.4-rc.1",
                Some(Patch),
            ),
            (
                "npm",
                "1.2.3",
                &["2.0.0-beta.1"],
                "2.0.0-beta.1",
                Some(Major),
            ),
            (
                "PyPI",
                "1.2",
                &["1.2.1rc1", "1.2.1.post1"],
                "1.2.1.post1",
                Some(Patch),
            ),
            ("PyPI", "1!1", &["1!1.1rc1", "1!1.2"], "1!1.2", Some(Minor)),
            (
                "PyPI",
                "1!1.2",
                &["1!1.2.dev9", "1!1.3", "2!1.2"],
                "1!1.3",
                Some(Minor),
            ),
            (
                "Maven",
                "2.9.1",
                &["2.9.2-SNAPSHOT", "2.9.10.Final"],
                "2.9.10.Final",
                Some(Patch),
            ),
            (
                "RubyGems",
                "4.0.0",
                &["4.0.1.beta1", "4.1.0"],
                "4.1.0",
                Some(Minor),
            ),
            (
                "Packagist",
                "v4.4.1",
                &["4.4.2-RC1", "v4.4.7"],
                "v4.4.7",
                Some(Patch),
            ),
            (
                "Go",
                "v1.2.0",
                &["1.2.1-0.20200101000000-abcdefabcdef", "1.3.0"],
                "1.3.0",
                Some(Minor),
            ),
            (
                "Go",
                "v0.0.0-20190101000000-abcdefabcdef",
                &["0.0.0-20200101000000-abcdefabcdef", "0.1.0"],
                "0.0.0-20200101000000-abcdefabcdef",
                Some(Patch),
            ),
            // A distribution's release is fixed already.
            (
                "Debian:12",
                "1:1.2-3+deb12u1",
                &["1:1.2-3+deb12u2", "1:2.0-1"],
                "1:1.2-3+deb12u2",
                Some(Distribution),
            ),
            (
                "AlmaLinux:9",
                "0:9.9-1.el9",
                &["0:10.1-1.el9"],
                "0:10.1-1.el9",
                Some(Distribution),
            ),
            // Not numbered.
            ("Maven", "r03", &["r07"], "r07", None),
        ] {
            let choice = choose(ecosystem, "name", installed, fixed).expect("a choice");
            assert_eq!(
                (fixed.get(choice.place).copied(), choice.step),
                (Some(expected), step),
                "{ecosystem} {installed}"
            );
        }
        assert_eq!(choose("npm", "x", "1.0.0", &[]), None);
    }

    #[test]
    fn the_go_toolchain_is_read_in_its_own_spelling() {
        let choice = choose(
            "Go",
            "stdlib",
            "go1.21rc2",
            &["1.20.9", "1.21.0-rc.4", "1.21.3"],
        );
        assert_eq!(choice.map(|choice| choice.place), Some(1));
    }

    #[test]
    fn odd_texts_end_in_the_smallest() {
        for text in [
            "",
            "v",
            "!",
            "1!",
            "..",
            "v!.1",
            "\u{e9}",
            "1..",
            "99999999999999999999.1",
        ] {
            let choice = choose("PyPI", "x", text, &["1.0", text]);
            assert!(choice.is_some(), "{text}");
        }
    }
}
