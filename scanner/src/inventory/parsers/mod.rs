//! The table of parsers, one file each, in folders by ecosystem.

use super::Parser;

mod alpine {
    pub(super) mod apk;
}

mod arch {
    pub(super) mod pacman;
}

mod apple {
    pub(super) mod cartfile_resolved;
    pub(super) mod podfile_lock;
}

mod beam {
    pub(super) mod gleam_manifest;
    pub(super) mod mix_lock;
    pub(super) mod rebar_lock;
    mod term;
}

mod cpp {
    pub(super) mod conan_lock;
    pub(super) mod conaninfo;
    mod reference;
    pub(super) mod vcpkg_manifest;
    pub(super) mod vcpkg_status;
}

mod dart {
    pub(super) mod pubspec_lock;
}

mod debian {
    pub(super) mod files;
    pub(super) mod status;
}

mod dotnet {
    pub(super) mod assets;
    pub(super) mod central_versions;
    pub(super) mod deps;
    mod nuget;
    pub(super) mod packages_config;
    pub(super) mod packages_lock;
    pub(super) mod paket_lock;
}

mod flatpak {
    pub(super) mod metadata;
}

mod gentoo {
    pub(super) mod portage;
}

mod github {
    pub(super) mod workflow;
}

mod go {
    pub(super) mod go_mod;
    pub(super) mod go_sum;
    pub(super) mod vendor_modules;
}

mod haskell {
    pub(super) mod cabal_freeze;
    pub(super) mod package_conf;
    pub(super) mod stack_lock;
}

mod helm {
    pub(super) mod chart;
}

mod java {
    mod coordinates;
    pub(super) mod gradle_lockfile;
    pub(super) mod gradle_verification;
    pub(super) mod java_archive;
    pub(super) mod maven_install;
    pub(super) mod maven_pom;
    pub(super) mod sbt_lock;
}

mod julia {
    pub(super) mod manifest;
}

mod lua {
    pub(super) mod luarocks_lock;
    pub(super) mod rockspec;
}

mod node {
    pub(super) mod bun_lock;
    pub(super) mod deno_lock;
    mod manifest;
    pub(super) mod node_modules;
    mod npm;
    pub(super) mod package_lock;
    mod pnpm_key;
    pub(super) mod pnpm_lock;
    pub(super) mod yarn_lock;
}

mod openwrt {
    pub(super) mod opkg;
}

mod ocaml {
    pub(super) mod installed;
    mod opam_file;
    pub(super) mod opam_locked;
}

mod perl {
    pub(super) mod cpanfile_snapshot;
    pub(super) mod meta;
}

mod php {
    pub(super) mod composer_lock;
    pub(super) mod installed;
    pub(super) mod installed_php;
}

mod python {
    pub(super) mod conda;
    pub(super) mod installed;
    pub(super) mod pdm_lock;
    pub(super) mod pipfile_lock;
    pub(super) mod poetry_lock;
    pub(super) mod pylock;
    mod pypi;
    pub(super) mod requirements;
}

mod r {
    pub(super) mod description;
    mod fields;
    pub(super) mod packrat_lock;
    pub(super) mod renv_lock;
}

mod rpm {
    pub(super) mod bdb;
    mod header;
    pub(super) mod manifest;
    pub(super) mod ndb;
    pub(super) mod sqlite;
}

mod ruby {
    pub(super) mod gemfile_lock;
    pub(super) mod gemspec;
}

mod rust {
    pub(super) mod cargo_lock;
}

mod snap {
    pub(super) mod yaml;
}

mod suse {
    pub(super) mod products;
}

mod swift {
    pub(super) mod package_resolved;
}

mod ubuntu {
    pub(super) mod chisel;
}

mod terraform {
    pub(super) mod lock;
}

mod wordpress {
    pub(super) mod plugin;
}

mod complete;
mod foreign;
mod os_release;
mod runtime;
mod shared;

/// Every parser. To add a format, add a file in the folder of its ecosystem, two lines
/// here (its module, and itself in the list) and a folder in `testdata/inventory/`.
pub const ALL: &[&Parser] = &[
    &alpine::apk::PARSER,
    &node::bun_lock::PARSER,
    &haskell::cabal_freeze::PARSER,
    &rust::cargo_lock::PARSER,
    &ubuntu::chisel::PARSER,
    &apple::cartfile_resolved::PARSER,
    &php::composer_lock::PARSER,
    &cpp::conan_lock::PARSER,
    &cpp::conaninfo::PARSER,
    &perl::meta::PARSER,
    &perl::cpanfile_snapshot::PARSER,
    &r::description::PARSER,
    &php::installed::PARSER,
    &php::installed_php::PARSER,
    &python::conda::explicit::PARSER,
    &python::conda::meta::PARSER,
    &python::conda::lock::PARSER,
    &debian::files::LISTS,
    &debian::files::SUMS,
    &debian::status::PARSER,
    &debian::status::DISTROLESS,
    &debian::status::JOURNAL,
    &flatpak::metadata::PARSER,
    &dotnet::deps::PARSER,
    &node::deno_lock::PARSER,
    &ruby::gemspec::PARSER,
    &ruby::gemfile_lock::PARSER,
    &haskell::package_conf::PARSER,
    &beam::gleam_manifest::PARSER,
    &github::workflow::PARSER,
    &go::go_mod::PARSER,
    &go::go_sum::PARSER,
    &java::gradle_lockfile::PARSER,
    &java::gradle_verification::PARSER,
    &java::java_archive::PARSER,
    &java::java_archive::IN_TREES,
    &java::maven_install::PARSER,
    &java::maven_pom::PARSER,
    &beam::mix_lock::PARSER,
    &node::node_modules::PARSER,
    &openwrt::opkg::CONTROLS,
    &openwrt::opkg::STATUS,
    &dotnet::assets::PARSER,
    &dotnet::central_versions::PARSER,
    &dotnet::packages_lock::PARSER,
    &dotnet::packages_config::PARSER,
    &os_release::PARSER,
    &os_release::RELEASE,
    &node::package_lock::PARSER,
    &arch::pacman::PARSER,
    &arch::pacman::FILES,
    &dotnet::paket_lock::PARSER,
    &go::vendor_modules::PARSER,
    &go::vendor_modules::INCLUDED,
    &go::go_mod::work::PARSER,
    &helm::chart::PARSER,
    &julia::manifest::PARSER,
    &lua::luarocks_lock::PARSER,
    &ocaml::installed::PARSER,
    &ocaml::opam_locked::PARSER,
    &r::packrat_lock::PARSER,
    &python::pdm_lock::PARSER,
    &python::pipfile_lock::PARSER,
    &python::conda::pixi::PARSER,
    &node::pnpm_lock::PARSER,
    &apple::podfile_lock::PARSER,
    &python::poetry_lock::POETRY,
    &python::poetry_lock::UV,
    &gentoo::portage::PARSER,
    &dart::pubspec_lock::PARSER,
    &python::pylock::PARSER,
    &python::installed::METADATA,
    &python::installed::EGG,
    &beam::rebar_lock::PARSER,
    &r::renv_lock::PARSER,
    &python::requirements::PARSER,
    &python::requirements::INCLUDED,
    &python::requirements::CONSTRAINTS,
    &lua::rockspec::PARSER,
    &rpm::bdb::PARSER,
    &rpm::manifest::PARSER,
    &rpm::ndb::PARSER,
    &rpm::sqlite::PARSER,
    &rpm::sqlite::LOG,
    &runtime::PARSER,
    &snap::yaml::PARSER,
    &java::sbt_lock::PARSER,
    &suse::products::PARSER,
    &haskell::stack_lock::PARSER,
    &swift::package_resolved::PARSER,
    &terraform::lock::PARSER,
    &cpp::vcpkg_manifest::PARSER,
    &cpp::vcpkg_status::PARSER,
    &wordpress::plugin::PARSER,
    &node::yarn_lock::PARSER,
];
