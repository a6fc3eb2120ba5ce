//! What installers leave in images and no parser reads yet. Where an installer keeps every file
//! of a package below one directory, that directory is the gap.

use super::{FileKind, Look, Pattern, Places, Role, looking, row};
use crate::inventory::recognised::content;
use Pattern::{Below, Between, In, Name, Path, Suffix};

const fn installed(
    id: &'static str,
    phrase: &'static str,
    patterns: &'static [Pattern],
) -> FileKind {
    row(id, phrase, Role::Other, Places::Image, patterns)
}

pub(super) static ALL: &[FileKind] = &[
    // Languages
    installed(
        "pear-installed",
        "installed PEAR or PECL package",
        &[In(".registry", ".reg")],
    ),
    installed(
        "yarn-pnp",
        "Yarn Plug'n'Play installation",
        &[Name(".pnp.cjs"), Name(".pnp.js"), Name(".pnp.data.json")],
    ),
    installed(
        "perl-packlist",
        "installed Perl distribution",
        &[Name(".packlist")],
    ),
    looking(
        &installed(
            "erlang-application",
            "Erlang application",
            &[Between("", ".app")],
        ),
        Look::Content(content::erlang_application),
    ),
    looking(
        &installed("opam-package", "installed opam package", &[Name("opam")]),
        Look::Content(content::opam),
    ),
    installed(
        "homebrew",
        "Homebrew package",
        &[Name("INSTALL_RECEIPT.json")],
    ),
    // Operating systems
    installed(
        "freebsd-pkg",
        "FreeBSD package database",
        &[Path("var/db/pkg/local.sqlite")],
    ),
    installed("guix-store", "Guix package", &[Below("gnu/store", 3)]),
    installed(
        "slackware",
        "Slackware package list",
        &[
            Below("var/lib/pkgtools/packages", 5),
            Below("var/log/packages", 4),
        ],
    ),
    installed("xbps", "XBPS database", &[Between("pkgdb-", ".plist")]),
    installed(
        "snap-installed",
        "installed snap",
        &[Below("var/lib/snapd/snaps", 5)],
    ),
    installed(
        "swupd",
        "Clear Linux bundle list",
        &[Below("usr/share/clear/bundles", 5)],
    ),
    installed(
        "bitnami",
        "Bitnami component list",
        &[Path("opt/bitnami/.bitnami_components.json")],
    ),
    installed(
        "windows-registry",
        "Windows registry hive",
        &[Suffix("Windows/System32/config/SOFTWARE")],
    ),
];
