//! The version that a Go program was given by the linker: `-ldflags "-X main.version=1.2.3"` sets a variable
//! when a program is built from a checkout, whose own version nobody knows otherwise. Go keeps the flags
//! in the list of modules, unless paths were trimmed.

/// Names of variables that hold the version of a program, in lower case.
const VARIABLES: [&str; 7] = [
    "version",
    "gitversion",
    "buildversion",
    "appversion",
    "releaseversion",
    "semver",
    "currentversion",
];

/// The version of a program of this module in the list of modules, as Go writes versions; `None` where
/// no flag sets one, or several say different things.
pub(super) fn version(list: &str, module: &str) -> Option<String> {
    let flags = list
        .lines()
        .find_map(|line| line.strip_prefix("build\t-ldflags="))?;
    // A value with blanks is quoted once more.
    let plain = flags.replace(['"', '\'', '\\', '`'], " ");
    let mut words = plain.split_whitespace();
    let mut own: Vec<String> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word {
            "-X" | "--X" => words.next(),
            _ => word.strip_prefix("-X="),
        };
        let Some((variable, value)) = setting.and_then(|setting| setting.split_once('=')) else {
            continue;
        };
        let Some((package, name)) = variable.rsplit_once('.') else {
            continue;
        };
        let is_version = VARIABLES.contains(&name.to_ascii_lowercase().as_str());
        let Some(value) = number(value).filter(|_| is_version) else {
            continue;
        };
        // A library that prints the version of its program has a variable for it, too.
        let is_own = package == "main" || package.starts_with(module);
        let found = if is_own { &mut own } else { &mut others };
        if !found.contains(&value) {
            found.push(value);
        }
    }
    let found = if own.is_empty() { others } else { own };
    match found.as_slice() {
        [version] => Some(version.clone()),
        _ => None,
    }
}

/// A version of three numbers, with `v` in front.
fn number(value: &str) -> Option<String> {
    let version = value.strip_prefix('v').unwrap_or(value);
    let core = version.split(['-', '+']).next().unwrap_or(version);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let is_changed = version.ends_with("dirty");
    let fits = core.split('.').count() == 3
        && core.split('.').all(is_number)
        && version.bytes().all(known)
        && !is_changed;
    fits.then(|| format!("v{version}"))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn flags_of_the_linker_give_versions() {
        for (flags, expected) in [
            ("\"-s -w -X main.version=1.2.3\"", Some("v1.2.3")),
            (
                "\"-X 'main.Version=v1.2.3-rc.1' -X main.commit=abc\"",
                Some("v1.2.3-rc.1"),
            ),
            ("-X=example.com/a/build.gitVersion=1.2.3", Some("v1.2.3")),
            (
                "\"-X \\\"example.com/lib/version.Version=2.0.0\\\"\"",
                Some("v2.0.0"),
            ),
            (
                "\"-X main.version=1.0.0 -X example.com/lib/version.Version=2.0.0\"",
                Some("v1.0.0"),
            ),
            ("\"-X main.version=1.0.0 -X main.appVersion=2.0.0\"", None),
            ("\"-X main.version=1.2.3-dirty\"", None),
            ("\"-X main.version=dev -X main.date=1.2.3\"", None),
            ("\"-s -w\"", None),
        ] {
            let list = format!("path\texample.com/a\nbuild\t-ldflags={flags}\n");
            assert_eq!(
                version(&list, "example.com/a").as_deref(),
                expected,
                "{flags}"
            );
        }
    }
}
