//! Which versions an ecosystem's own rules allow. The version orders read more
//! than that, since installed packages carry anything; but a bound that the
//! registry would refuse is a mistake in the record, and an order's guess
//! about it must not pass for an answer. For `PyPI` and Debian the same goes
//! for the asked version: their orders put words anywhere, `latest` above all.

use crate::ecosystem;
use crate::version::Order;

/// Lowest version of PEP 440; what was before it sorts below.
const FIRST_PEP440: &str = "0.dev0";

/// Why a text cannot be a version of the ecosystem, where it cannot.
pub(crate) fn refusal(ecosystem: &str, semver: bool, text: &str) -> Option<&'static str> {
    match ecosystem::base(ecosystem) {
        // These registries accept nothing but SemVer 2.0.0.
        "crates.io" | "Go" | "npm" | "Hex" if semver && !is_semver(text) => {
            Some("not SemVer 2.0.0")
        }
        "PyPI" if !is_pep440(text) => Some("not PEP 440"),
        "Debian" | "Ubuntu" if !is_debian(text) => Some("not in the form of deb-version(7)"),
        _ => None,
    }
}

fn is_pep440(text: &str) -> bool {
    let order = Order::PyPi;
    match (order.parse(text), order.parse(FIRST_PEP440)) {
        (Ok(version), Ok(first)) => version >= first,
        _ => false,
    }
}

fn is_debian(text: &str) -> bool {
    let upstream = text.split_once(':').map_or(text, |(_, rest)| rest);
    upstream.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+~:-".contains(&byte))
}

/// The grammar of `SemVer` 2.0.0, numbers of any length.
fn is_semver(text: &str) -> bool {
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (core, pre_release) = match text.split_once('-') {
        Some((core, pre_release)) => (core, Some(pre_release)),
        None => (text, None),
    };
    let mut numbers = 0_u8;
    let core = core.split('.').all(|number| {
        numbers = numbers.saturating_add(1);
        is_number(number)
    });
    core && numbers == 3
        && pre_release.is_none_or(|text| {
            text.split('.')
                .all(|part| is_word(part) && (is_number(part) || !is_digits(part)))
        })
        && build.is_none_or(|text| text.split('.').all(is_word))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn bounds_follow_the_registrys_rules() {
        for (ecosystem, text, allowed) in [
            ("crates.io", "1.2.3-rc.1+b", true),
            ("crates.io", "18446744073709551616.0.0", true),
            ("crates.io", "0.0.0-0", true),
            ("crates.io", "1.2", false),
            ("crates.io", "v1.0.0", false),
            ("crates.io", "01.0.0", false),
            ("crates.io", "1.0.0-", false),
            ("Bitnami", "2020.04.23", true),
            ("PyPI", "1!2.0.post1.dev3+local", true),
            ("PyPI", "1.0.dev.x!!", false),
            ("PyPI", "2019-09-12", false),
            ("Debian:12", "1:3.11.2-6+deb12u9", true),
            ("Debian:12", "1.0-1_bad^", false),
            ("Debian:12", "1:latest-1", false),
            ("Ubuntu:24.04:LTS", "unknown", false),
        ] {
            assert_eq!(
                refusal(ecosystem, true, text).is_none(),
                allowed,
                "{ecosystem} {text}"
            );
        }
    }
}
