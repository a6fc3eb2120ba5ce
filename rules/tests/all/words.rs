//! The texts of the shipped rules are plain technical English: no word of a list of bad habits,
//! a title of its own for each rule, messages in lower case and without a final period.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// What a security engineer would not write, with what to write instead.
const HABITS: &[(&str, &str)] = &[
    (r"\b(told|tells?)\b", "reported, reports"),
    (r"\b(is|are) no \w+", "is not a"),
    (r"\bflaws?\b", "vulnerability"),
    (r"\bmend(s|ed)?\b", "fix"),
    (r"\banew\b", "again, re-"),
    (r"\b(everybody|somebody|nobody)\b", "anyone, no one"),
    (r"\b(prove|proves)\b", "validate, verify"),
    (
        r"\blets? .{0,40}\b(in|into|out|through)\b",
        "allows access, is open to",
    ),
    (
        r"\b(key|keys|network) of (your|its|their) own\b",
        "customer-managed key",
    ),
    (r"\bkeys? of the service\b", "AWS-managed key"),
    (r"\bon the way\b", "in transit"),
    (r"\bplain text\b", "plaintext, unencrypted"),
    (r"\bswitched (off|on)\b", "disabled, enabled"),
    (r"\b(stands?|lies?) in\b", "is in, is stored in"),
    (
        r"\banswers? (every|each|all|plain)\b",
        "is open to, accepts",
    ),
    (r"\bwhole internet\b", "internet"),
    (r"\b(every|all) address(es)? may\b", "is open to"),
    (
        r"\b(made|meant) for strangers\b",
        "designed for untrusted networks",
    ),
];

struct Texts {
    path: PathBuf,
    title: String,
    prose: Vec<String>,
    messages: Vec<String>,
}

/// The words of one Markdown file: prose outside of fences, and the messages of the rule.
fn texts(path: PathBuf) -> Texts {
    let file = fs::read_to_string(&path).expect("a rule is text");
    let message = Regex::new(r#"^\s*message\s*=\s*"(.*)"$"#).expect("a constant");
    let mut texts = Texts {
        path,
        title: String::new(),
        prose: Vec::new(),
        messages: Vec::new(),
    };
    let mut fenced = false;
    let mut paragraph = String::new();
    for line in file.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            let found = message.captures(line);
            texts
                .messages
                .extend(found.map(|found| found[1].to_owned()));
        } else if let Some(title) = line.strip_prefix("# ") {
            title.clone_into(&mut texts.title);
        } else if line.is_empty() {
            texts.prose.push(std::mem::take(&mut paragraph));
        } else {
            // Joined, so that a phrase is found across the end of a line.
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    texts.prose.push(paragraph);
    texts
}

fn markdown(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of rules") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            markdown(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

fn all() -> Vec<Texts> {
    let mut paths = Vec::new();
    markdown(Path::new(env!("CARGO_MANIFEST_DIR")), &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "the rules were not found");
    paths.into_iter().map(texts).collect()
}

#[test]
fn no_text_has_a_bad_habit() {
    let habits: Vec<_> = HABITS
        .iter()
        .map(|(habit, better)| (Regex::new(&format!("(?i){habit}")).expect(habit), better))
        .collect();
    let mut wrong = Vec::new();
    for texts in all() {
        let words = texts.prose.iter().chain(&texts.messages);
        for text in words.chain([&texts.title]) {
            // "There is no" is English, "a range is no range" is not.
            let text = text.replace("here is no ", "").replace("here are no ", "");
            for (habit, better) in &habits {
                if let Some(hit) = habit.find(&text) {
                    let (path, hit) = (texts.path.display(), hit.as_str());
                    wrong.push(format!("{path}: {hit:?}, better: {better}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn titles_are_unique_sentences() {
    let mut seen = BTreeMap::new();
    let mut wrong = Vec::new();
    for texts in all() {
        let title = texts.title;
        let upper = title.starts_with(|first: char| first.is_ascii_uppercase());
        if !upper || title.ends_with('.') || title.len() > 80 {
            wrong.push(format!("{}: {title:?}", texts.path.display()));
        }
        // Two rules of one title are titles that do not name their product.
        if let Some(other) = seen.insert(title, texts.path.clone()) {
            let (path, other) = (texts.path.display(), other.display().to_string());
            wrong.push(format!("{path} has the title of {other}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn messages_are_lower_case_without_a_period() {
    let mut wrong = Vec::new();
    for texts in all() {
        for message in texts.messages {
            let mut letters = message.chars();
            let first = letters.next().is_some_and(char::is_uppercase);
            // "TLS" and "IMDSv2" are names, "The" is not.
            if first && letters.next().is_some_and(char::is_lowercase) || message.ends_with('.') {
                wrong.push(format!("{}: {message:?}", texts.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
