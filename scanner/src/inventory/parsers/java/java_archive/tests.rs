use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::PARSER;
use crate::inventory::dispatch;
use crate::inventory::{Content, Facts};
use crate::model::gap::{GapClass, GapKind};

fn jar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn read(path: &str, bytes: &[u8]) -> Facts {
    dispatch::run(&PARSER, path, Content::Whole(bytes))
}

fn found(facts: &Facts) -> Vec<String> {
    let packages = facts.packages.iter();
    packages
        .map(|one| format!("{}@{} {}", one.name, one.version, one.locations[0].path))
        .collect()
}

const POM: &[u8] = b"#Generated\r\nversion=1.2\r\ngroupId=org.a\r\nartifactId=b\r\n";

#[test]
fn coordinates_are_read_at_any_depth() {
    let inner = jar(&[("META-INF/maven/org.a/b/pom.properties", POM)]);
    let war = jar(&[
        ("WEB-INF/lib/b-1.2.jar", &inner),
        ("WEB-INF/web.xml", b"<web-app/>"),
    ]);
    let ear = jar(&[("shop.war", &war)]);
    let facts = read("app/all.ear", &ear);
    assert_eq!(
        found(&facts),
        ["org.a:b@1.2 app/all.ear!/shop.war!/WEB-INF/lib/b-1.2.jar"]
    );
    assert_eq!(facts.gaps, []);
    // What is shaded is there as well, and none of it twice.
    let other = String::from_utf8_lossy(POM).replace("=b", "=c");
    let shaded = jar(&[
        ("META-INF/maven/org.a/b/pom.properties", POM),
        ("META-INF/maven/org.a/c/pom.properties", other.as_bytes()),
        ("classes/META-INF/maven/org.a/b/pom.properties", POM),
    ]);
    let facts = read("x.jar", &shaded);
    assert_eq!(found(&facts), ["org.a:b@1.2 x.jar", "org.a:c@1.2 x.jar"]);
}

#[test]
fn the_manifest_knows_where_the_version_of_a_file_name_begins() {
    let name = "lib/log4j-1.2-api-2.17.1.jar";
    for (manifest, expected) in [
        (
            &b"Bundle-Version: 2.17.1\r\n"[..],
            "log4j-1.2-api@2.17.1 lib/log4j-1.2-api-2.17.1.jar",
        ),
        // Without it, the first number counts.
        (
            b"Bundle-Version: 2\r\n",
            "log4j@1.2-api-2.17.1 lib/log4j-1.2-api-2.17.1.jar",
        ),
    ] {
        let bytes = jar(&[("META-INF/MANIFEST.MF", manifest), ("org/A.class", b"")]);
        assert_eq!(found(&read(name, &bytes)), [expected]);
    }
}

#[test]
fn names_and_manifests_are_guesses_that_are_said() {
    let manifest = b"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.postgresql.jdbc\r\n 42;singleton:=true\r\nImplementation-Vendor-Id: org.postgresql\r\nImplementation-Version: 42.2.5\r\n\r\nName: x\r\nImplementation-Version: 9\r\n";
    let bytes = jar(&[
        ("META-INF/MANIFEST.MF", manifest),
        ("org/postgresql/core/A.class", b""),
        ("org/postgresql/util/B.class", b""),
    ]);
    let facts = read("lib/postgresql-42.2.5.jar", &bytes);
    assert_eq!(
        found(&facts),
        ["postgresql@42.2.5 lib/postgresql-42.2.5.jar"]
    );
    let asked: Vec<&str> = facts.packages[0]
        .candidates
        .iter()
        .map(|name| &**name)
        .collect();
    assert!(asked.contains(&"org.postgresql:postgresql"), "{asked:?}");
    assert!(facts.gaps[0].cause.contains("guess"));
    // Without a version in the file name, the manifest has one.
    let facts = read("lib/postgresql.jar", &bytes);
    assert_eq!(found(&facts), ["postgresql@42.2.5 lib/postgresql.jar"]);
    let plain = jar(&[("a/b/C.class", b"")]);
    let facts = read("lib/app.jar", &plain);
    assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1));
    let facts = read("lib/app-1.0.jar", &plain);
    assert_eq!(&*facts.packages[0].candidates[0], "a.b:app");
    // A jar that holds nothing of its own says nothing.
    let empty = jar(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\n")]);
    assert_eq!(read("lib/starter.jar", &empty), Facts::default());
}

#[test]
fn what_is_broken_loses_nothing_else() {
    let inner = jar(&[("META-INF/maven/org.a/b/pom.properties", POM)]);
    let outer = jar(&[
        ("lib/broken.jar", &inner[..inner.len() - 30]),
        ("META-INF/maven/org.a/c/pom.properties", b"version=1\n"),
        ("lib/b.jar", &inner),
    ]);
    let facts = read("x.war", &outer);
    assert_eq!(found(&facts), ["org.a:b@1.2 x.war!/lib/b.jar"]);
    let gaps: Vec<_> = facts
        .gaps
        .iter()
        .map(|gap| (&*gap.location.path, gap.class))
        .collect();
    assert_eq!(
        gaps,
        [
            ("x.war!/lib/broken.jar", GapClass::Unjudged),
            (
                "x.war!/META-INF/maven/org.a/c/pom.properties",
                GapClass::Unjudged
            ),
        ]
    );
    let facts = read("x.jar", b"this is not a zip file\n");
    assert!(facts.gaps[0].cause.contains("not a zip archive"));
    assert_eq!(read("x.par", b"something else"), Facts::default());
    let mut deep = inner;
    for _ in 0..10 {
        deep = jar(&[("a.jar", &deep)]);
    }
    let facts = read("x.jar", &deep);
    assert!(
        facts.gaps[0].cause.contains("within each other"),
        "{:?}",
        facts.gaps
    );
}

#[test]
fn large_properties_and_bombs_are_limits() {
    let large = vec![b'#'; 65 << 10];
    let bomb = jar(&[("x", &vec![0; 8 << 20])]);
    let bytes = jar(&[
        ("META-INF/maven/org.a/b/pom.properties", &large),
        ("lib/c.jar", &vec![0; 4 << 20]),
        ("lib/d.jar", &bomb),
    ]);
    let facts = read("x.jar", &bytes);
    assert_eq!(found(&facts), Vec::<String>::new());
    let limits = facts.gaps.iter().filter(|gap| gap.kind == GapKind::Limit);
    assert_eq!(limits.count(), 2, "{:?}", facts.gaps);
}
