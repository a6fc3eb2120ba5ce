//! Lockfiles: each is a list of packages that should have been judged.

use super::{FileKind, Pattern, Places, Role, row};
use Pattern::{Name, Suffix};

const fn lockfile(
    id: &'static str,
    phrase: &'static str,
    patterns: &'static [Pattern],
) -> FileKind {
    row(id, phrase, Role::Lockfile, Places::Tree, patterns)
}

pub(super) static ALL: &[FileKind] = &[
    // JavaScript
    lockfile("bun-lockb", "binary Bun lockfile", &[Name("bun.lockb")]),
    lockfile("vlt-lock", "vlt lockfile", &[Name("vlt-lock.json")]),
    // Java and relatives
    lockfile(
        "bazel-module-lock",
        "Bazel module lockfile",
        &[Name("MODULE.bazel.lock")],
    ),
    // Go, before and beside modules
    lockfile("dep-lock", "Go dep lockfile", &[Name("Gopkg.lock")]),
    lockfile("glide-lock", "Glide lockfile", &[Name("glide.lock")]),
    lockfile("godeps", "Godep list", &[Suffix("Godeps/Godeps.json")]),
    lockfile("govendor", "govendor list", &[Suffix("vendor/vendor.json")]),
    // Apple, C and C++
    lockfile("vcpkg-lock", "vcpkg lockfile", &[Name("vcpkg-lock.json")]),
    // Others
    lockfile(
        "cargo-bazel-lock",
        "Bazel lockfile of crates",
        &[Name("cargo-bazel-lock.json")],
    ),
    lockfile("spago-lock", "PureScript lockfile", &[Name("spago.lock")]),
    lockfile(
        "unity-lock",
        "Unity package lockfile",
        &[Suffix("Packages/packages-lock.json")],
    ),
    lockfile("shard-lock", "Crystal lockfile", &[Name("shard.lock")]),
    lockfile(
        "dub-selections",
        "DUB lockfile",
        &[Name("dub.selections.json")],
    ),
    lockfile("nimble-lock", "Nimble lockfile", &[Name("nimble.lock")]),
    lockfile("flake-lock", "Nix flake lockfile", &[Name("flake.lock")]),
    lockfile(
        "brewfile-lock",
        "Homebrew lockfile",
        &[Name("Brewfile.lock.json")],
    ),
    lockfile(
        "berks-lock",
        "Berkshelf lockfile",
        &[Name("Berksfile.lock"), Name("Policyfile.lock.json")],
    ),
    lockfile(
        "puppetfile-lock",
        "Puppetfile lockfile",
        &[Name("Puppetfile.lock")],
    ),
];
