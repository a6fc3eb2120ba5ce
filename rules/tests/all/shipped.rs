//! The rules that ship with the binary behave as their own files say.

use std::path::Path;

use rules::language::Ruleset;

#[test]
fn every_example_of_every_rule_behaves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut errors = Vec::new();
    let mut count = 0;
    for folder in ["aws", "azure", "google"] {
        let (rules, wrong) = Ruleset::test(&root.join(folder));
        count += rules;
        errors.extend(wrong.iter().map(ToString::to_string));
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(count, Ruleset::embedded().metadata().len());
}
