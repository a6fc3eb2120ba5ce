//! Runtimes of languages that were installed without a package manager, as the official images have
//! them: their version, by a file that each installation has. No advisory source knows them as
//! packages, so that they are no packages here; how long their makers support them is what counts.
//! A runtime without that file is not seen. What is damaged in one leaves no release to judge,
//! which is a gap.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::file_name;
use crate::inventory::text::with_lines;
use crate::inventory::{
    Content, Evidence, Facts, Input, Need, ParseError, Parser, Runtime, Want, limits,
};
use crate::model::gap::GapKind;
use crate::model::location::Location;

/// The files of all runtimes.
pub(super) static PARSER: Parser = Parser {
    id: "runtime",
    version: 1,
    wants: &[
        Want::Name(".version"),
        Want::Name("node_version.h"),
        Want::Name("os.py"),
        Want::Name("php_version.h"),
        Want::Name("rbconfig.rb"),
        Want::Name("release"),
    ],
    accepts: Some(|path| file(path).is_some()),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// Where a file has the version.
enum Told<'a> {
    /// In the name of a directory.
    Path(&'static str, &'a str),
    /// In lines that begin like this, one for each part or one for all.
    Lines(&'static str, &'static [&'static str]),
    /// In the properties of a Java runtime.
    Java,
}

/// What a file is, by its path.
fn file(path: &str) -> Option<Told<'_>> {
    let name = file_name(path);
    let directory = path.strip_suffix(name)?.trim_end_matches('/');
    let last = file_name(directory);
    match name {
        // .NET: shared/Microsoft.NETCore.App/8.0.1/.version
        ".version" => {
            let above = directory.strip_suffix(last)?.trim_end_matches('/');
            (file_name(above) == "Microsoft.NETCore.App").then_some(Told::Path("dotnet", last))
        }
        "node_version.h" => last.eq("node").then_some(Told::Lines(
            "node",
            &[
                "#define NODE_MAJOR_VERSION ",
                "#define NODE_MINOR_VERSION ",
                "#define NODE_PATCH_VERSION ",
            ],
        )),
        // The standard library: lib/python3.11/os.py
        "os.py" => {
            let version = last.strip_prefix("python")?;
            let is_version = version.starts_with(|c: char| c.is_ascii_digit());
            (is_version && version.contains('.')).then_some(Told::Path("python", version))
        }
        "php_version.h" => Some(Told::Lines("php", &["#define PHP_VERSION "])),
        "rbconfig.rb" => directory.contains("lib/ruby/").then_some(Told::Lines(
            "ruby",
            &[
                "  CONFIG[\"MAJOR\"] = ",
                "  CONFIG[\"MINOR\"] = ",
                "  CONFIG[\"TEENY\"] = ",
            ],
        )),
        // Many things are called so: only where a JDK lies is it one's.
        "release" => {
            let lower = directory.to_ascii_lowercase();
            let words = ["java", "jdk", "jre", "jvm", "corretto", "temurin", "zulu"];
            words
                .iter()
                .any(|word| lower.contains(word))
                .then_some(Told::Java)
        }
        _ => None,
    }
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let Some(told) = file(path) else {
        return Ok(()); // `accepts` takes no other
    };
    let (name, maker, version, line) = match told {
        Told::Path(name, version) => (name, None, Some(version.to_owned()), None),
        Told::Lines(name, starts) => {
            let (version, line) = parts(path, input.content, starts, facts)?;
            (name, None, version, line)
        }
        Told::Java => {
            let values = ["JAVA_VERSION=", "IMPLEMENTOR="];
            let found = lines(path, input.content, &values, facts)?;
            let [version, maker] = found.as_slice() else {
                return Ok(()); // one for each
            };
            // A file of another kind.
            let Some((version, line)) = version else {
                return Ok(());
            };
            let maker = maker.as_ref().map(|(maker, _)| Arc::from(maker.as_str()));
            // 1.8.0_392 is Java 8.
            let version = version.strip_prefix("1.").unwrap_or(version).to_owned();
            ("java", maker, Some(version), Some(*line))
        }
    };
    let known = version.filter(|version| {
        version.len() <= limits::VERSION_BYTES
            && version.starts_with(|c: char| c.is_ascii_digit())
            && version.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let Some(version) = known else {
        let cause = format!("the version of {} cannot be read", shown(name));
        facts.malformed(path, line, cause);
        return Ok(());
    };
    let location = line.map_or_else(|| Location::file(path), |line| Location::line(path, line));
    facts.runtimes.push(Runtime {
        name: name.into(),
        maker,
        version: version.into(),
        location,
    });
    Ok(())
}

/// The version that lines give, and where it stands.
fn parts(
    path: &str,
    content: Content<'_>,
    starts: &[&str],
    facts: &mut Facts,
) -> Result<(Option<String>, Option<u32>), ParseError> {
    let found = lines(path, content, starts, facts)?;
    let line = found.iter().flatten().map(|(_, line)| *line).min();
    let parts: Option<Vec<&str>> = found
        .iter()
        .map(|one| one.as_ref().map(|(text, _)| text.as_str()))
        .collect();
    Ok((parts.map(|parts| parts.join(".")), line))
}

/// A value without its quotes, and its line.
type Found = Option<(String, u32)>;

/// The first value behind each of these beginnings of lines.
fn lines(
    path: &str,
    content: Content<'_>,
    starts: &[&str],
    facts: &mut Facts,
) -> Result<Vec<Found>, ParseError> {
    let mut found: Vec<Found> = vec![None; starts.len()];
    with_lines(content, |mut lines| {
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(path, Some(line.number), GapKind::Limit, cause);
                continue;
            }
            // Comments may be in any encoding.
            let Some(text) = line.text() else { continue };
            for (start, place) in starts.iter().zip(&mut found) {
                if place.is_none()
                    && let Some(value) = text.strip_prefix(start)
                {
                    let value = value.trim().trim_matches('"');
                    *place = Some((value.to_owned(), line.number));
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::run;

    fn read(path: &str, text: &str) -> Facts {
        run(&PARSER, path, Content::Whole(text.as_bytes()))
    }

    #[test]
    fn versions_by_files_of_the_installation() {
        for (path, text, expected) in [
            (
                "usr/local/include/node/node_version.h",
                "#define NODE_MAJOR_VERSION 18\n#define NODE_MINOR_VERSION 19\n#define NODE_PATCH_VERSION 1\n",
                "node 18.19.1",
            ),
            (
                "usr/local/lib/python3.7/os.py",
                "import abc\n",
                "python 3.7",
            ),
            (
                "usr/local/include/php/main/php_version.h",
                "#define PHP_MAJOR_VERSION 8\n#define PHP_VERSION \"8.1.27\"\n",
                "php 8.1.27",
            ),
            (
                "usr/local/lib/ruby/3.1.0/x86_64-linux/rbconfig.rb",
                "  CONFIG[\"MAJOR\"] = \"3\"\n  CONFIG[\"MINOR\"] = \"1\"\n  CONFIG[\"TEENY\"] = \"4\"\n",
                "ruby 3.1.4",
            ),
            (
                "opt/java/openjdk/release",
                "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"1.8.0_392\"\n",
                "java 8.0_392 Eclipse Adoptium",
            ),
            (
                "usr/share/dotnet/shared/Microsoft.NETCore.App/6.0.25/.version",
                "abcdef\n6.0.25\n",
                "dotnet 6.0.25",
            ),
        ] {
            let facts = read(path, text);
            assert!(facts.gaps.is_empty(), "{path}");
            let one = &facts.runtimes[0];
            let maker = one.maker.as_deref().map(|maker| format!(" {maker}"));
            let found = format!("{} {}{}", one.name, one.version, maker.unwrap_or_default());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_version_that_is_damaged_is_a_gap_and_another_file_is_nothing() {
        for (path, text, gaps) in [
            (
                "usr/local/include/node/node_version.h",
                "#define NODE_MAJOR_VERSION 18\n",
                1,
            ),
            (
                "usr/include/php/main/php_version.h",
                "#define PHP_VERSION dev\n",
                1,
            ),
            ("opt/jdk/release", "NAME=other\n", 0),
        ] {
            let facts = read(path, text);
            assert_eq!(
                (facts.runtimes.len(), facts.gaps.len()),
                (0, gaps),
                "{path}"
            );
        }
        for other in [
            "app/bin/release",
            "srv/os.py",
            "usr/lib/python3/os.py",
            "x/.version",
            "include/v8/node_version.h",
        ] {
            assert!(file(other).is_none(), "{other}");
        }
    }
}
