//! What `--help` shows at its end: commands to begin with, as they can be typed.

pub(super) const SCAN: &str = "\
Exit code: 0 within policy, 1 policy violated, 2 could not finish; independent of the format.

Examples:
  portcullis scan
  portcullis scan . build/image.tar --report sarif=portcullis.sarif
  portcullis scan oci:build/image --platform linux/arm64 --fail-on critical --fail-on-kev
  portcullis scan . --db-digest sha256:… --date 2026-11-21 --format json";

pub(super) const BUILD: &str = "\
Examples:
  portcullis db build --osv mirror/osv --rustsec advisory-db
  portcullis db build --osv mirror/osv/PyPI/all.zip --db python.db";

pub(super) const SYNC: &str = "\
Proxies are those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

Examples:
  portcullis db sync --from https://osv-vulnerabilities.storage.googleapis.com --ecosystem PyPI
  portcullis db sync --from https://mirror.example.org/osv --from /mnt/osv
  portcullis db sync --from https://mirror.example.org/osv --report report.json
  portcullis db sync --offline";

pub(super) const QUERY: &str = "\
Examples:
  portcullis db query PyPI requests 2.19.1
  portcullis db query Debian:12 openssl 3.0.11-1~deb12u2 --format json";

pub(super) const WHY: &str = "\
Examples:
  portcullis db why CVE-2018-18074 pkg:pypi/requests@2.19.1
  portcullis db why CVE-2018-18074 PyPI requests 2.19.1
  portcullis scan --format json | portcullis db why v2:0123abcd --report -";

#[cfg(feature = "registry")]
pub(super) const PUSH: &str = "\
Examples:
  portcullis db push registry.example.org/team/advisories:latest
  portcullis db push registry.example.org/team/advisories:latest --signature advisories.pcdb.minisig";

#[cfg(feature = "registry")]
pub(super) const PULL: &str = "\
Proxies are those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; SSL_CERT_FILE names other
certificate authorities than the system's.

Examples:
  portcullis db pull registry.example.org/team/advisories:latest
  portcullis db pull registry.example.org/team/advisories https://files.example.org/advisories.pcdb
  portcullis db pull https://files.example.org/advisories.pcdb --verify-key team.pub";
