//! The options of one line, taken apart as pip does it: words as a shell makes them, then options
//! as `optparse` reads them (values joined or apart, long names cut short).

/// An option that a requirements file may hold: its letter, its name, whether it has a value.
type Known = (Option<char>, &'static str, bool);

/// Those of pip 9 to 26. What is not here makes pip refuse the file.
const KNOWN: [Known; 31] = [
    (Some('C'), "config-settings", true),
    (None, "config-setting", true),
    (None, "all-releases", true),
    (None, "allow-external", true),
    (None, "allow-unverified", true),
    (Some('Z'), "always-unzip", false),
    (Some('c'), "constraint", true),
    (Some('e'), "editable", true),
    (None, "extra-index-url", true),
    (Some('f'), "find-links", true),
    (None, "global-option", true),
    (None, "hash", true),
    (Some('i'), "index-url", true),
    (None, "install-option", true),
    (None, "no-allow-external", false),
    (None, "no-allow-insecure", false),
    (None, "no-binary", true),
    (None, "no-index", false),
    (None, "no-use-wheel", false),
    (None, "only-binary", true),
    (None, "only-final", true),
    (None, "pre", false),
    (None, "prefer-binary", false),
    (None, "process-dependency-links", false),
    (None, "pypi-url", true),
    (None, "require-hashes", false),
    (Some('r'), "requirement", true),
    (None, "trusted-host", true),
    (None, "uploaded-prior-to", true),
    (None, "use-feature", true),
    (None, "use-wheel", false),
];

/// What matters of the options of one line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Values of `-r`.
    pub(super) requirements: Vec<String>,
    /// Values of `-c`.
    pub(super) constraints: Vec<String>,
    /// Values of `-e`.
    pub(super) editables: Vec<String>,
    /// Values of `--hash`.
    pub(super) hashes: Vec<String>,
    /// Words that belong to no option.
    pub(super) others: Vec<String>,
}

/// Splits a line into its requirement and its options, which begin at the first word with a dash;
/// only a blank parts these words.
pub(super) fn split(line: &str) -> (&str, &str) {
    if line.starts_with('-') {
        return ("", line);
    }
    match line.find(" -") {
        Some(at) => {
            let (requirement, options) = line.split_at_checked(at).unwrap_or((line, ""));
            (requirement, options.trim_start_matches(' '))
        }
        None => (line, ""),
    }
}

/// Reads the options of a line; the error says why pip refuses them.
pub(super) fn parse(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words(text)?.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            options.others.extend(words);
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let (_, name, has_value) = by_name(name)?;
            let value = match (has_value, value) {
                (true, Some(value)) => value,
                (true, None) => words.next().ok_or_else(|| lacks_value(name))?,
                (false, None) => continue,
                (false, Some(_)) => return Err(format!("the option --{name} takes no value")),
            };
            options.take(name, value);
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                let known = KNOWN.iter().find(|known| known.0 == Some(letter));
                let (_, name, has_value) =
                    known.ok_or_else(|| format!("the option -{letter} is not known"))?;
                if *has_value {
                    let joined = Some(rest.as_str().to_owned()).filter(|text| !text.is_empty());
                    let value = joined.or_else(|| words.next());
                    options.take(name, value.ok_or_else(|| lacks_value(name))?);
                    break;
                }
            }
        } else {
            options.others.push(word);
        }
    }
    Ok(options)
}

fn lacks_value(name: &str) -> String {
    format!("the option --{name} has no value")
}

/// The option of a long name, which may be cut short as long as it stays clear.
fn by_name(name: &str) -> Result<Known, String> {
    if let Some(known) = KNOWN.iter().find(|known| known.1 == name) {
        return Ok(*known);
    }
    let mut fitting = KNOWN.iter().filter(|known| known.1.starts_with(name));
    match (fitting.next(), fitting.next()) {
        (Some(known), None) if !name.is_empty() => Ok(*known),
        (Some(_), Some(_)) => Err(format!("the option --{name} is ambiguous")),
        _ => Err(format!(
            "the option --{} is not known",
            crate::inventory::collect::shown(name)
        )),
    }
}

impl Options {
    fn take(&mut self, name: &str, value: String) {
        match name {
            "requirement" => self.requirements.push(value),
            "constraint" => self.constraints.push(value),
            "editable" => self.editables.push(value),
            "hash" => self.hashes.push(value),
            _ => {}
        }
    }
}

/// Words as `shlex.split` makes them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        None => return Err("a quotation mark is not closed".to_owned()),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => match characters.next() {
                            None => return Err("a quotation mark is not closed".to_owned()),
                            Some(quoted @ ('"' | '\\')) => word.push(quoted),
                            Some(other) => word.extend(['\\', other]),
                        },
                        Some(inside) => word.push(inside),
                    }
                }
            }
            '\\' => {
                let next = characters.next();
                let next = next.ok_or_else(|| "nothing follows a backslash".to_owned())?;
                word.get_or_insert_default().push(next);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_in_many_ways() {
        for text in [
            "-r base.in",
            "-rbase.in",
            "-r\tbase.in",
            "--requirement base.in",
            "--requirement=base.in",
            "--requirement\t\"base.in\"",
            "--requirem 'base'.in",
            "-Zr base.in",
            "--pre -i https://x.example/simple -r base.in",
        ] {
            assert_eq!(parse(text).unwrap().requirements, ["base.in"], "{text}");
        }
        let options = parse(r#"-c "a b.txt" -e .\[x] -r a -r b c --hash=sha256:0"#).unwrap();
        assert_eq!(options.constraints, ["a b.txt"]);
        assert_eq!(options.editables, [".[x]"]);
        assert_eq!(options.requirements, ["a", "b"]);
        assert_eq!(options.others, ["c"]);
    }

    #[test]
    fn what_pip_refuses_is_an_error() {
        for text in [
            "-r",
            "--requirement",
            "-x",
            "--unknown",
            "--require x",
            "--pre=1",
            "-r 'a",
            "-r a\\",
            "--=x",
            "-Zx",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("-").unwrap().others, ["-"]);
        assert_eq!(parse("-- -r x").unwrap().others, ["-r", "x"]);
    }

    #[test]
    fn options_begin_at_a_blank_and_a_dash() {
        assert_eq!(split("a==1 -C b=c"), ("a==1", "-C b=c"));
        assert_eq!(split("a==1  --hash=x"), ("a==1 ", "--hash=x"));
        assert_eq!(split("a-b==1"), ("a-b==1", ""));
        assert_eq!(split("-r\tx"), ("", "-r\tx"));
        assert_eq!(split("a==1\t--hash=x"), ("a==1\t--hash=x", ""));
    }
}
