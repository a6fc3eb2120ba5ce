//! The table, as people see it.

use portcullis::gate::{Policy, judge};
use portcullis::output::{Format, Options, write};

use super::sample;

const EXPECTED: &str = r#"
. (dir, 4 packages, 6 findings)
  tar 0.3.0 (cargo)  Cargo.lock:7
    CRITICAL  RUSTSEC-2026-0001  0.3.0 → 0.4.1  [KEV, EPSS 0.94] Vulnerability in tar
  tar 0.4.0 (cargo)  Cargo.lock:13
    CRITICAL  RUSTSEC-2026-0001  no fix known  Vulnerability in tar
  \u{1b}[31mred\u{202e} <img src=x> [a](https://evil.example) @team `x` 1\u{7} (pypi)  odd dir/ü.txt:1
    HIGH      GHSA-odd  no fix known  \u{1b}[31mred\u{202e} <img src=x> [a](https://evil.example) @…
  @acme/left 1.0.0 (npm, dev)  web/package-lock.json:40
    UNKNOWN   GHSA-unrated  no fix known  Vulnerability in @acme/left
  main.tf
    HIGH      aws-s3-bucket-public  line 12  aws_s3_bucket.logs: acl is "public-read"
    HIGH      aws-s3-bucket-public  line 12  module.a["x"].aws_s3_bucket.b: acl is "public-read"

build/app.tar (docker-archive, linux/amd64, Debian GNU/Linux 12 (bookworm), abcd, not linux/arm64, 2 packages, 3 findings)
  libssl3 3.0.9-1 (deb)  layer 0 (000000000000)  var/lib/dpkg/status
    MEDIUM    DEBIAN-CVE-2026-2  no fix known  Vulnerability in libssl3
    LOW       DEBIAN-CVE-2026-1  no fix known  Vulnerability in libssl3
              suppressed: VEX vex.json: not_affected: not reachable\u{7}
  etc/os-release
    LOW       end-of-life  ended 2025-05-31  Ubuntu 20.04 has had security updates only with Ubuntu…

1 check undecided (neither passed nor failed)
  var.versioning has no value
    MEDIUM    aws-s3-bucket-unversioned  aws_s3_bucket.logs  main.tf:20

3 gaps (not looked at)
  unjudged  no-advisories  no advisories for Hex
  partial   syntax  bad file.tf:3: expected `}` \u{1b}[31mred\u{202e} <img src=x> [a](https://evil.example) @team `x`
  accepted  escaping-path  build/app.tar ../../etc/passwd in layer 1 (000000000000): link leaves the root

note: the database answered as of 2026-02-20T00:00:00Z; what records said before their last change is not known
note: the advisories for Debian:12 are 28 days old (newest change 2026-02-01T00:00:00Z, of the whole bucket 2026-02-28T00:00:00Z)
note: build is part of another target, or the same: judged once
note: vex.json: CVE-2026-1\u{202e} of pkg:npm/left: matched nothing: no finding has this id

looked at: 46 files seen, 3 read, 42 skipped, 1 unreadable; 1 layer whole, 1 cut; 2 packages judged, 1 not judged; 1 Terraform root, 1 of 2 module calls resolved

ERROR: not everything was judged (no-advisories; see --allow and --lenient); no verdict; found so far: 2 CRITICAL, 3 HIGH violate the policy (fail on HIGH and above); 1 check undecided; 1 of UNKNOWN severity; 3 gaps (1 unjudged, 1 partial, 1 accepted)
"#;

fn table(options: Options) -> String {
    let report = sample::report();
    let verdict = judge(&report, &Policy::default());
    let mut out = Vec::new();
    write(Format::Table, &report, &verdict, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn shows_all() {
    assert_eq!(
        table(Options {
            width: 100,
            colour: false
        }),
        EXPECTED.trim_start()
    );
}

#[test]
fn colours_change_nothing_else() {
    let plain = table(Options {
        width: 100,
        colour: false,
    });
    let mut coloured = table(Options {
        width: 100,
        colour: true,
    });
    assert!(!plain.contains('\u{1b}'));
    for code in ["0", "1", "1;31", "31", "33", "36", "35", "1;32", "1;35"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(plain, coloured);
}
