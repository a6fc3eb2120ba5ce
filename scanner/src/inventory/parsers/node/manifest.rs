//! `package.json` beside a lockfile that does not say itself what the project asks for, and for
//! what. Without it, or where it cannot be read, that stays unknown, which counts as needed to run:
//! its own faults lose no package and need no gap.

use std::collections::BTreeMap;

use crate::inventory::Beside;
use crate::model::package::Scope;
use document::Node;

/// Most bytes of a manifest.
const MOST: u64 = 4 << 20;

/// A stronger reason replaces a weaker one, as npm and Yarn install.
const TABLES: [(&str, Scope); 4] = [
    ("peerDependencies", Scope::Peer),
    ("devDependencies", Scope::Dev),
    ("dependencies", Scope::Runtime),
    ("optionalDependencies", Scope::Optional),
];

/// What the project depends on: by name, the range that it asks for, and what for.
pub(super) type Dependencies = BTreeMap<String, (String, Scope)>;

/// What the manifest beside a lockfile asks for; `None` where it is not there or not readable, or
/// speaks for a part of the project only, being the root of a workspace.
pub(super) fn beside(beside: &dyn Beside) -> Option<Dependencies> {
    let bytes = beside.read("package.json", MOST).ok()??;
    let document = document::json(std::str::from_utf8(&bytes).ok()?).ok()?;
    if !document.is_table() || document.get("workspaces").is_some() {
        return None;
    }
    let mut all = Dependencies::new();
    for (table, scope) in TABLES {
        for item in document.get(table).map(Node::entries).unwrap_or_default() {
            let range = item.node.scalar()?;
            all.insert(item.key.to_string(), (range.to_owned(), scope));
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::analyzer::Content;
    use crate::inventory::dispatch::{by_id, run_beside};

    struct Manifest(&'static str);

    impl Beside for Manifest {
        fn read(&self, name: &str, _: u64) -> io::Result<Option<Vec<u8>>> {
            assert_eq!(name, "package.json");
            Ok(Some(self.0.into()))
        }
    }

    fn told(lock: &str, manifest: &'static str) -> Vec<(String, Option<bool>, Option<Scope>)> {
        let parser = by_id("yarn-lock").unwrap();
        let content = Content::Whole(lock.as_bytes());
        let facts = run_beside(parser, "yarn.lock", content, &Manifest(manifest));
        let packages = facts.packages.iter();
        packages
            .map(|one| {
                (
                    format!("{}@{}", one.name, one.version),
                    one.direct,
                    one.scope,
                )
            })
            .collect()
    }

    const CLASSIC: &str = "a@^1:\n  version \"1.1.0\"\n  dependencies:\n    c \"*\"\n\
        a@^2:\n  version \"2.0.0\"\n\nb@*:\n  version \"1.0.0\"\n  dependencies:\n    a \"^2\"\n\
        c@*:\n  version \"3.0.0\"\n";

    #[test]
    fn what_is_asked_for_is_direct_and_its_dependencies_are_for_the_same() {
        let manifest = r#"{"dependencies":{"a":"^1"},"devDependencies":{"b":"*","a":"^2"}}"#;
        assert_eq!(
            told(CLASSIC, manifest),
            [
                ("a@1.1.0".to_owned(), Some(true), Some(Scope::Runtime)),
                ("a@2.0.0".to_owned(), Some(false), Some(Scope::Dev)),
                ("b@1.0.0".to_owned(), Some(true), Some(Scope::Dev)),
                ("c@3.0.0".to_owned(), Some(false), Some(Scope::Runtime)),
            ]
        );
        let berry = "__metadata:\n  version: 6\n\n\"a@npm:^1\":\n  version: 1.1.0\n  resolution: \"a@npm:1.1.0\"\n";
        let (a, direct, scope) = told(berry, manifest).remove(0);
        assert_eq!(
            (&*a, direct, scope),
            ("a@1.1.0", Some(true), Some(Scope::Runtime))
        );
    }

    #[test]
    fn what_speaks_for_a_part_only_or_cannot_be_read_says_nothing() {
        for manifest in [
            "",
            "[]",
            r#"{"dependencies":{"b":"*"},"workspaces":["packages/*"]}"#,
            r#"{"dependencies":{"b":{}}}"#,
        ] {
            let all = told(CLASSIC, manifest);
            assert!(
                all.iter().all(|(_, _, scope)| scope.is_none()),
                "{manifest}"
            );
        }
    }
}
