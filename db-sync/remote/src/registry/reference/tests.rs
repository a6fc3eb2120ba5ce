//! What users type, and what is refused.

use super::Reference;

const HUB: &str = "registry-1.docker.io";

#[test]
fn references_are_completed_as_docker_does() {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let pinned = format!("host.example/a/b@{digest}");
    let both = format!("x.example/db:1@{digest}");
    let hub_pinned = format!("nginx@{digest}");
    let hub_whole = format!("docker.io/library/nginx@{digest}");
    for (text, host, whole) in [
        ("db", HUB, "docker.io/library/db:latest"),
        ("nginx:1.27", HUB, "docker.io/library/nginx:1.27"),
        ("docker.io/nginx", HUB, "docker.io/library/nginx:latest"),
        ("docker.io/a/b:c", HUB, "docker.io/a/b:c"),
        (&hub_pinned, HUB, &hub_whole),
        ("x.example:1", HUB, "docker.io/library/x.example:1"),
        ("team/db:1.2", HUB, "docker.io/team/db:1.2"),
        ("index.docker.io/db", HUB, "docker.io/library/db:latest"),
        ("localhost/db", "localhost", "localhost/db:latest"),
        (
            "localhost:5000/x",
            "localhost:5000",
            "localhost:5000/x:latest",
        ),
        (
            "localhost:5000/a/b:C_d",
            "localhost:5000",
            "localhost:5000/a/b:C_d",
        ),
        (
            "X.example/a__b/c---d/e.f",
            "X.example",
            "X.example/a__b/c---d/e.f:latest",
        ),
        ("HOST/a", "HOST", "HOST/a:latest"),
        ("[::1]:5000/a", "[::1]:5000", "[::1]:5000/a:latest"),
        ("[fd00::2]/a:1", "[fd00::2]", "[fd00::2]/a:1"),
        (&pinned, "host.example", &pinned),
        (&both, "x.example", &both),
    ] {
        let reference = Reference::parse(text).expect(text);
        assert_eq!(
            (reference.host(), reference.to_string().as_str()),
            (host, whole)
        );
    }
    let reference = Reference::parse(&both).expect("tag and digest");
    assert_eq!(reference.wanted(), digest, "the digest decides");
    assert_eq!(
        Reference::parse("nginx:1.27").expect("tag").wanted(),
        "1.27"
    );
}

#[test]
fn what_is_not_a_reference_is_refused() {
    let long = format!("x.example/{}", "a".repeat(256));
    let tag = format!("db:{}", "a".repeat(129));
    let upper = format!("db@sha256:{}", "0F".repeat(32));
    let other = format!("db@sha512:{}", "00".repeat(64));
    let id = "0f".repeat(32);
    for (bad, why) in [
        ("", "empty"),
        (":1", "repository is missing"),
        ("@", "digest"),
        ("db:", "tag"),
        ("db@", "digest"),
        ("db@sha256:00", "digest"),
        ("Db", "lower case"),
        ("a/../b", "part"),
        ("/db", "part"),
        ("db/", "part"),
        ("a//b", "part"),
        ("x.example/", "repository is missing"),
        ("x.example:/db", "host"),
        ("x.example:5a/db", "host"),
        ("x.example:70000/db", "host"),
        ("-x.example/db", "host"),
        ("x..example/db", "host"),
        ("[::1/db", "host"),
        ("[::g]/db", "host"),
        ("[::1]x/db", "host"),
        ("a___b", "part"),
        ("a..b", "part"),
        ("a._b", "part"),
        ("_a", "part"),
        ("a-", "part"),
        ("db:.a", "tag"),
        ("db:a/b", "host"),
        ("db:ä", "tag"),
        ("ä", "part"),
        ("a b", "part"),
        ("x.example/db?x=1", "part"),
        ("https://x.example/db", "URL"),
        ("user@x.example/db", "digest"),
        (&long, "255"),
        (&tag, "tag"),
        (&upper, "digest"),
        (&other, "digest"),
        (&id, "image id"),
    ] {
        let error = Reference::parse(bad).expect_err(bad);
        assert!(error.contains(why), "{bad}: {error}");
    }
}
