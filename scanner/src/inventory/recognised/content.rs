//! Cheap looks at the first bytes of a file, to tell what it is. They go by lines and keys, not
//! by a parser: templates are not YAML yet, and a cut document is no document.

use std::borrow::Cow;

use super::Kind;
use super::table::{files, infrastructure as code};

/// What a YAML or JSON document of any name is.
pub(super) fn document(first: &[u8]) -> Option<&'static Kind> {
    let text = text(first);
    let text = text.as_ref();
    let has = |key: &str| values(text, key).next().is_some();
    let starts = |key: &str, prefixes: &[&str]| {
        values(text, key).any(|value| prefixes.iter().any(|prefix| value.starts_with(prefix)))
    };
    if starts("spdxVersion", &["SPDX-"]) || starts("bomFormat", &["CycloneDX"]) {
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

/// A squashfs image; snapshots of test frameworks have the same extension.
pub(super) fn squashfs(first: &[u8]) -> bool {
    first.starts_with(b"hsqs") || first.starts_with(b"sqsh")
}

/// A zip archive, with entries or without.
pub(super) fn zip(first: &[u8]) -> bool {
    first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06")
}

/// A list of tasks, as Ansible's roles have them.
pub(super) fn list_of_tasks(first: &[u8]) -> bool {
    text(first).lines().any(|line| line.starts_with("- "))
}

/// What `dotnet publish` writes beside a program.
pub(super) fn dotnet_deps(first: &[u8]) -> bool {
    let text = text(first);
    ["runtimeTarget", "libraries", "targets"]
        .iter()
        .any(|key| values(&text, key).next().is_some())
}

/// An installed R package; a source package's file has no `Built:` line.
pub(super) fn r_package(first: &[u8]) -> bool {
    let text = text(first);
    let begins = |start: &str| text.lines().any(|line| line.starts_with(start));
    begins("Package:") && begins("Version:") && begins("Built:")
}

/// A workspace of Go that says which versions all its modules use.
pub(super) fn go_work(first: &[u8]) -> bool {
    let text = text(first);
    let mut words = text.lines().map(|line| line.split_whitespace().next());
    words.any(|word| word == Some("replace") || word == Some("replace("))
}

/// What opam keeps of an installed package.
pub(super) fn opam(first: &[u8]) -> bool {
    text(first)
        .lines()
        .any(|line| line.starts_with("opam-version"))
}

/// An application resource file of Erlang; a bundle of macOS is a directory.
pub(super) fn erlang_application(first: &[u8]) -> bool {
    text(first).contains("{application")
}

/// The text of a document; of UTF-16 the characters that are ASCII.
pub(super) fn text(first: &[u8]) -> Cow<'_, str> {
    if first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]) {
        let ascii = first.iter().filter(|byte| byte.is_ascii() && **byte != 0);
        return ascii
            .map(|byte| char::from(*byte))
            .collect::<String>()
            .into();
    }
    String::from_utf8_lossy(first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first))
}

/// The values of a key, wherever the document has it: at the begin of a line, after a dash, or in
/// braces; of a value the text up to the end of the line, without quotes before it.
pub(super) fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(key).filter_map(move |(at, _)| {
        let before = text.get(..at)?;
        let (before, quote) = match before.strip_suffix(['"', '\'']) {
            Some(inner) => (inner, before.get(inner.len()..)?),
            None => (before, ""),
        };
        let line = before.rsplit(['\n', '\r']).next()?;
        let line = line.trim_end();
        let begins =
            line.ends_with(['{', ',']) || line.bytes().all(|byte| b" \t-?".contains(&byte));
        if !begins {
            return None;
        }
        let after = text.get(at.checked_add(key.len())?..)?;
        let after = after.strip_prefix(quote)?.trim_start_matches([' ', '\t']);
        let value = after.strip_prefix(':')?.lines().next().unwrap_or_default();
        Some(value.trim().trim_start_matches(['"', '\'']))
    })
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
        document(text.as_bytes()).map(|kind| kind.id)
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
        assert_eq!(document(&bytes).unwrap().id, "kubernetes");
    }

    #[test]
    fn installed_r_and_erlang() {
        assert!(r_package(b"Package: a\nVersion: 1\nBuilt: R 4.3\n"));
        assert!(!r_package(b"Package: a\nVersion: 1\n"));
        assert!(erlang_application(b"{application,cowboy,[]}."));
    }
}
