//! Scores the whole way from files to findings on the cases of `hcl-eval`, as its `score-eval`
//! does: expected findings by address and place, forbidden findings, diagnostics.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use rules::check::{self, Verdict};
use rules::files::{DirEntry, Files};
use rules::input::Options;
use rules::language::Ruleset;
use rules::terraform::{self};
use serde_json::Value as Json;

/// Cases that were right when this test was written; fewer is a regression. The one that is not
/// is about suppression by comments, which is not this crate's.
const RIGHT: usize = 104;

pub(crate) struct Folder(pub(crate) PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.0.join(path))? {
            let entry = entry?;
            found.push(DirEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_dir: entry.file_type()?.is_dir(),
            });
        }
        found.sort();
        Ok(found)
    }
}

pub(crate) fn directories(files: &Folder, at: &str, found: &mut Vec<String>) {
    let entries = files.list(at).unwrap_or_default();
    if entries.iter().any(|e| is_terraform(&e.name)) {
        found.push(at.to_owned());
    }
    let folders = entries
        .iter()
        .filter(|e| e.is_dir && !e.name.starts_with('.'));
    for entry in folders {
        let below = if at.is_empty() {
            entry.name.clone()
        } else {
            format!("{at}/{}", entry.name)
        };
        directories(files, &below, found);
    }
}

fn is_terraform(name: &str) -> bool {
    let extension = |name: &str| Path::new(name).extension().map(ToOwned::to_owned);
    match extension(name) {
        Some(last) if last == "tf" => true,
        Some(last) if last == "json" => {
            extension(name.trim_end_matches(".json")).is_some_and(|e| e == "tf")
        }
        _ => false,
    }
}

struct Finding {
    concept: String,
    resource: String,
    file: String,
    line: u64,
}

#[test]
fn cases_of_hcl_eval_are_judged_right() {
    let corpus = crate::examples::shared().join("iac-corpus");
    if !corpus.is_dir() {
        println!("skipped: no shared data");
        return;
    }
    let ruleset = Ruleset::embedded();
    let text = std::fs::read_to_string(corpus.join("concepts.json")).unwrap();
    let concepts: BTreeMap<String, Json> = serde_json::from_str(&text).unwrap();
    let mut by_rule: BTreeMap<String, String> = BTreeMap::new();
    for (concept, about) in &concepts {
        let id = about["trivy_check"].as_str().unwrap();
        let rule = ruleset
            .find(id)
            .unwrap_or_else(|| panic!("no rule for {id}"));
        by_rule.insert(rule.id.to_string(), concept.clone());
    }
    let mut cases: Vec<PathBuf> = std::fs::read_dir(corpus.join("hcl-eval"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.json").is_file())
        .collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in &cases {
        let faults = judge(&ruleset, &by_rule, case);
        if !faults.is_empty() {
            let name = case.file_name().unwrap().to_string_lossy();
            wrong.push(format!("{name}: {}", faults.join("; ")));
        }
    }
    let right = cases.len() - wrong.len();
    println!("{right} of {} right\n{}", cases.len(), wrong.join("\n"));
    assert!(right >= RIGHT, "{}", wrong.join("\n"));
}

fn judge(ruleset: &Ruleset, by_rule: &BTreeMap<String, String>, case: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(case.join("expected.json")).unwrap();
    let expected: Json = serde_json::from_str(&text).unwrap();
    let files = Folder(case.to_owned());
    let mut options = Options::default();
    for (name, value) in expected["env"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap().to_owned();
        if name == "TF_WORKSPACE" {
            options.workspace = Some(value);
            continue;
        }
        let name = name.strip_prefix("TF_VAR_").unwrap_or(name);
        options.environment.insert(name.to_owned(), value);
    }
    let mut found = Vec::new();
    directories(&files, "", &mut found);
    let evaluation = terraform::evaluate(&files, &found, &options);
    let mut findings: Vec<Finding> = Vec::new();
    let mut output = String::new();
    for stack in &evaluation.stacks {
        let (outcomes, _) = check::run(ruleset, stack);
        writeln!(output, "{outcomes:?}").unwrap();
        for outcome in outcomes {
            if let (Verdict::Fail { span, .. }, Some(concept)) =
                (&outcome.verdict, by_rule.get(&*outcome.rule))
            {
                findings.push(Finding {
                    concept: concept.clone(),
                    resource: outcome.resource.to_string(),
                    file: span.file.to_string(),
                    line: span.start_line.into(),
                });
            }
        }
    }
    let mut faults = Vec::new();
    let list = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    let names = |item: &Json, others: &str| -> Vec<String> {
        let more = item[others].as_array().cloned().unwrap_or_default();
        let all = std::iter::once(item["resource"].clone()).chain(more);
        all.filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    };
    for item in list("expect") {
        let concept = item["rule_concept"].as_str().unwrap();
        let accepted = names(&item, "also_accept");
        let hits: Vec<&Finding> = findings
            .iter()
            .filter(|f| f.concept == concept && accepted.contains(&f.resource))
            .collect();
        let lines = item["line"].as_u64().unwrap_or(0)..=item["end_line"].as_u64().unwrap_or(0);
        let free = !item["any_file"].is_null() || !item["also_accept"].is_null();
        if hits.is_empty() {
            faults.push(format!("missed {concept} {}", accepted.join(" or ")));
        } else if !free
            && !hits
                .iter()
                .any(|f| Some(f.file.as_str()) == item["file"].as_str() && lines.contains(&f.line))
        {
            faults.push(format!("wrong place {concept} {}", accepted.join(" or ")));
        }
    }
    for item in list("must_not") {
        let concept = item["rule_concept"].as_str().unwrap();
        let barred = names(&item, "nor");
        if findings
            .iter()
            .any(|f| f.concept == concept && barred.contains(&f.resource))
        {
            faults.push(format!("false {concept} {}", barred.join(" or ")));
        }
    }
    for item in list("diagnostics") {
        let problems = serde_json::to_value(&evaluation.problems).unwrap();
        let told = problems
            .as_array()
            .into_iter()
            .flatten()
            .any(|p| p["kind"] == item["kind"] && p["severity"] == item["severity"]);
        if !told {
            faults.push(format!("no diagnostic {}", item["kind"]));
        }
    }
    for secret in list("must_not_output") {
        if output.contains(secret.as_str().unwrap()) {
            faults.push("printed a sensitive value".to_owned());
        }
    }
    faults
}
