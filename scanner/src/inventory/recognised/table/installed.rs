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
    looking(
        &installed("r-package", "installed R package", &[Name("DESCRIPTION")]),
        Look::Content(content::r_package),
    ),
    installed(
        "luarocks-installed",
        "installed LuaRocks package",
        &[Between("", ".rockspec"), Name("rock_manifest")],
    ),
    installed(
        "perl-packlist",
        "installed Perl distribution",
        &[Name(".packlist")],
    ),
    installed(
        "wordpress-plugin",
        "WordPress plug-in",
        &[
            Below("var/www/html/wp-content/plugins", 6),
            Below("usr/src/wordpress/wp-content/plugins", 6),
        ],
    ),
    looking(
        &installed(
            "erlang-application",
            "Erlang application",
            &[Between("", ".app")],
        ),
        Look::Content(content::erlang_application),
    ),
    installed(
        "haskell-package",
        "installed Haskell package",
        &[In("package.conf.d", ".conf")],
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
        "chisel",
        "Chisel manifest",
        &[Suffix("chisel/manifest.wall"), Name("chisel.db")],
    ),
    installed(
        "pacman",
        "pacman database",
        &[Below("var/lib/pacman/local", 5)],
    ),
    installed(
        "opkg",
        "opkg database",
        &[
            Path("var/lib/opkg/status"),
            Path("usr/lib/opkg/status"),
            Path("opt/lib/opkg/status"),
            Path("var/lib/opkg/info/status"),
            Below("usr/lib/opkg/info", 5),
            Below("var/lib/opkg/info", 5),
        ],
    ),
    installed(
        "freebsd-pkg",
        "FreeBSD package database",
        &[Path("var/db/pkg/local.sqlite")],
    ),
    installed("portage", "Portage database", &[Below("var/db/pkg", 5)]),
    installed(
        "nix-store",
        "Nix package",
        &[Below("nix/store", 3), Below("gnu/store", 3)],
    ),
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
        &[Below("var/lib/snapd/snaps", 5), Suffix("meta/snap.yaml")],
    ),
    installed(
        "flatpak-installed",
        "installed Flatpak",
        &[
            Below("var/lib/flatpak/app", 5),
            Below("var/lib/flatpak/runtime", 5),
        ],
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
