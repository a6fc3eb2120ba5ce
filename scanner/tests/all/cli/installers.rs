//! Package managers and installers of whole images: what is installed through layers, which list
//! counts where two say the same, and the gap where no advisories exist.

use std::collections::BTreeSet;

use serde_json::Value;
use tempfile::TempDir;

use super::run;
use crate::support::image::{docker_archive, tar};

type File<'a> = (&'a str, &'a [u8]);

/// The report of an image of these layers.
fn report(layers: &[&[File<'_>]]) -> Value {
    let directory = TempDir::new().unwrap();
    let layers: Vec<_> = layers.iter().map(|files| tar(files)).collect();
    std::fs::write(directory.path().join("image.tar"), docker_archive(&layers)).unwrap();
    let told = run(
        directory.path(),
        &[
            "scan",
            "image.tar",
            "--format",
            "json",
            "--date",
            "2026-08-22",
        ],
    );
    serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{}", told.err))
}

/// `type name version layer path` of all packages.
fn packages(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = report["packages"].as_array().unwrap().iter();
    packages
        .flat_map(|package| {
            let places = package["locations"].as_array().unwrap().iter();
            places.map(move |place| {
                format!(
                    "{} {} {} {} {}",
                    text(&package["type"]),
                    text(&package["name"]),
                    text(&package["version"]),
                    place["layer"]["index"],
                    text(&place["path"])
                )
            })
        })
        .collect()
}

fn causes(report: &Value) -> BTreeSet<String> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| gap["cause"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_list_that_another_one_repeats_is_left_out() {
    let status = b"Package: busybox\nVersion: 1.36.1-1\nStatus: install ok installed\nArchitecture: x86_64\n";
    let control = b"Package: busybox\nVersion: 1.36.1-1\nArchitecture: x86_64\n";
    let release = b"ID=\"openwrt\"\nVERSION_ID=\"23.05.3\"\n";
    let both: &[File<'_>] = &[
        ("etc/os-release", release),
        ("usr/lib/opkg/info/busybox.control", control),
        ("usr/lib/opkg/status", status),
    ];
    let told = report(&[both]);
    let expected = ["opkg busybox 1.36.1-1 0 usr/lib/opkg/status"];
    assert_eq!(packages(&told), expected);
    assert!(causes(&told).contains("no advisories are known for the packages of openwrt 23.05.3"));
    let stripped = report(&[&both[..2]]);
    let expected = ["opkg busybox 1.36.1-1 0 usr/lib/opkg/info/busybox.control"];
    assert_eq!(packages(&stripped), expected);
}

#[test]
fn packages_belong_to_the_layer_that_brought_them() {
    let desc = |name: &str, version: &str| format!("%NAME%\n{name}\n\n%VERSION%\n{version}\n\n");
    let (old, new) = (desc("bash", "5.2.026-2"), desc("bash", "5.2.037-1"));
    let zlib = desc("zlib", "1:1.3.1-2");
    let told = report(&[
        &[
            ("etc/os-release", b"ID=arch\nNAME=\"Arch Linux\"\n"),
            ("var/lib/pacman/local/bash-5.2.026-2/desc", old.as_bytes()),
            ("var/lib/pacman/local/zlib-1:1.3.1-2/desc", zlib.as_bytes()),
        ],
        &[
            ("var/lib/pacman/local/.wh.bash-5.2.026-2", b""),
            ("var/lib/pacman/local/bash-5.2.037-1/desc", new.as_bytes()),
        ],
    ]);
    assert_eq!(
        packages(&told),
        [
            "alpm bash 5.2.037-1 1 var/lib/pacman/local/bash-5.2.037-1/desc",
            "alpm zlib 1:1.3.1-2 0 var/lib/pacman/local/zlib-1:1.3.1-2/desc",
        ]
    );
    assert!(
        causes(&told)
            .contains("no advisories are known for the packages of arch without a version")
    );
}

#[test]
fn store_objects_are_packages_and_what_they_hold_is_read() {
    const HASH: &str = "0c6kzph7l0dcbfmjap64f0czdafn3b7x";
    let hello = format!("nix/store/{HASH}-hello-2.12.1/bin/hello");
    let more = format!("nix/store/{HASH}-hello-2.12.1/share/info");
    let script = format!("nix/store/{HASH}-setup-script/run");
    let json = format!("nix/store/{HASH}-app-1.0/node_modules/left/package.json");
    let told = report(&[&[
        (&hello, b"program"),
        (&more, b"text"),
        (&script, b"text"),
        (&json, br#"{"name":"left","version":"1.0.0"}"#),
        (&format!("nix/store/{HASH}-app-1.0/readme"), b"text"),
    ]]);
    let store = |name: &str| format!("nix/store/{HASH}-{name}");
    let expected = [
        format!("nix app 1.0 0 {}", store("app-1.0")),
        format!("nix hello 2.12.1 0 {}", store("hello-2.12.1")),
        format!("npm left 1.0.0 0 {json}"),
    ];
    assert_eq!(packages(&told), expected);
    assert!(causes(&told).contains("no advisories are known for packages of the type nix"));
}

#[test]
fn runtimes_of_the_distribution_are_the_distributions_business() {
    let status = b"Package: libpython3.8-stdlib\nStatus: install ok installed\nVersion: 3.8.10-1\nMaintainer: Debian <x@debian.org>\n";
    let release = b"ID=debian\nVERSION_ID=\"13\"\n";
    let files: &[File<'_>] = &[
        ("etc/os-release", release),
        ("usr/lib/python3.8/os.py", b"import abc\n"),
        ("var/lib/dpkg/status", status),
        (
            "var/lib/dpkg/info/libpython3.8-stdlib.list",
            b"/usr/lib/python3.8/os.py\n",
        ),
    ];
    let findings = |report: &Value| report["findings"].as_array().unwrap().len();
    assert_eq!(findings(&report(&[files])), 0);
    assert_eq!(findings(&report(&[&files[..3]])), 1);
}
