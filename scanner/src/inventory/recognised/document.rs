//! What a YAML or JSON document of any name is, by its first bytes.

use super::FileKind;
use super::content::{text, values};
use super::table::{files, infrastructure as code};

/// What a YAML or JSON document of any name is.
pub(super) fn kind(first: &[u8]) -> Option<&'static FileKind> {
    let text = text(first);
    let text = text.as_ref();
    let has = |key: &str| values(text, key).next().is_some();
    let starts = |key: &str, prefixes: &[&str]| {
        values(text, key).any(|value| prefixes.iter().any(|prefix| value.starts_with(prefix)))
    };
    if starts("spdxVersion", &["SPDX-"])
        || starts("bomFormat", &["CycloneDX"])
        || starts("@context", &["https://spdx.org/rdf/3"])
    {
        return Some(&files::SBOM_JSON);
    }
    if has("planned_values") && (has("terraform_version") || has("format_version")) {
        return Some(&code::TERRAFORM_PLAN);
    }
    let schema = |value: &str| {
        value
            .to_ascii_lowercase()
            .contains("deploymenttemplate.json")
    };
    if values(text, "$schema").any(schema) {
        return Some(&code::ARM);
    }
    let resources = has("Resources") && starts("Type", &["AWS::", "Alexa::", "Custom::"]);
    if has("AWSTemplateFormatVersion") || resources || starts("Transform", &["AWS::"]) {
        return Some(&code::CLOUDFORMATION);
    }
    if has("apiVersion") && has("kind") {
        return Some(&code::KUBERNETES);
    }
    if starts("openapi", &["3"]) || starts("swagger", &["2", "1"]) {
        return Some(&code::OPENAPI);
    }
    if has("resources") && values(text, "type").any(is_google_type) {
        return Some(&code::DEPLOYMENT_MANAGER);
    }
    if is_playbook(text) {
        return Some(&code::ANSIBLE);
    }
    if is_compose(text) {
        return Some(&code::COMPOSE);
    }
    None
}

/// A play has hosts, and a playbook is a list of plays or of imports of other playbooks.
fn is_playbook(text: &str) -> bool {
    let list = text.lines().any(|line| line.starts_with("- "));
    let has = |key: &str| values(text, key).next().is_some();
    let tasks = has("tasks") || has("roles") || has("pre_tasks") || has("gather_facts");
    list && (has("import_playbook")
        || has("ansible.builtin.import_playbook")
        || has("hosts") && tasks)
}

/// Services at the top, each of an image or a build.
fn is_compose(text: &str) -> bool {
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_end() != "services:");
    lines.next();
    let mut inside = lines.filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    let mapping = inside
        .next()
        .is_some_and(|line| line.starts_with(' ') && line.trim_end().ends_with(':'));
    mapping
        && inside
            .take_while(|line| line.starts_with(' '))
            .any(|line| line.trim().starts_with("image:") || line.trim().starts_with("build:"))
}

/// `compute.v1.instance`, `storage.v1.bucket`.
fn is_google_type(value: &str) -> bool {
    let mut parts = value.trim_end_matches(['"', '\'', ',']).split('.');
    let version = parts.nth(1).unwrap_or_default();
    let number = version.strip_prefix('v').unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit()) && parts.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Option<&'static str> {
        kind(text.as_bytes()).map(|kind| kind.id)
    }

    #[test]
    fn documents_say_what_they_are() {
        for (text, expected) in [
            ("apiVersion: v1\nkind: Pod\n", Some("kubernetes")),
            (
                "{{- if x }}\napiVersion: v1\r\nkind: Pod\r\n",
                Some("kubernetes"),
            ),
            (
                "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}",
                Some("kubernetes"),
            ),
            ("{apiVersion: v1, kind: Pod}", Some("kubernetes")),
            (
                "\u{feff}'apiVersion' : v1\n\"kind\": Pod\n",
                Some("kubernetes"),
            ),
            ("\"kind\": \"Pod\"", None),
            ("text: the kind: of apiVersion: 1\n", None),
            (
                "AWSTemplateFormatVersion: '2010-09-09'\n",
                Some("cloudformation"),
            ),
            (
                "Resources:\n  A:\n    Type: 'AWS::S3::Bucket'\n",
                Some("cloudformation"),
            ),
            ("Resources:\n  A:\n    Type: x\n", None),
            ("- hosts: all\n  tasks: []\n", Some("ansible")),
            (
                "---\n- name: x\n  hosts: all\n  roles: [a]\n",
                Some("ansible"),
            ),
            ("- import_playbook: other.yml\n", Some("ansible")),
            (
                "services:\n  web:\n    image: nginx\n",
                Some("compose-other-name"),
            ),
            ("services:\n  - docker\nimage: x\n", None),
            ("openapi: 3.0.1\n", Some("openapi")),
            ("{\"bomFormat\": \"CycloneDX\"}", Some("sbom-other-name")),
            (
                "{\n \"spdxVersion\": \"SPDX-2.3\"}",
                Some("sbom-other-name"),
            ),
            (
                "{\"@context\": \"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\", \"@graph\": []}",
                Some("sbom-other-name"),
            ),
            ("{\"properties\": {\"spdxVersion\": {}}}", None),
            (
                "{\"format_version\":\"1.2\",\"planned_values\":{}}",
                Some("terraform-plan"),
            ),
            (
                "{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\"}",
                Some("azure-resource-manager"),
            ),
            (
                "resources:\n- name: a\n  type: compute.v1.instance\n",
                Some("deployment-manager"),
            ),
            ("a: 1\nb: [kind]\n", None),
            ("", None),
        ] {
            assert_eq!(id(text), expected, "{text}");
        }
    }

    #[test]
    fn utf_16_is_text_too() {
        let mut bytes = vec![0xff, 0xfe];
        for unit in "apiVersion: v1\nkind: Pod\n".encode_utf16() {
            bytes.extend(unit.to_le_bytes());
        }
        assert_eq!(kind(&bytes).unwrap().id, "kubernetes");
    }
}
