//! The JSON contract against its published schema.

use portcullis::model::coverage::SkipRule;
use portcullis::model::gap::{GapClass, GapKind, GapSeverity, Stage};
use portcullis::model::report::Report;
use portcullis::output::Format;
use serde_json::{Value, json};

use super::{document, sample, schema, written};

fn published() -> Value {
    serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap()
}

#[test]
fn reports_obey_the_schema() {
    let schema = published();
    for report in [
        sample::report(),
        Report {
            date: "2026-03-01".to_owned(),
            ..Report::default()
        },
    ] {
        assert_eq!(
            schema::check(&schema, &document(Format::Json, &report)),
            [""; 0]
        );
    }
}

#[test]
fn the_checker_refuses() {
    let mut broken = document(Format::Json, &sample::report());
    broken["findings"][0]["severity"] = json!("high");
    broken["gaps"][0]["kind"] = json!("whatever");
    broken["verdict"]["code"] = json!(1);
    broken["targets"][0]["coverage"]["files"]["skipped"] = json!({"whim": -1});
    broken["packages"][0]
        .as_object_mut()
        .unwrap()
        .remove("purl");
    assert_eq!(schema::check(&published(), &broken).len(), 6);
}

/// The words that serde knows, from its own message about a word that it does not know.
fn words<T: serde::de::DeserializeOwned>() -> Vec<String> {
    let error = serde_json::from_str::<T>("\"?\"")
        .err()
        .unwrap()
        .to_string();
    let list = error.split_once("expected ").unwrap().1;
    let mut words: Vec<String> = list
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

fn listed(name: &str) -> Vec<String> {
    let mut words: Vec<String> = published()["$defs"][name]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect();
    words.sort();
    words
}

#[test]
fn closed_lists_are_those_of_the_code() {
    assert_eq!(listed("gapKind"), words::<GapKind>());
    assert_eq!(listed("gapSeverity"), words::<GapSeverity>());
    assert_eq!(listed("gapClass"), words::<GapClass>());
    assert_eq!(listed("skipRule"), words::<SkipRule>());
    assert_eq!(listed("stage"), words::<Stage>());
    assert_eq!(
        listed("severity"),
        words::<portcullis::model::finding::Severity>()
    );
}

#[test]
fn findings_have_the_promised_fields() {
    let report = document(Format::Json, &sample::report());
    let finding = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["installed_version"] == "0.3.0")
        .unwrap();
    assert_eq!(finding["target"], ".");
    assert_eq!(finding["kind"], "vulnerability");
    assert_eq!(finding["fixed_version"], "0.4.1");
    assert_eq!(finding["fixed_versions"], json!(["0.4.1", "0.5.0"]));
    assert_eq!(
        finding["location"],
        json!({"path": "Cargo.lock", "start_line": 7, "end_line": 7})
    );
    assert_eq!(finding["score"], 9.8);
    assert_eq!(
        finding["epss"],
        json!({"score": 0.94999, "percentile": 0.999, "cve": "CVE-2026-1000", "date": "2026-02-19"})
    );
    assert_eq!(
        finding["kev"],
        json!({"cve": "CVE-2026-1000", "date_added": "2026-01-10", "ransomware": true})
    );
    assert_eq!(report["database"]["feeds"][1]["name"], "KEV");
    assert_eq!(report["gaps"][1]["start_line"], 3);
    assert_eq!(report["packages"][4]["locations"][0]["layer"]["index"], 0);
    assert_eq!(
        report["packages"][4]["purl"],
        "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12"
    );
    assert_eq!(
        report["targets"][1]["distribution"],
        "Debian GNU/Linux 12 (bookworm)"
    );
    assert_eq!(report["verdict"]["complete"], false);
}

#[test]
fn hostile_text_is_kept_as_a_value_and_harmless_as_bytes() {
    let text = written(Format::Json, &sample::report());
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']));
    let report = document(Format::Json, &sample::report());
    assert_eq!(report["packages"][3]["name"], sample::NASTY);
}
