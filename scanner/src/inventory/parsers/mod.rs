//! The table of parsers, one file each, in folders by ecosystem.

use super::Parser;

mod alpine {
    pub(super) mod apk;
}

mod beam {
    pub(super) mod mix_lock;
}

mod dart {
    pub(super) mod pubspec_lock;
}

mod debian {
    pub(super) mod files;
    pub(super) mod status;
}

mod go {
    pub(super) mod go_mod;
    pub(super) mod go_sum;
}

mod java {
    pub(super) mod java_archive;
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

mod suse {
    pub(super) mod products;
}

mod swift {
    pub(super) mod package_resolved;
}

mod complete;
mod foreign;
mod os_release;
mod shared;

/// Every parser. To add a format, add a file in the folder of its ecosystem, two lines
/// here (its module, and itself in the list) and a folder in `testdata/inventory/`.
pub const ALL: &[&Parser] = &[
    &alpine::apk::PARSER,
    &node::bun_lock::PARSER,
    &rust::cargo_lock::PARSER,
    &php::installed::PARSER,
    &php::installed_php::PARSER,
    &php::composer_lock::PARSER,
    &python::conda::explicit::PARSER,
    &python::conda::meta::PARSER,
    &python::conda::lock::PARSER,
    &debian::files::LISTS,
    &debian::files::SUMS,
    &debian::status::PARSER,
    &debian::status::DISTROLESS,
    &debian::status::JOURNAL,
    &node::deno_lock::PARSER,
    &ruby::gemspec::PARSER,
    &ruby::gemfile_lock::PARSER,
    &go::go_mod::PARSER,
    &go::go_sum::PARSER,
    &java::java_archive::PARSER,
    &beam::mix_lock::PARSER,
    &node::node_modules::PARSER,
    &os_release::PARSER,
    &os_release::RELEASE,
    &node::package_lock::PARSER,
    &python::pdm_lock::PARSER,
    &python::pipfile_lock::PARSER,
    &python::conda::pixi::PARSER,
    &node::pnpm_lock::PARSER,
    &python::poetry_lock::POETRY,
    &python::poetry_lock::UV,
    &dart::pubspec_lock::PARSER,
    &python::pylock::PARSER,
    &python::installed::METADATA,
    &python::installed::EGG,
    &r::renv_lock::PARSER,
    &python::requirements::PARSER,
    &python::requirements::INCLUDED,
    &python::requirements::CONSTRAINTS,
    &rpm::bdb::PARSER,
    &rpm::manifest::PARSER,
    &rpm::ndb::PARSER,
    &rpm::sqlite::PARSER,
    &rpm::sqlite::LOG,
    &suse::products::PARSER,
    &swift::package_resolved::PARSER,
    &node::yarn_lock::PARSER,
];
