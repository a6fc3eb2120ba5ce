//! What an image says of itself beside its layers: its names, the instructions that made its layers,
//! and the image that it was built on. All of it is foreign text that nothing verifies: it is shown,
//! bounded, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::digest::shorten_to;
use super::limits;

/// The image that another one was built on, by its annotations or labels
/// (`org.opencontainers.image.base.*` of the OCI image-spec, annotations.md).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseName {
    /// Its reference.
    pub name: Option<String>,
    /// The digest of its manifest.
    pub digest: Option<String>,
}

/// Where layouts and archives keep the name of an image.
const NAMES: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// The names that the annotations of a descriptor give an image.
pub(super) fn annotated<'a>(
    annotation: impl Fn(&str) -> Option<&'a str>,
) -> impl Iterator<Item = &'a str> {
    NAMES.into_iter().filter_map(annotation)
}

/// Adds a name. One that no engine would take for a reference is left out: a path, above all, has no
/// place in a report, and the image is scanned whatever it is called.
pub(super) fn add_name(names: &mut BTreeSet<String>, name: &str) {
    let is_reference = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= limits::IMAGE_NAME_BYTES
        && !name.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    if is_reference && names.len() < limits::IMAGE_NAMES {
        names.insert(name.to_owned());
    }
}

/// The base that annotations name.
pub(super) fn base(annotations: Option<&BTreeMap<String, String>>) -> Option<BaseName> {
    let annotations = annotations?;
    of_base(|key| annotations.get(key).map(String::as_str))
}

fn of_base<'a>(get: impl Fn(&'static str) -> Option<&'a str>) -> Option<BaseName> {
    let text = |key| {
        let mut names = BTreeSet::new();
        add_name(&mut names, get(key)?);
        names.pop_first()
    };
    let found = BaseName {
        name: text("org.opencontainers.image.base.name"),
        digest: text("org.opencontainers.image.base.digest"),
    };
    (found != BaseName::default()).then_some(found)
}

/// What a config says beside its platform and layers.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// For each layer, where the history has an entry for each.
    pub(super) instructions: Vec<Option<Arc<str>>>,
    /// By its labels.
    pub(super) base: Option<BaseName>,
}

impl Config {
    /// Of the `history` and the `config` of a config with so many layers. A history that does not fit
    /// the layers says nothing of any of them.
    pub(super) fn read(history: &Value, config: &Value, layers: usize) -> Self {
        let entries = history.as_array().map_or(&[][..], Vec::as_slice);
        let of_layers = entries
            .iter()
            .filter(|entry| entry.get("empty_layer").and_then(Value::as_bool) != Some(true));
        let instructions: Vec<Option<Arc<str>>> = of_layers
            .take(limits::LAYERS.saturating_add(1))
            .map(|entry| entry.get("created_by")?.as_str().and_then(instruction))
            .collect();
        let labels = config.get("Labels");
        Self {
            instructions: if instructions.len() == layers {
                instructions
            } else {
                Vec::new()
            },
            base: of_base(|key| labels?.get(key)?.as_str()),
        }
    }
}

/// An instruction as it is shown: on one line, without the values of build arguments, which the old
/// builder writes in front of a command (`|1 TOKEN=… /bin/sh -c make`) and which may be secrets.
fn instruction(text: &str) -> Option<Arc<str>> {
    let text = text.trim();
    let text = if text.starts_with('|') {
        let shell = ["/bin/sh -c", "/bin/bash -"];
        let command = shell.iter().filter_map(|shell| text.rfind(shell)).min();
        let command = command.and_then(|at| text.get(at..));
        command.unwrap_or("RUN (with build arguments)")
    } else {
        text
    };
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    let line = crate::credentials::without(&line);
    (!line.is_empty()).then(|| shorten_to(&line, limits::INSTRUCTION_CHARS).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_references_and_few() {
        let mut names = BTreeSet::new();
        for name in [
            "nginx:1.27",
            "/srv/secret/image",
            "a b",
            "x\u{1b}[2J",
            "",
            "../up",
            "C:\\images",
            &"x".repeat(limits::IMAGE_NAME_BYTES + 1),
        ] {
            add_name(&mut names, name);
        }
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["nginx:1.27"]);
        let mut many = BTreeSet::new();
        for number in 0..limits::IMAGE_NAMES + 5 {
            add_name(&mut many, &format!("app:{number}"));
        }
        assert_eq!(many.len(), limits::IMAGE_NAMES);
    }

    #[test]
    fn instructions_belong_to_layers_and_tell_no_arguments() {
        let history = json!([
            {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
            {"created_by": "ENV A=b", "empty_layer": true},
            {"created_by": "|1 TOKEN=s3cret /bin/sh -c apt-get\tinstall x"},
            {"created_by": "RUN curl https://me:pw@example.org/x"},
            {},
        ]);
        let read = |layers| Config::read(&history, &json!({}), layers).instructions;
        let shown: Vec<String> = read(4)
            .into_iter()
            .map(|one| one.unwrap_or_default().to_string())
            .collect();
        assert_eq!(
            shown,
            [
                "/bin/sh -c #(nop) ADD file:1 in /",
                "/bin/sh -c apt-get install x",
                "RUN curl https://example.org/x",
                "",
            ]
        );
        assert!(read(3).is_empty() && read(5).is_empty());
        assert!(
            Config::read(&json!("x"), &json!(7), 0)
                .instructions
                .is_empty()
        );
        assert_eq!(
            instruction("|2 A=1 B=2 make").as_deref(),
            Some("RUN (with build arguments)")
        );
        let long = "x".repeat(5000);
        let shown = instruction(&long).unwrap();
        assert_eq!(shown.chars().count(), limits::INSTRUCTION_CHARS + 1);
    }

    #[test]
    fn the_base_is_named_by_annotations_or_labels() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let labels = json!({"Labels": {
            "org.opencontainers.image.base.name": "docker.io/library/debian:12",
            "org.opencontainers.image.base.digest": digest,
        }});
        let found = Config::read(&Value::Null, &labels, 0).base.unwrap();
        assert_eq!(found.name.as_deref(), Some("docker.io/library/debian:12"));
        assert_eq!(found.digest, Some(digest));
        let odd = json!({"Labels": {"org.opencontainers.image.base.name": "/etc"}});
        assert_eq!(Config::read(&Value::Null, &odd, 0).base, None);
    }
}
