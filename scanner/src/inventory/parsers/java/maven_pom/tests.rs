use std::collections::BTreeMap;
use std::io;

use super::PARSER;
use super::model::MAX_PARENTS;
use crate::inventory::dispatch::run_beside;
use crate::inventory::{Beside, Content, Facts};
use crate::model::gap::GapKind;

/// Files of a tree, by their paths relative to that of the project.
#[derive(Default)]
struct Tree(BTreeMap<String, String>);

impl Beside for Tree {
    fn read(&self, name: &str, _: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(name).map(|text| text.clone().into_bytes()))
    }
}

fn read(own: &str, files: &[(&str, &str)]) -> Facts {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let content = Content::Whole(own.as_bytes());
    run_beside(&PARSER, "a/b/pom.xml", content, &Tree(files.collect()))
}

fn found(facts: &Facts) -> Vec<String> {
    let packages = facts.packages.iter();
    packages
        .map(|one| format!("{}@{}", one.name, one.version))
        .collect()
}

fn dependency(artifact: &str, more: &str) -> String {
    format!(
        "<dependency><groupId>g</groupId><artifactId>{artifact}</artifactId>{more}</dependency>"
    )
}

const PARENT: &str = "<parent><groupId>p</groupId><artifactId>parent</artifactId>\
                      <version>1</version></parent>";

#[test]
fn parents_in_the_tree_give_properties_and_versions() {
    let own = format!(
        "<project>{PARENT}<properties><x>2</x></properties><dependencies>{}{}{}{}</dependencies></project>",
        dependency("a", "<version>${x}</version>"),
        dependency("b", "<version>${y}</version>"),
        dependency("c", ""),
        dependency(
            "d",
            "<version>${project.version}.${project.parent.version}</version>"
        ),
    );
    let parent = "<project><parent><groupId>p</groupId><artifactId>top</artifactId><version>0</version>\
         <relativePath>../top</relativePath></parent><artifactId>parent</artifactId>\
         <properties><x>1</x><y>${z}</y></properties></project>";
    let top = format!(
        "<project><groupId>p</groupId><artifactId>top</artifactId><properties><z>3</z></properties>\
         <dependencyManagement><dependencies>{}</dependencies></dependencyManagement></project>",
        dependency("c", "<version>${x}.${y}</version><scope>test</scope>")
    );
    let files = [("../pom.xml", parent), ("../../top/pom.xml", top.as_str())];
    let facts = read(&own, &files);
    assert_eq!(found(&facts), ["g:a@2", "g:b@3", "g:c@2.3", "g:d@1.1"]);
    assert_eq!(
        facts.packages[2].scope,
        Some(crate::model::package::Scope::Dev)
    );
    let kinds: Vec<_> = facts.gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::NoLockfile]);
    // Of another name, it is not the parent.
    let other = parent.replace("<artifactId>parent", "<artifactId>other");
    let facts = read(&own, &[("../pom.xml", &other)]);
    assert_eq!(found(&facts), ["g:a@2", "g:d@1.1"]);
    assert!(
        facts
            .gaps
            .iter()
            .any(|gap| gap.cause.contains("the parent p:parent:1 adds"))
    );
}

#[test]
fn what_is_not_known_is_a_gap() {
    for (more, kind) in [
        ("<version>${nowhere}</version>", GapKind::UnknownVersion),
        ("<version>${a}</version>", GapKind::UnknownVersion),
        ("<version>[1,2)</version>", GapKind::Unpinned),
        ("<version>LATEST</version>", GapKind::Unpinned),
        ("", GapKind::UnknownVersion),
        (
            "<version>1</version><version>2</version>",
            GapKind::Ambiguous,
        ),
        ("<version>1</version><scop>test</scop>", GapKind::Malformed),
        (
            "<version>1</version><scope>tests</scope>",
            GapKind::Malformed,
        ),
    ] {
        let own = format!(
            "<project><properties><a>${{b}}</a><b>${{a}}</b></properties><dependencies>{}</dependencies></project>",
            dependency("x", more)
        );
        let facts = read(&own, &[]);
        assert_eq!(facts.gaps.first().map(|gap| gap.kind), Some(kind), "{more}");
    }
    let exact = dependency("x", "<version>[1.2]</version>");
    let exact = format!("<project><dependencies>{exact}</dependencies></project>");
    assert_eq!(found(&read(&exact, &[])), ["g:x@1.2"]);
}

#[test]
fn parents_without_an_end_end() {
    let project = format!(
        "<project>{}<artifactId>parent</artifactId></project>",
        PARENT.replace("</parent>", "<relativePath>pom.xml</relativePath></parent>")
    );
    let facts = read(&project, &[("pom.xml", &project)]);
    let cause = format!("more than {MAX_PARENTS} parents");
    assert!(facts.gaps.iter().any(|gap| gap.cause.contains(&cause)));
}
