//! The table of distributions against real records, row by row: what a system says about itself,
//! the packages that it has, and the advisories that must be found for them, no more and no fewer.
//! The records are those of the shared samples.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use db_sync::Db;
use portcullis::inventory::assemble::{Inventory, assemble};
use portcullis::inventory::{Content, Evidence, Need, dispatch};
use portcullis::matching;
use portcullis::prefer::Preference;
use tempfile::TempDir;

use super::cli::run;

fn samples() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).to_owned(),
        PathBuf::from,
    );
    let samples = root.join("advisories/osv-samples");
    if !samples.is_dir() {
        println!("skipped: no shared data");
        return None;
    }
    Some(samples)
}

/// A path and its text.
type File = (&'static str, String);

/// A database of all samples.
fn database() -> Option<&'static Db> {
    static DATABASE: OnceLock<Option<(TempDir, Db)>> = OnceLock::new();
    let made = DATABASE.get_or_init(|| {
        let samples = samples()?;
        let directory = tempfile::tempdir().unwrap();
        let mut folders: Vec<PathBuf> = std::fs::read_dir(samples)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        let mut arguments = vec!["db", "build", "--db", "samples.db"];
        for folder in &folders {
            arguments.extend(["--osv", folder.to_str().unwrap()]);
        }
        let built = run(directory.path(), &arguments);
        assert_eq!(built.code, 0, "{}", built.err);
        let db = Db::open(directory.path().join("samples.db")).unwrap();
        Some((directory, db))
    });
    made.as_ref().map(|(_, db)| db)
}

/// Reads files as an image shows them.
fn inventory(files: &[(&str, String)]) -> Inventory {
    let mut read = Vec::new();
    for (path, text) in files {
        let parsers = dispatch::by_path(path, Evidence::Installed);
        let parser = parsers.first().unwrap_or_else(|| panic!("{path}"));
        let mut stream = text.as_bytes();
        let content = match parser.need {
            Need::Stream => Content::Stream(&mut stream),
            Need::Whole(_) => Content::Whole(text.as_bytes()),
        };
        read.push((Arc::from(*path), dispatch::run(parser, path, content)));
    }
    assemble(read)
}

/// `record package` of all that is found.
fn found(inventory: Inventory, db: &Db) -> Vec<String> {
    let packages: Vec<_> = inventory.packages.into_iter().map(Arc::new).collect();
    let outcome = matching::check(&packages, db, None, &Preference::default()).unwrap();
    let findings = outcome.findings.iter();
    let mut found: Vec<String> = findings
        .map(|finding| match &finding.kind {
            portcullis::model::finding::FindingKind::Vulnerability(found) => {
                format!("{} {}", found.record, found.package.name)
            }
            other => unreachable!("{other:?}"),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// `name version [source [source version]]` a line, as the package database of each kind.
fn dpkg(lines: &str) -> File {
    let stanza = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let source = match words[2..] {
            [source] => format!("Source: {source}\n"),
            [source, version] => format!("Source: {source} ({version})\n"),
            _ => String::new(),
        };
        format!(
            "Package: {}\nStatus: install ok installed\nVersion: {}\n{source}\n",
            words[0], words[1]
        )
    };
    (
        "var/lib/dpkg/status",
        lines.split(", ").map(stanza).collect(),
    )
}

fn apk(lines: &str) -> File {
    let record = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let origin = words.get(2).unwrap_or(&words[0]);
        format!("P:{}\nV:{}\no:{origin}\n\n", words[0], words[1])
    };
    (
        "lib/apk/db/installed",
        lines.split(", ").map(record).collect(),
    )
}

/// `name [epoch:]version-release source` a line.
fn rpm(lines: &str) -> File {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (epoch, version) = words[1].split_once(':').unwrap_or(("0", words[1]));
        let source = words.get(2).unwrap_or(&words[0]);
        let of_source = words.get(3).unwrap_or(&version);
        format!(
            "{}\t{version}\t1\t1\tVendor\t(none)\t1\tx86_64\t{epoch}\t{source}-{of_source}.src.rpm\n",
            words[0]
        )
    };
    (
        "var/lib/rpmmanifest/container-manifest-2",
        lines.split(", ").map(line).collect(),
    )
}

/// An `os-release`, its lines split by bars.
fn release(text: &str) -> File {
    ("etc/os-release", text.replace('|', "\n"))
}

#[test]
fn every_distribution_is_asked_as_its_records_are_written() {
    let Some(db) = database() else { return };
    let rows: Vec<(File, File, &[&str])> = vec![
        (
            release("ID=ubuntu|VERSION_ID=\"22.04\""),
            dpkg(
                "openssh-server 1:8.9p1-3ubuntu0.9 openssh, openssh-client 1:8.9p1-3ubuntu0.10 openssh, dotnet-runtime-8.0 8.0.10-0ubuntu1~22.04.1 dotnet8 8.0.110-8.0.10-0ubuntu1~22.04.1",
            ),
            &["UBUNTU-CVE-2024-6387 openssh-server"],
        ),
        (
            // The second has the fix that only subscribers get.
            release("ID=ubuntu|VERSION_ID=\"18.04\""),
            dpkg("libsqlite3-0 3.22.0-1ubuntu0.7 sqlite3, sqlite3 3.22.0-1ubuntu0.7+esm1"),
            &["USN-6566-2 libsqlite3-0"],
        ),
        (
            release("ID=ubuntu|VERSION_ID=\"22.04\""),
            dpkg("trafficserver 9.1.1+ds-2build1, libnetty-java 1:4.1.48-4 netty"),
            &[
                "UBUNTU-CVE-2020-1944 trafficserver",
                "UBUNTU-CVE-2022-24823 libnetty-java",
            ],
        ),
        (
            release("ID=ubuntu|VERSION_ID=\"25.10\""),
            dpkg("libnetty-java 1:4.1.48-10 netty"),
            &["UBUNTU-CVE-2022-24823 libnetty-java"],
        ),
        (
            release("ID=alpine|VERSION_ID=3.16.2"),
            apk("mariadb-client 10.6.7-r0 mariadb"),
            &["CVE-2022-27449 mariadb-client"],
        ),
        (
            release("ID=alpaquita|VERSION_ID=23"),
            apk("openssh-client 9.1_p1-r3 openssh, openssh-server 9.1_p1-r2 openssh"),
            &["BELL-CVE-2023-25136 openssh-client"],
        ),
        (
            release("ID=alpaquita|VERSION_ID=stream"),
            apk("perl 5.42.0_rc2-r0"),
            &["BELL-CVE-2025-40909 perl"],
        ),
        (
            release("ID=bellsoft-hardened-containers|VERSION_ID=23"),
            apk("xz-libs 5.2.9_p525-r0 xz"),
            &["BELL-CVE-2026-34743 xz-libs"],
        ),
        (
            release("ID=clnstrt|VERSION_ID=1"),
            apk("go-discover 0_git20250325-r0"),
            &["CLEANSTART-2026-ZY59905 go-discover"],
        ),
        (
            release("ID=wolfi|VERSION_ID=\"20230201\""),
            apk("syncthing 2.0.14-r0"),
            &["CGA-xcpc-gm23-prj9 syncthing"],
        ),
        (
            // The record says that the second was never affected, though its source was.
            release("ID=chainguard|VERSION_ID=\"20230214\""),
            apk("syncthing 2.0.14-r0, syncthing-compat 2.0.14-r0 syncthing"),
            &["CGA-xcpc-gm23-prj9 syncthing"],
        ),
        (
            release("ID=minimos|VERSION_ID=\"20241031\""),
            apk(
                "openjdk-19-jre 19.0.2.7-r0 openjdk-19, openjdk-19-unheard-of 19.0.2.7-r0 openjdk-19",
            ),
            &[
                "MINI-2cf5-qxg8-p76v openjdk-19-jre",
                "MINI-2cf5-qxg8-p76v openjdk-19-unheard-of",
            ],
        ),
        (
            release("ID=\"rocky\"|VERSION_ID=\"8.4\""),
            rpm(
                "java-11-openjdk-headless 1:11.0.13.0.8-1.el8_4 java-11-openjdk, kernel-core 4.18.0-553.53.1.el8_9 kernel",
            ),
            &[
                "RLSA-2024:8121 java-11-openjdk-headless",
                "RLSA-2025:8056 kernel-core",
            ],
        ),
        (
            release("ID=\"rhel\"|VERSION_ID=\"9.2\"|CPE_NAME=cpe:/o:redhat:rhel_eus:9.2::baseos")
                .clone(),
            rpm("podman 2:4.4.1-20.el9_2"),
            &["RHSA-2024:8709 podman"],
        ),
        (
            // Without the extended support, its advisories do not hold.
            release("ID=\"rhel\"|VERSION_ID=\"9.2\""),
            rpm("podman 2:4.4.1-20.el9_2"),
            &[],
        ),
        (
            release("ID=\"sles\"|VERSION_ID=\"12.1\""),
            rpm("libqt4-x11 4.8.6-7.0 libqt4, chromium 51.0.2704.103-85.2"),
            &["SUSE-SU-403 libqt4-x11", "openSUSE-SU-2016:1623-1 chromium"],
        ),
        (
            release(
                "ID=\"openEuler\"|VERSION_ID=\"20.03\"|PRETTY_NAME=\"openEuler 20.03 (LTS-SP1)\"",
            ),
            rpm("dnsmasq-help 2.82-4.oe1 dnsmasq"),
            &["OESA-2021-1001 dnsmasq-help"],
        ),
        (
            release("ID=mageia|VERSION_ID=9"),
            rpm("microcode 0.20250211-1.mga9.nonfree"),
            &["MGASA-2025-0124 microcode"],
        ),
        (
            release("ID=echo|VERSION_ID=1"),
            dpkg("linux-libc-dev 1~rc1-1 linux"),
            &["ECHO-0a7a-0942-b7cc linux-libc-dev"],
        ),
        (
            release("ID=debian|VERSION_ID=\"12\""),
            dpkg("rootio-jq 1.6-2.1.root.io.1, rootio-libjq1 1.6-2.1.root.io.1 rootio-jq"),
            &[
                "ROOT-OS-DEBIAN-12-CVE-2025-48060 rootio-jq",
                "ROOT-OS-DEBIAN-12-CVE-2025-48060 rootio-libjq1",
            ],
        ),
        (
            release("ID=ubuntu|VERSION_ID=\"22.04\""),
            dpkg("rootio-patch 2.7.6-7build2"),
            &["ROOT-OS-UBUNTU-2204-CVE-2018-6952 rootio-patch"],
        ),
        (
            release("ID=alpine|VERSION_ID=3.18.4"),
            apk("rootio-libuv 1.44.2-r10071, rootio-wget 1.21.4-r00071"),
            &["ROOT-OS-ALPINE-318-CVE-2024-24806 rootio-libuv"],
        ),
        (
            release("ID=\"almalinux\"|VERSION_ID=\"9.2\""),
            rpm("binutils-devel 2.35.2-37.el9.tuxcare.els0 binutils"),
            &["CLSA-2023-1701293664 binutils-devel"],
        ),
        (
            (
                "etc/centos-release",
                "CentOS release 6.10 (Final)\n".to_owned(),
            ),
            rpm("glibc-common 2.12-1.2126_10.3.cloudlinux.els glibc"),
            &["CLSA-2021-1632262065 glibc-common"],
        ),
        (
            release("ID=photon|VERSION_ID=5.0"),
            rpm("jq 1.8.0-1.ph5"),
            &["PHSA-2025-5.0-0567 jq"],
        ),
    ];
    for (release, packages, expected) in rows {
        let shown = format!("{} {}", release.1, packages.1);
        assert_eq!(
            found(inventory(&[release, packages]), db),
            expected,
            "{shown}"
        );
    }
}

#[test]
fn language_packages_that_a_supplier_rebuilt_are_asked_with_it() {
    let Some(db) = database() else { return };
    let metadata = "Metadata-Version: 2.1\nName: rootio_langgraph_checkpoint\nVersion: 2.1.0\n\n";
    let files = [
        (
            "opt/x/rootio_langgraph_checkpoint-2.1.0.dist-info/METADATA",
            metadata.to_owned(),
        ),
        (
            "opt/node_modules/@rootio/json-schema/package.json",
            r#"{"name": "@rootio/json-schema", "version": "0.2.3-root.io.0"}"#.to_owned(),
        ),
        (
            "opt/node_modules/http-cache-semantics/package.json",
            r#"{"name": "http-cache-semantics", "version": "3.8.1-root.io.1"}"#.to_owned(),
        ),
    ];
    assert_eq!(
        found(inventory(&files), db),
        [
            "ROOT-APP-NPM-CVE-2021-3918 @rootio/json-schema",
            "ROOT-APP-PYPI-CVE-2025-64439 rootio_langgraph_checkpoint"
        ]
    );
}
