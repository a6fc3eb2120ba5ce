//! `gradle.lockfile` and `buildscript-gradle.lockfile` of Gradle (docs.gradle.org, "Locking
//! versions"): a line `group:artifact:version=configuration,…` for every module, and `empty=` for
//! configurations without any. Before Gradle 7 there was a file for each configuration in
//! `gradle/dependency-locks/`, whose lines have no configurations.

use std::sync::Arc;

use super::coordinates::{package, split};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::file_name;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::package::Scope;

/// Any name that ends so: builds may set the file of a project.
pub(crate) static PARSER: Parser = Parser {
    id: "gradle-lockfile",
    wants: &[Want::Extension(".lockfile")],
    parse,
    ..Parser::LOCKFILE
};

/// The folder of files of single configurations.
const SINGLE: &str = "dependency-locks";

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let name = file_name(input.path);
    let folder = input.path.rsplit('/').nth(1);
    let single = (folder == Some(SINGLE)).then(|| name.trim_end_matches(".lockfile"));
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let content = text.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let (module, configurations) = match (content.split_once('='), single) {
            (Some((module, configurations)), _) => (module, configurations),
            (None, Some(single)) => (content, single),
            (None, None) => {
                let cause = format!("{:?} names no configuration", shown(content));
                facts.malformed(&path, Some(line), cause);
                (content, "")
            }
        };
        let mut names = configurations.split(',').map(str::trim);
        if names.any(|name| name.contains(['=', ':', ' '])) {
            let cause = format!("{:?} are no configurations", shown(configurations));
            facts.malformed(&path, Some(line), cause);
        }
        if module == "empty" {
            continue; // configurations that hold nothing
        }
        let Some(parts) = split(module).filter(|_| module.split(':').count() == 3) else {
            let cause = format!("{:?} is not a module with its version", shown(module));
            facts.malformed(&path, Some(line), cause);
            continue;
        };
        if let Some(mut package) = package(&path, line, parts, facts) {
            package.scope = scope(configurations);
            facts.add(package);
        }
    }
    Ok(())
}

/// What a module is needed for, where the names of configurations tell. Builds give names freely,
/// plug-ins add more: those of Gradle's own plug-ins, and of Kotlin's and Android's, are known.
fn scope(configurations: &str) -> Option<Scope> {
    let mut names = configurations
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let first = kind(names.next()?);
    names
        .map(kind)
        .fold(first, |one, other| match (one, other) {
            (Some(Scope::Runtime), _) | (_, Some(Scope::Runtime)) => Some(Scope::Runtime),
            (Some(one), Some(other)) => Some(one.min(other)),
            _ => None,
        })
}

fn kind(name: &str) -> Option<Scope> {
    const TOOLS: [&str; 8] = [
        "checkstyle",
        "classpath",
        "codenarc",
        "detekt",
        "jacocoAgent",
        "jacocoAnt",
        "ktlint",
        "pmd",
    ];
    const PROCESSORS: [&str; 4] = ["nnotationProcessor", "kapt", "ksp", "kotlinCompiler"];
    if name.starts_with("test") || name.contains("Test") {
        Some(Scope::Dev)
    } else if TOOLS.contains(&name) || PROCESSORS.iter().any(|word| name.contains(word)) {
        Some(Scope::Build)
    } else if name.ends_with("untimeClasspath") {
        Some(Scope::Runtime)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_tell_what_a_module_is_for() {
        for (text, expected) in [
            (
                "runtimeClasspath,testRuntimeClasspath",
                Some(Scope::Runtime),
            ),
            (
                "compileClasspath,productionRuntimeClasspath",
                Some(Scope::Runtime),
            ),
            (
                "testCompileClasspath,debugUnitTestRuntimeClasspath",
                Some(Scope::Dev),
            ),
            (
                "annotationProcessor,testAnnotationProcessor",
                Some(Scope::Build),
            ),
            ("classpath", Some(Scope::Build)),
            ("compileClasspath", None),
            ("testCompileClasspath,somebodysOwn", None),
            ("", None),
        ] {
            assert_eq!(scope(text), expected, "{text}");
        }
    }
}
