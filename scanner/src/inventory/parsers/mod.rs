//! The table of parsers, one file each.

use super::Parser;

mod apk;
mod cargo_lock;
mod complete;
mod composer_lock;
mod dpkg_files;
mod dpkg_status;
mod foreign;
mod gemfile_lock;
mod go_mod;
mod go_sum;
mod java_archive;
mod node_modules;
mod npm;
mod os_release;
mod package_lock;
mod pipfile_lock;
mod pnpm_key;
mod pnpm_lock;
mod poetry_lock;
mod pypi;
mod python;
mod requirements;
mod rpm_bdb;
mod rpm_manifest;
mod rpm_ndb;
mod rpm_sqlite;
mod shared;
mod suse_products;
mod yarn_lock;

/// Every parser. To add a format, add a file, a line here and a folder in
/// `testdata/inventory/`.
pub const ALL: &[&Parser] = &[
    &apk::PARSER,
    &cargo_lock::PARSER,
    &composer_lock::PARSER,
    &dpkg_files::LISTS,
    &dpkg_files::SUMS,
    &dpkg_status::PARSER,
    &dpkg_status::DISTROLESS,
    &dpkg_status::JOURNAL,
    &gemfile_lock::PARSER,
    &go_mod::PARSER,
    &go_sum::PARSER,
    &java_archive::PARSER,
    &node_modules::PARSER,
    &os_release::PARSER,
    &os_release::RELEASE,
    &package_lock::PARSER,
    &pipfile_lock::PARSER,
    &pnpm_lock::PARSER,
    &poetry_lock::POETRY,
    &poetry_lock::UV,
    &python::METADATA,
    &python::EGG,
    &requirements::PARSER,
    &requirements::INCLUDED,
    &requirements::CONSTRAINTS,
    &rpm_bdb::PARSER,
    &rpm_manifest::PARSER,
    &rpm_ndb::PARSER,
    &rpm_sqlite::PARSER,
    &rpm_sqlite::LOG,
    &suse_products::PARSER,
    &yarn_lock::PARSER,
];
