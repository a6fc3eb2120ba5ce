//! opkg's database of installed packages: `status` in the form of dpkg's with words of opkg's own
//! (libopkg, `pkg.c`), and one `info/<package>.control` for each. The second says nothing that the
//! first does not, except where an image was stripped of the first: where both list a package, the
//! status counts (`assemble`). Newer releases of `OpenWrt` have apk's database instead.

use crate::inventory::parsers::debian::status::{self, Dialect};
use crate::inventory::parsers::shared::has_extension;
use crate::inventory::{Evidence, Need, Parser, Want};
use crate::model::package::PackageType;

const OPKG: Dialect = Dialect {
    manager: "opkg",
    kind: PackageType::OPKG,
    needs_status: true,
    flags: &[
        "ok",
        "reinstreq",
        "hold",
        "replace",
        "noprune",
        "prefer",
        "obsolete",
        "user",
        "filelist-changed",
    ],
    unpacked: &["post-inst-failed", "removal-failed"],
    // A folder of the build system.
    has_sources: false,
};

const CONTROL: Dialect = Dialect {
    needs_status: false,
    ..OPKG
};

/// `status`, where `OpenWrt`, Yocto and Entware have it.
pub(crate) static STATUS: Parser = Parser {
    id: "opkg-status",
    version: 1,
    wants: &[
        Want::Path("opt/lib/opkg/status"),
        Want::Path("usr/lib/opkg/status"),
        Want::Path("var/lib/opkg/info/status"),
        Want::Path("var/lib/opkg/status"),
    ],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input, facts| status::parse(input.path, input.content, &OPKG, facts),
};

/// `info/<package>.control`, and `status.d/<package>`.
pub(crate) static CONTROLS: Parser = Parser {
    id: "opkg-control",
    version: 1,
    wants: &[
        Want::In("opt/lib/opkg/info/"),
        Want::In("usr/lib/opkg/info/"),
        Want::In("usr/lib/opkg/status.d/"),
        Want::In("var/lib/opkg/info/"),
        Want::In("var/lib/opkg/status.d/"),
    ],
    accepts: Some(|path| has_extension(path, ".control") || path.contains("/status.d/")),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input, facts| status::parse(input.path, input.content, &CONTROL, facts),
};
