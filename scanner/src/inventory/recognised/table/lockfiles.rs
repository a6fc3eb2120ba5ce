//! Lockfiles: each is a list of packages that should have been judged.

use super::{FileKind, Pattern, Places, Role, row};
use Pattern::{Between, Extension, Name, Suffix};

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
        "gradle-lockfile",
        "Gradle lockfile",
        &[
            Name("gradle.lockfile"),
            Name("buildscript-gradle.lockfile"),
            Extension("lockfile"),
        ],
    ),
    lockfile(
        "gradle-verification-metadata",
        "Gradle dependency verification file",
        &[Suffix("gradle/verification-metadata.xml")],
    ),
    lockfile(
        "maven-install",
        "Bazel lockfile of Maven artifacts",
        &[
            Name("maven_install.json"),
            Between("", "_maven_install.json"),
        ],
    ),
    lockfile("sbt-lock", "sbt lockfile", &[Name("build.sbt.lock")]),
    lockfile(
        "bazel-module-lock",
        "Bazel module lockfile",
        &[Name("MODULE.bazel.lock")],
    ),
    // .NET
    lockfile(
        "nuget-lock",
        "NuGet lockfile",
        &[
            Name("packages.lock.json"),
            Between("packages.", ".lock.json"),
            Name("project.assets.json"),
            Name("project.lock.json"),
        ],
    ),
    lockfile(
        "nuget-packages-config",
        "NuGet packages.config",
        &[Name("packages.config"), Between("packages.", ".config")],
    ),
    lockfile("paket-lock", "Paket lockfile", &[Name("paket.lock")]),
    // Go, before and beside modules
    lockfile("dep-lock", "Go dep lockfile", &[Name("Gopkg.lock")]),
    lockfile("glide-lock", "Glide lockfile", &[Name("glide.lock")]),
    lockfile("godeps", "Godep list", &[Suffix("Godeps/Godeps.json")]),
    lockfile("govendor", "govendor list", &[Suffix("vendor/vendor.json")]),
    // Apple, C and C++
    lockfile(
        "podfile-lock",
        "CocoaPods lockfile",
        &[Name("Podfile.lock")],
    ),
    lockfile(
        "carthage-resolved",
        "Carthage lockfile",
        &[Name("Cartfile.resolved")],
    ),
    lockfile(
        "conan-lock",
        "Conan lockfile",
        &[
            Name("conan.lock"),
            Between("conan", ".lock"),
            Name("conaninfo.txt"),
        ],
    ),
    lockfile("vcpkg-lock", "vcpkg lockfile", &[Name("vcpkg-lock.json")]),
    // BEAM
    lockfile("rebar-lock", "Rebar lockfile", &[Name("rebar.lock")]),
    lockfile("gleam-manifest", "Gleam lockfile", &[Name("manifest.toml")]),
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
    lockfile(
        "cabal-freeze",
        "Cabal freeze file",
        &[Name("cabal.project.freeze"), Name("cabal.config")],
    ),
    lockfile(
        "stack-lock",
        "Stack lockfile",
        &[Name("stack.yaml.lock"), Between("stack", ".yaml.lock")],
    ),
    lockfile("packrat-lock", "Packrat lockfile", &[Name("packrat.lock")]),
    lockfile(
        "julia-manifest",
        "Julia manifest",
        &[
            Name("Manifest.toml"),
            Name("JuliaManifest.toml"),
            Between("Manifest-v", ".toml"),
            Between("JuliaManifest-v", ".toml"),
        ],
    ),
    lockfile(
        "carton-snapshot",
        "Carton lockfile",
        &[Name("cpanfile.snapshot")],
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
        "luarocks-lock",
        "LuaRocks lockfile",
        &[Name("luarocks.lock")],
    ),
    lockfile(
        "opam-locked",
        "opam lockfile",
        &[Between("", ".opam.locked")],
    ),
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
    lockfile("helm-lock", "Helm chart lockfile", &[Name("Chart.lock")]),
];
