//! Compiles the rules in the folders of providers beside it (`aws/`, `google/` …) into static data. A malformed rule, an
//! unknown function or a name used twice fails the build with file and line. The parser is the
//! one that reads users' rules at run time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "src/language/asked.rs"]
mod asked;
#[path = "src/language/markdown.rs"]
#[expect(dead_code, reason = "examples are run by tests, not by the build")]
mod markdown;
#[path = "src/language/names.rs"]
mod names;
#[path = "src/language/selector.rs"]
#[expect(dead_code, reason = "nothing is selected here")]
mod selector;
#[path = "src/language/syntax.rs"]
mod syntax;

/// Folders of the crate that hold no rules.
const OWN: [&str; 5] = ["src", "tests", "examples", "benches", "target"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    // A folder of a provider is one with rules in it; the crate's own folders and crates below it
    // have none.
    println!("cargo::rerun-if-changed=.");
    for entry in fs::read_dir(".")? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_own = name.is_none_or(|name| OWN.contains(&name) || name.starts_with('.'))
            || path.join("Cargo.toml").is_file();
        if path.is_dir() && !is_own {
            let folder = path.strip_prefix(".").unwrap_or(&path);
            collect(folder, &mut files)?;
        }
    }
    files.sort();
    let mut out = String::from("pub(super) static RULES: &[Embedded] = &[\n");
    let mut owners: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut failed = false;
    for file in &files {
        if let Err((line, message)) = compile(file, &mut owners, &mut out) {
            println!("cargo::error={}:{line}: {message}", file.display());
            failed = true;
        }
    }
    out.push_str("];\n");
    if failed {
        return Err(io::Error::other("a rule cannot be compiled"));
    }
    let target = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&target).join("rules.rs"), out)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

fn compile(
    file: &Path,
    owners: &mut BTreeMap<String, PathBuf>,
    out: &mut String,
) -> Result<(), (u32, String)> {
    let text = fs::read_to_string(file).map_err(|error| (1, error.to_string()))?;
    let document = markdown::split(&text)?;
    let rule = syntax::parse(&document.rule, document.rule_line)?;
    if file.file_stem().is_none_or(|stem| stem != rule.id.as_str()) {
        return Err((
            document.rule_line,
            "the file is named after the rule's id".into(),
        ));
    }
    let folder = file.parent().unwrap_or(file);
    let category = folder.to_string_lossy().replace('\\', "/");
    let prefix = category.replace('/', "-");
    if !rule.id.starts_with(&format!("{prefix}-")) {
        let message = format!("a rule in {category} has an id that begins with {prefix}-");
        return Err((document.rule_line, message));
    }
    for name in rule.aliases.iter().chain([&rule.id]) {
        if let Some(other) = owners.insert(name.clone(), file.to_owned()) {
            let message = format!("{name} is already the name of {}", other.display());
            return Err((document.rule_line, message));
        }
    }
    let mut subjects = Vec::new();
    for selector in rule.subjects.iter().flat_map(|subject| &subject.selectors) {
        let key = selector.key();
        if !subjects.contains(&key) {
            subjects.push(key);
        }
    }
    let classes = asked::classes(&rule);
    let classes: Vec<&str> = classes.into_iter().collect();
    let controls: Vec<String> = rule
        .controls
        .iter()
        .map(|(name, ids)| format!("({name:?}, &{ids:?})"))
        .collect();
    writeln!(
        out,
        "Embedded {{ id: {:?}, title: {:?}, severity: {:?}, since: {:?}, category: {category:?}, \
         aliases: &{:?}, controls: &[{}], subjects: &{subjects:?}, classes: &{classes:?}, help: {:?}, source: {:?}, \
         line: {} }},",
        rule.id,
        document.title,
        rule.severity,
        rule.since,
        rule.aliases,
        controls.join(", "),
        document.help,
        document.rule,
        document.rule_line,
    )
    .map_err(|error| (1, error.to_string()))
}
