//! Versions of Go itself: `1.21`, `1.21rc2`, `1.21.3`, in this order.

/// A version of the language or of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GoVersion {
    major: u32,
    minor: u32,
    stage: Stage,
}

/// What follows the first two numbers, from the oldest to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Language,
    Beta(u32),
    Candidate(u32),
    Release(u32),
}

impl GoVersion {
    /// `major.minor`.
    pub(super) const fn language(major: u32, minor: u32) -> Self {
        Self {
            major,
            minor,
            stage: Stage::Language,
        }
    }

    /// Reads a version without its `go`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (minor, stage) = rest.split_at_checked(digits)?;
        let stage = if stage.is_empty() {
            Stage::Language
        } else if let Some(patch) = stage.strip_prefix('.') {
            Stage::Release(number(patch)?)
        } else if let Some(candidate) = stage.strip_prefix("rc") {
            Stage::Candidate(number(candidate)?)
        } else {
            Stage::Beta(number(stage.strip_prefix("beta")?)?)
        };
        Some(Self {
            major: number(major)?,
            minor: number(minor)?,
            stage,
        })
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::GoVersion;

    #[test]
    fn versions_have_an_order() {
        let texts = [
            "1.9",
            "1.16.5",
            "1.17",
            "1.21",
            "1.21beta1",
            "1.21rc2",
            "1.21.0",
            "1.23.5",
        ];
        let versions: Vec<_> = texts
            .iter()
            .map(|text| GoVersion::of(text).unwrap())
            .collect();
        assert!(versions.is_sorted());
        assert_eq!(versions[2], GoVersion::language(1, 17));
        for text in [
            "",
            "121",
            "1.",
            "go1.21",
            "1.21.x",
            "1.+1",
            "1.21rc",
            "1.99999999999",
        ] {
            assert_eq!(GoVersion::of(text), None, "{text}");
        }
    }
}
