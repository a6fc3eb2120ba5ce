//! Rules of users: a directory of rule files (`--rules DIR`, `rules test DIR`). A file counts if the
//! rule in it is right and behaves as its examples say; one that does not hides nothing of the
//! others.

use std::path::Path;

use crate::language::{RuleError, RuleFile, Ruleset};

mod attributes;
mod examples;

/// Adds the rules of a directory tree: every `.md` file but README.md. What is wrong with any of
/// them is what [`test()`] finds, of all files, sorted; nothing is added if there is anything.
pub fn add(ruleset: &mut Ruleset, directory: &Path) -> Result<(), Vec<RuleError>> {
    let (files, errors) = checked(ruleset, directory);
    if !errors.is_empty() {
        return Err(errors);
    }
    ruleset.add(files);
    Ok(())
}

/// Tests the rule files of a directory tree as an addition to a set, and returns the number of rules
/// with everything that is wrong, sorted.
pub fn test(ruleset: &Ruleset, directory: &Path) -> (usize, Vec<RuleError>) {
    let (files, errors) = checked(ruleset, directory);
    (files.len(), errors)
}

/// The rules of a directory tree, and everything that is wrong with its files: those that are no
/// rules, names that are taken, types and attributes that nobody knows, examples that do not behave.
fn checked(ruleset: &Ruleset, directory: &Path) -> (Vec<RuleFile>, Vec<RuleError>) {
    let (files, mut errors) = ruleset.read(directory);
    errors.extend(files.iter().flat_map(examples::test));
    errors.sort();
    errors.dedup();
    (files, errors)
}

/// A rule made of subject blocks alone, and a stack made of one file, for tests.
#[cfg(test)]
pub(crate) fn sample(subjects: &str, configuration: &str) -> (crate::language::Rule, crate::Stack) {
    let text = format!(
        "# T\nWhy.\n```hcl rule\nrule \"t-t-t\" {{\nseverity = \"LOW\"\nsince = \"1\"\n{subjects}\n}}\n```\n"
    );
    let rule = crate::language::file(Path::new("t.md"), "t/t", &text)
        .unwrap()
        .rule;
    let kind = crate::kinds::KINDS[0];
    let evaluation = examples::evaluate_one(kind, configuration, crate::Class::ON_DEMAND.to_vec());
    (rule, evaluation.stacks.into_iter().next().unwrap())
}

#[cfg(test)]
mod tests {
    use super::{add, test};
    use crate::Class;
    use crate::language::Ruleset;

    const RULE: &str = "# T\nWhy.\n```hcl rule\nrule \"x-y-z\" {\n severity = \"LOW\"\n since = \"1\"\n aliases = [\"A-1\"]\n resource \"t\" {\n check {\n condition = coalesce(self.on, false)\n message = \"m\"\n}\n}\n}\n```\n## Fails\n```hcl\nresource \"t\" \"x\" {\n on = false\n}\n```\n## Passes\n```hcl\nresource \"t\" \"x\" {\n on = true\n}\n```\n";

    fn directory(name: &str, text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        folder
    }

    #[test]
    fn examples_are_of_any_kind_of_input() {
        let plan = |on: &str| {
            format!(
                "```json plan\n{{\"format_version\": \"1.2\", \"planned_values\": {{\"root_module\": {{\"resources\": [{{\"address\": \"t.x\", \"mode\": \"managed\", \"type\": \"t\", \"name\": \"x\", \"values\": {{\"on\": {on}}}}}]}}}}}}\n```\n"
            )
        };
        let (head, _) = RULE.split_once("## Fails").unwrap();
        let run = |fails: &str, passes: &str| {
            let text = format!("{head}## Fails\n{fails}## Passes\n{passes}");
            let folder = directory("x-y-z.md", &text);
            let (_, errors) = test(&Ruleset::embedded(), folder.path());
            errors
                .into_iter()
                .map(|error| (error.line, error.message))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(&plan("false"), &plan("true")), []);
        let wrong = run(&plan("true"), &plan("false"));
        assert!(
            wrong.iter().any(|(_, one)| one.contains("should fail")),
            "{wrong:?}"
        );
        assert!(
            wrong.iter().any(|(_, one)| one.contains("should pass")),
            "{wrong:?}"
        );
        let wrong = run(&plan("false"), "```yaml\na: 1\n```\n");
        assert!(wrong[0].1.contains("`hcl` or `json plan`"), "{wrong:?}");
    }

    #[test]
    fn a_class_is_asked_for_by_subjects_and_by_functions() {
        let classes = |subjects: &str| super::sample(subjects, "").0.block.classes();
        let check =
            |text: &str| format!("{{\ncheck {{\ncondition = {text}\nmessage = \"m\"\n}}\n}}");
        let resource = |text: &str| format!("resource \"t\" {}", check(text));
        assert_eq!(classes(&resource("self.a")), []);
        assert_eq!(classes(&resource("all(\"module_x\") == [\"module\"]")), []);
        assert_eq!(classes(&resource("all(\"module\") == []")), [Class::Module]);
        let nested = "[for x in all(\"output.a\") : related(self, \"provider.aws\", \"b\")] == []";
        assert_eq!(classes(&resource(nested)), [Class::Provider, Class::Output]);
        let subject = format!("variable {}", check("self.type == null"));
        assert_eq!(classes(&subject), [Class::Variable]);
        let local = format!("locals {{\nx = all(\"terraform\")\n}}\n{subject}");
        assert_eq!(classes(&local), [Class::Terraform, Class::Variable]);
    }

    #[test]
    fn rules_of_users_are_added_unless_a_name_is_taken() {
        let mut ruleset = Ruleset::embedded();
        let folder = directory("mine.md", RULE);
        add(&mut ruleset, folder.path()).unwrap();
        assert_eq!(&*ruleset.find("A-1").unwrap().id, "x-y-z");
        let errors = add(&mut ruleset, folder.path()).unwrap_err();
        assert!(errors[0].message.contains("already known"), "{errors:?}");
        let folder = directory("other.md", &RULE.replace("A-1", "AWS-0092"));
        assert!(add(&mut Ruleset::embedded(), folder.path()).is_err());
        assert!(add(&mut Ruleset::default(), folder.path()).is_ok());
        // What a test finds is what keeps a scan from using the rules.
        let folder = tempfile::tempdir().unwrap();
        let errors = |expected: &[&str]| {
            let (_, tested) = test(&Ruleset::embedded(), folder.path());
            let added = add(&mut Ruleset::embedded(), folder.path()).unwrap_err();
            assert_eq!(tested, added);
            let all: Vec<String> = tested.iter().map(ToString::to_string).collect();
            assert_eq!(all.len(), expected.len(), "{all:?}");
            for (error, part) in all.iter().zip(expected) {
                assert!(error.contains(part), "{error}");
            }
        };
        errors(&["there is no rule in this folder"]);
        std::fs::write(folder.path().join("a.md"), RULE).unwrap();
        std::fs::write(folder.path().join("b.md"), "# no rule").unwrap();
        std::fs::write(folder.path().join("c.md"), RULE.replace("A-1", "A-2")).unwrap();
        let slip = RULE.replace("x-y-z", "x-y-w").replace("A-1", "A-3");
        let slip = slip.replacen("resource \"t\" {", "resource \"t\" \"tt\" {", 1);
        std::fs::write(folder.path().join("d.md"), slip).unwrap();
        errors(&[
            "b.md:",
            "c.md:4: another rule is already known as x-y-z",
            "`tt`",
        ]);
    }

    #[test]
    fn examples_that_do_not_behave_are_told_with_their_line() {
        let test = |text: &str| test(&Ruleset::embedded(), directory("r.md", text).path());
        assert_eq!(test(RULE), (1, Vec::new()));
        let first = |text: &str| {
            let (_, errors) = test(text);
            let error = errors.into_iter().next().unwrap();
            (error.line, error.message)
        };
        let (line, message) = first(&RULE.replace("on = false", "on = true"));
        assert_eq!(line, 18);
        assert!(message.contains("should fail"), "{message}");
        let (_, errors) = test(&RULE.replace("on = true", "on = var.x"));
        let lines: Vec<u32> = errors.iter().map(|error| error.line).collect();
        assert_eq!(
            lines,
            [24, 25],
            "an undeclared name is the example's own fault"
        );
        let (_, message) = first(&RULE.replace("self.on", "self.onn"));
        assert!(message.contains("onn"), "{message}");
        let (_, message) = first(&RULE.replace("coalesce(self.on, false)", "self.on + 1"));
        assert!(message.contains("the condition fails"), "{message}");
        let (_, message) = first(&RULE.replace("## Passes", "## Fails"));
        assert!(message.contains("`## Passes`"), "{message}");
    }
}
