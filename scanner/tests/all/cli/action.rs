//! The GitHub action: what its steps say, and what its script does with a program that stands in
//! for ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::repository;

/// The scripts of the steps, by name.
fn scripts() -> Vec<(String, String)> {
    let text = fs::read_to_string(repository().join("action.yml")).unwrap();
    let steps = text.split("\n    - name: ").skip(1);
    let scripts = steps.filter_map(|step| {
        let name = step.lines().next()?.to_owned();
        let (_, script) = step.split_once("\n      run: |\n")?;
        let lines = script
            .lines()
            .map_while(|line| line.strip_prefix("        "));
        let lines: Vec<&str> = lines.collect();
        Some((name, lines.join("\n") + "\n"))
    });
    scripts.collect()
}

#[test]
fn no_input_reaches_the_shell_as_text_and_cargo_runs_at_home() {
    let scripts = scripts();
    assert_eq!(scripts.len(), 2);
    for (name, script) in &scripts {
        assert!(!script.contains("${{"), "{name}: {script}");
        let cargo = script.find("cargo ");
        let home = script.find("cd -- \"$GITHUB_ACTION_PATH\"\n");
        assert!(cargo.is_none() || home < cargo && home.is_some(), "{name}");
    }
}

/// Runs the scan step; what the program was called with, the exit code, and the step's outputs.
fn scan(directory: &Path, program: &str, inputs: &[(&str, &str)]) -> (String, i32, String) {
    let binary = directory.join("temp/portcullis/bin/portcullis");
    fs::create_dir_all(binary.parent().unwrap()).unwrap();
    let called = "printf '%s\\n' \"$@\" > called\n";
    fs::write(&binary, format!("#!/bin/sh\n{called}{program}\n")).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let scripts = scripts();
    let (_, script) = scripts.iter().find(|(name, _)| name == "Scan").unwrap();
    let output = directory.join("output");
    fs::write(&output, "").unwrap();
    let defaults = [
        ("TARGETS", "."),
        ("FAIL_ON", "high"),
        ("FAIL_ON_KEV", "false"),
        ("FAIL_ON_EPSS", ""),
        ("DB", "a.db"),
        ("DB_DIGEST", ""),
        ("MAX_AGE", "7"),
        ("ON_STALE", "warn"),
        ("VEX", ""),
        ("OPTIONS", ""),
        ("STRICT", "false"),
        ("SARIF", "p.sarif"),
    ];
    #[expect(
        clippy::disallowed_methods,
        reason = "a test starts the script it tests"
    )]
    let status = std::process::Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(directory)
        .env("RUNNER_TEMP", directory.join("temp"))
        .env("GITHUB_OUTPUT", &output)
        .envs(defaults)
        .envs(inputs.iter().copied())
        .status()
        .unwrap();
    (
        fs::read_to_string(directory.join("called")).unwrap_or_default(),
        status.code().unwrap(),
        fs::read_to_string(output).unwrap(),
    )
}

#[test]
fn inputs_are_words_and_the_exit_code_is_kept() {
    let directory = TempDir::new().unwrap();
    let hostile = "$(touch pwned) `touch pwned`; touch pwned";
    let inputs = [
        ("TARGETS", ".\nbuild/image one.tar\n"),
        ("DB", hostile),
        ("VEX", "a.json\n\n-b.json"),
        ("OPTIONS", "--ignore-unfixed\n--only\nvuln"),
        ("STRICT", "true"),
    ];
    let (called, code, output) = scan(directory.path(), "exit 1", &inputs);
    assert_eq!(code, 1);
    assert_eq!(output, "");
    assert!(!directory.path().join("pwned").exists());
    let words: Vec<_> = called.lines().collect();
    let database = format!("--db={hostile}");
    let expected = [
        "scan",
        "--fail-on=high",
        &database,
        "--report=sarif=p.sarif",
        "--max-age=7",
        "--on-stale=warn",
        "--strict",
        "--vex=a.json",
        "--vex=-b.json",
        "--ignore-unfixed",
        "--only",
        "vuln",
        "--",
        ".",
        "build/image one.tar",
    ];
    assert_eq!(words, expected);
    assert_eq!(scan(directory.path(), "exit 0", &[("STRICT", "$x")]).1, 2);
}

#[test]
fn only_a_report_of_this_run_is_uploaded() {
    let directory = TempDir::new().unwrap();
    let report = directory.path().join("p.sarif");
    fs::write(&report, "of a pull request").unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH;
    let file = fs::File::options().write(true).open(&report).unwrap();
    file.set_modified(old).unwrap();
    let (_, code, output) = scan(directory.path(), "exit 2", &[]);
    assert_eq!((code, output.as_str()), (2, ""));
    let program = "sleep 0.05; echo > p.sarif; exit 1";
    let (_, code, output) = scan(directory.path(), program, &[]);
    assert_eq!((code, output.as_str()), (1, "written=true\n"));
}
