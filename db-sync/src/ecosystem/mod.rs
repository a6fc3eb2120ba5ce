//! Ecosystems and package types, each in one table that compiling, matching and inventory share; and
//! how each spells package names. Nothing is refused by the list of names: an unknown ecosystem is stored
//! under its own name and matches only itself.

use std::borrow::Cow;

mod order;
mod package_type;
pub(crate) mod table;

pub use self::order::order;
pub use self::package_type::{Namespace, PackageType, PurlName};
pub use self::table::NameForm;

/// The ecosystems that the OSV schema and its publishers name, without suffix, sorted: to tell a
/// name from a slip of the pen.
pub fn names() -> impl Iterator<Item = &'static str> {
    table::ALL.iter().map(|row| row.name)
}

/// The ecosystem without its release suffix: `Debian` of `Debian:12`.
pub fn base(ecosystem: &str) -> &str {
    ecosystem
        .split_once(':')
        .map_or(ecosystem, |(base, _)| base)
}

/// The ecosystem, without suffixes, that a supplier rebuilds packages of: `npm`
/// of `Root:npm`; of others the ecosystem itself.
pub fn origin(ecosystem: &str) -> &str {
    match ecosystem.split_once(':') {
        Some(("Root" | "TuxCare" | "Echo" | "Docker Hardened Images", rest)) => base(rest),
        _ => base(ecosystem),
    }
}

/// The form of a package name under which it is looked up.
///
/// `PyPI` names follow PEP 503; registries that ignore case are lower-cased
/// (`NuGet`, Packagist, GitHub Actions); `SwiftURL` drops the scheme and
/// `.git`. All others, Go module paths among them, are exact. Rebuilt packages
/// are named as those that they were built from (`Root:PyPI`).
pub fn normalise_name<'a>(ecosystem: &str, name: &'a str) -> Cow<'a, str> {
    let form = table::find(origin(ecosystem)).map_or(NameForm::Exact, |row| row.names);
    form.apply(name)
}

impl NameForm {
    /// A name in this form.
    pub fn apply(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => Cow::Borrowed(name),
            Self::Lower => lower(name),
            Self::Pep503 => pep503(name),
            Self::Address => swift(name),
        }
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_uppercase) {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// PEP 503: lower case, and each run of `-`, `_` and `.` is one `-`.
fn pep503(name: &str) -> Cow<'_, str> {
    let clean =
        name.bytes()
            .zip(name.bytes().skip(1).chain([b'a']))
            .all(|(byte, next)| match byte {
                b'-' => next != b'-',
                b'_' | b'.' => false,
                _ => byte.is_ascii() && !byte.is_ascii_uppercase(),
            });
    if clean {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut in_run = false;
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !in_run {
                out.push('-');
            }
            in_run = true;
        } else {
            out.extend(character.to_lowercase());
            in_run = false;
        }
    }
    Cow::Owned(out)
}

fn swift(name: &str) -> Cow<'_, str> {
    let short = name
        .strip_prefix("https://")
        .or_else(|| name.strip_prefix("http://"))
        .unwrap_or(name);
    lower(short.strip_suffix(".git").unwrap_or(short))
}

/// The module build that an rpm release names (`8.5.0` of
/// `6.module_el8.5.0+94+18674043`), or `None` for an ordinary package.
///
/// Module builds and ordinary builds of one package number their releases
/// independently, so they must not be compared with each other.
pub fn module_build(version: &str) -> Option<&str> {
    // The build is cut out at ASCII characters.
    module_build_bytes(version.as_bytes()).and_then(|build| std::str::from_utf8(build).ok())
}

/// [`module_build`] of text that is not known to be UTF-8.
pub(crate) fn module_build_bytes(version: &[u8]) -> Option<&[u8]> {
    let mut rest = version;
    loop {
        let dot = rest.iter().position(|byte| *byte == b'.')?;
        rest = rest.get(dot.checked_add(1)?..)?;
        let build = rest
            .strip_prefix(b"module_el")
            .or_else(|| rest.strip_prefix(b"module+el"));
        if let Some(build) = build {
            return build.split(|byte| *byte == b'+').next();
        }
    }
}

/// Whether rpm module builds exist in this ecosystem.
pub(crate) fn has_modules(ecosystem: &str) -> bool {
    matches!(base(ecosystem), "AlmaLinux" | "Rocky Linux" | "Red Hat")
}

#[cfg(test)]
mod tests {
    use super::{base, module_build, normalise_name};

    #[test]
    fn names_follow_their_registry() {
        for (ecosystem, name, normal) in [
            ("PyPI", "Flask_SQL--Alchemy.x", "flask-sql-alchemy-x"),
            ("PyPI", "requests", "requests"),
            ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
            (
                "Go",
                "github.com/Masterminds/goutils",
                "github.com/Masterminds/goutils",
            ),
            (
                "SwiftURL",
                "https://github.com/Vapor/vapor.git",
                "github.com/vapor/vapor",
            ),
            ("Debian:12", "libX11", "libX11"),
            ("Root:PyPI", "rootio_langGraph", "rootio-langgraph"),
            ("Root:Debian:12", "rootio-libX11", "rootio-libX11"),
        ] {
            assert_eq!(normalise_name(ecosystem, name), normal);
        }
        assert_eq!(base("Debian:12"), "Debian");
    }

    #[test]
    fn module_builds_are_recognised() {
        assert_eq!(
            module_build("2.0.7.1-6.module_el8.5.0+94+18674043"),
            Some("8.5.0")
        );
        assert_eq!(module_build("1:12.22-1.module+el8.4.0+1+a"), Some("8.4.0"));
        assert_eq!(module_build("1.2.3-4.el8_5"), None);
    }
}
