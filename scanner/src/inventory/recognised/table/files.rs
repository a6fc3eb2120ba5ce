//! Lists of materials, archives of packages and executables, in trees and in images.

use super::{FileKind, Look, Pattern, Places, Role, looking, row};
use crate::inventory::recognised::content;
use Pattern::{Between, Extension, Name, Suffix};

const fn file(
    id: &'static str,
    phrase: &'static str,
    places: Places,
    patterns: &'static [Pattern],
) -> FileKind {
    row(id, phrase, Role::Other, places, patterns)
}

pub(super) static ALL: &[FileKind] = &[
    file(
        "sbom",
        "SBOM",
        Places::Both,
        &[
            Extension("spdx"),
            Between("", ".spdx.json"),
            Between("", ".spdx.yaml"),
            Between("", ".spdx.yml"),
            Between("", ".spdx.rdf"),
            Between("", ".spdx.xml"),
            Between("", ".cdx.json"),
            Between("", ".cdx.xml"),
            Between("", ".syft.json"),
            Between("", "sbom.json"),
            Between("", "sbom.xml"),
            Name("sbom.json"),
            Name("sbom.xml"),
            Name("bom.json"),
            Name("bom.xml"),
        ],
    ),
    file(
        "android-package",
        "Android package",
        Places::Both,
        &[Extension("aar"), Extension("aab")],
    ),
    file(
        "python-wheel",
        "Python wheel",
        Places::Both,
        &[Extension("whl")],
    ),
    file(
        "python-egg",
        "Python egg",
        Places::Tree,
        &[Extension("egg")],
    ),
    file("ruby-gem", "Ruby gem", Places::Both, &[Extension("gem")]),
    file(
        "nuget-package",
        "NuGet package",
        Places::Both,
        &[Extension("nupkg"), Extension("nuspec")],
    ),
    file(
        "crate-archive",
        "Rust crate archive",
        Places::Both,
        &[Extension("crate")],
    ),
    file("phar", "PHP archive", Places::Both, &[Extension("phar")]),
    file(
        "conda-package",
        "conda package",
        Places::Both,
        &[Extension("conda")],
    ),
    file(
        "deb-package",
        "Debian package file",
        Places::Both,
        &[Extension("deb"), Extension("udeb")],
    ),
    file(
        "rpm-package",
        "rpm package file",
        Places::Both,
        &[Extension("rpm")],
    ),
    // Android's packages have this extension, too.
    file(
        "apk-package",
        "Alpine or Android package file",
        Places::Both,
        &[Extension("apk")],
    ),
    file(
        "ipk-package",
        "opkg package file",
        Places::Both,
        &[Extension("ipk")],
    ),
    looking(
        &file(
            "snap-package",
            "snap package file",
            Places::Both,
            &[Extension("snap")],
        ),
        Look::Content(content::squashfs),
    ),
    file(
        "flatpak-bundle",
        "Flatpak bundle",
        Places::Both,
        &[Extension("flatpak")],
    ),
    file(
        "appimage",
        "AppImage",
        Places::Both,
        &[Extension("appimage")],
    ),
    file(
        "pacman-package",
        "pacman package file",
        Places::Both,
        &[
            Between("", ".pkg.tar.zst"),
            Between("", ".pkg.tar.xz"),
            Between("", ".pkg.tar.gz"),
        ],
    ),
    // In images parsers of their own take them.
    file(
        "unpacked-distribution",
        "package database of an unpacked image (scan its root with rootfs:)",
        Places::Tree,
        &[
            Suffix("var/lib/dpkg/status"),
            Suffix("lib/apk/db/installed"),
            Suffix("var/lib/rpm/Packages"),
            Suffix("var/lib/rpm/Packages.db"),
            Suffix("var/lib/rpm/rpmdb.sqlite"),
            Suffix("usr/lib/sysimage/rpm/Packages"),
            Suffix("usr/lib/sysimage/rpm/Packages.db"),
            Suffix("usr/lib/sysimage/rpm/rpmdb.sqlite"),
        ],
    ),
    file(
        "machine-image",
        "disk image",
        Places::Tree,
        &[
            Extension("ova"),
            Extension("qcow2"),
            Extension("sif"),
            Extension("squashfs"),
            Extension("vdi"),
            Extension("vhd"),
            Extension("vhdx"),
            Extension("vmdk"),
        ],
    ),
    // What a build writes; in images a parser of its own takes it.
    looking(
        &file(
            "dotnet-deps",
            ".NET dependency list",
            Places::Tree,
            &[Between("", ".deps.json")],
        ),
        Look::Content(content::dotnet_deps),
    ),
];

/// Kinds that only the content shows.
pub(super) static SNIFFED: &[&FileKind] = &[
    &SBOM_JSON,
    &GO_EXECUTABLE,
    &RUST_EXECUTABLE,
    &AUDITABLE_EXECUTABLE,
];

pub(in super::super) static SBOM_JSON: FileKind =
    file("sbom-other-name", "SBOM", Places::Tree, &[]);
pub(in super::super) static GO_EXECUTABLE: FileKind =
    file("go-executable", "Go executable", Places::Both, &[]);
pub(in super::super) static RUST_EXECUTABLE: FileKind =
    file("rust-executable", "Rust executable", Places::Both, &[]);
pub(in super::super) static AUDITABLE_EXECUTABLE: FileKind = file(
    "auditable-executable",
    "Rust executable with its list of crates",
    Places::Both,
    &[],
);
