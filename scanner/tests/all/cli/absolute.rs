//! No report holds an absolute path of the machine that made it: not where targets are named by
//! absolute paths, whatever is wrong in them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::run;

fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Something wrong for every stage.
fn faulty(tree: &Path) {
    put(&tree.join("Cargo.lock"), "= no");
    put(&tree.join("package-lock.json"), b"\xff\xfe");
    put(
        &tree.join("web/package.json"),
        "{\"dependencies\": {\"a\": \"1\"}}",
    );
    put(
        &tree.join("requirements.txt"),
        "-r missing.txt\n-r ../../outside.txt\n",
    );
    put(
        &tree.join("layout/oci-layout"),
        "{\"imageLayoutVersion\": \"1.0.0\"}",
    );
    let manifest = "{\"schemaVersion\": 2, \"manifests\": [{\"mediaType\": \"application/vnd.oci.image.manifest.v1+json\", \"digest\": \"sha256:0000000000000000000000000000000000000000000000000000000000000000\", \"size\": 3}]}";
    put(&tree.join("layout/index.json"), manifest);
    put(
        &tree.join("bad.tar"),
        [b"manifest.json".as_slice(), &[0; 4000]].concat(),
    );
    put(&tree.join("etc/os-release"), "ID=unheard-of\n");
    put(
        &tree.join("var/lib/dpkg/status"),
        "Package: a\nVersion: 1\n",
    );
    put(
        &tree.join("main.tf"),
        "module \"gone\" {\n  source = \"./gone\"\n}\nmodule \"up\" {\n  source = \"../../..\"\n}\nlocals {\n  a = file(\"gone.txt\")\n  b = file(\"${path.module}/gone.txt\")\n  c = templatefile(\"broken.tpl\", {})\n  d = file(abspath(\"gone.txt\"))\n  e = fileset(\"/\", \"*\")\n}\nresource \"aws_s3_bucket\" \"a\" {\n  bucket = local.a\n  acl    = local.c\n  tags   = { a = local.b, d = local.d, e = local.e, p = path.cwd }\n}\n",
    );
    put(&tree.join("broken.tpl"), "${");
    put(&tree.join("terraform.tfvars"), "a = \n= b");
    put(&tree.join("broken/main.tf"), "resource {");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(tree.join("nowhere"), tree.join("dangling.lock")).unwrap();
        symlink(tree.join("nowhere"), tree.join("poetry.lock")).unwrap();
        symlink(tree.parent().unwrap(), tree.join("out")).unwrap();
        symlink("loop", tree.join("loop")).unwrap();
        symlink("uv.lock", tree.join("uv.lock")).unwrap();
        symlink(tree, tree.join("self")).unwrap();
        symlink(
            tree.parent().unwrap().join("outside.tf"),
            tree.join("linked.tf"),
        )
        .unwrap();
        symlink(tree.parent().unwrap().join("gone.tf"), tree.join("gone.tf")).unwrap();
        let _ = fs::set_permissions(
            tree.join("broken"),
            std::os::unix::fs::PermissionsExt::from_mode(0o000),
        );
    }
}

#[test]
fn no_report_holds_an_absolute_path() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let (tree, elsewhere) = (root.join("tree"), root.join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    put(&root.join("outside.tf"), "locals {}\n");
    put(
        &root.join("statements.json"),
        "{\"@context\": \"https://openvex.dev/ns/v0.2.0\", \"@id\": \"https://x/y\", \"author\": \"a\", \"timestamp\": \"2026-01-01T00:00:00Z\", \"version\": 1, \"statements\": [{\"vulnerability\": {\"name\": \"CVE-2026-1\"}, \"products\": [{\"@id\": \"pkg:npm/a@1\"}], \"status\": \"not_affected\", \"justification\": \"component_not_present\"}]}",
    );
    faulty(&tree);
    let advisories = super::repository().join("testdata/demo-advisories");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let database = text(&root.join("a.db"));
    let built = run(
        &root,
        &[
            "db",
            "build",
            "--osv",
            &text(&advisories),
            "--db",
            &database,
        ],
    );
    assert_eq!(built.code, 0, "{}", built.err);
    let statements = text(&root.join("statements.json"));
    let bad = format!("docker-archive:{}", text(&tree.join("bad.tar")));
    let layout = text(&tree.join("layout"));
    for targets in [
        vec![text(&tree)],
        vec![layout, bad, text(&root.join("not-there"))],
    ] {
        for format in ["table", "json", "sarif"] {
            for place in [&elsewhere, &root, &tree] {
                let mut arguments = vec!["scan", "--db", &database, "--vex", &statements];
                arguments.extend(["--format", format, "--date", "2026-11-21"]);
                arguments.extend(targets.iter().map(String::as_str));
                let found = run(place, &arguments);
                assert!(found.out.len() > 200, "{}", found.err);
                if format == "json" && targets.len() == 1 {
                    let gaps = found.json()["gaps"].as_array().unwrap().len();
                    assert!(gaps >= 10, "{gaps} gaps: the faults are found");
                }
                let root = root.to_str().unwrap();
                let line = found.out.find(root).map(|at| {
                    let from = at.saturating_sub(200);
                    String::from_utf8_lossy(&found.out.as_bytes()[from..])
                        .chars()
                        .take(400)
                        .collect::<String>()
                });
                assert_eq!(line, None, "{format}");
            }
        }
    }
    #[cfg(unix)]
    let _ = fs::set_permissions(
        tree.join("broken"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    );
}
