//! Syncing over HTTP: a server's troubles, overcome or told in time.

use super::super::server::{Server, Trouble};
use super::{Place, affects, assert_as_from_nothing, from_nothing, fs, run, small};
use std::time::{Duration, Instant};

#[test]
fn troubles_of_a_server_are_overcome() {
    let mut bucket = small();
    let root = bucket.folder();
    let expected = from_nothing(root.path()).bytes();
    let server = Server::start(root.path());
    let busy = |after: Option<&str>| Trouble::Status(429, after.map(str::to_owned));
    server.trouble(
        "ecosystems.txt",
        &[busy(Some("1")), Trouble::Status(503, None)],
    );
    server.trouble(
        "PyPI/all.zip",
        &[Trouble::Cut(20_000), Trouble::Cut(30_000)],
    );
    server.trouble("npm/modified_id.csv", &[Trouble::Cut(10)]);
    server.trouble(
        "npm/all.zip",
        &[Trouble::Redirect("/npm/all.zip".to_owned())],
    );
    let place = Place::new();
    let start = Instant::now();
    run(&place.request(&server.url)).expect("sync");
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "Retry-After counts"
    );
    assert!(place.bytes() == expected);
    let requests = server.requests();
    let ranges: Vec<&str> = requests
        .iter()
        .filter(|(path, _)| path == "PyPI/all.zip")
        .filter_map(|(_, headers)| headers.get("range").map(String::as_str))
        .collect();
    assert_eq!(ranges, ["bytes=20000-", "bytes=50000-"]);
    // Nothing is loaded twice.
    assert!(!run(&place.request(&server.url)).expect("sync").written);
    let lists = server.requests();
    assert!(
        lists
            .iter()
            .all(|(path, headers)| !path.ends_with("all.zip")
                && (headers.contains_key("if-none-match") || path == "modified_id.csv"))
    );

    // A record that cannot be had: nothing changes, the others are kept.
    for number in 0..5 {
        let rest = affects("PyPI", "pack9", &format!("5.{number}"));
        bucket.set(
            "PyPI",
            &format!("PYSEC-2026-7{number}"),
            "2026-04-01T00:00:00Z",
            &rest,
        );
    }
    bucket.write(root.path(), false);
    let path = "PyPI/PYSEC-2026-74.json";
    server.trouble(path, &vec![Trouble::Status(500, None); 5]);
    let error = run(&place.request(&server.url)).expect_err("refused");
    assert_eq!(error.to_string(), "could not sync PyPI");
    assert!(place.bytes() == expected);
    server.requests();
    let report = run(&place.request(&server.url)).expect("sync");
    assert_eq!(report.ecosystems[0].added, 5);
    assert!(report.ecosystems[0].fetched <= 2, "{report:?}");
    assert_as_from_nothing(&place, root.path());
}

#[test]
fn what_cannot_be_overcome_is_an_error_in_time() {
    let root = small().folder();
    let server = Server::start(root.path());
    let place = Place::new();
    let mut request = place.request(&server.url);
    request.access.tries = 2;
    request.access.patience = Duration::from_millis(300);
    let list = "ecosystems.txt";
    for (trouble, cause) in [
        (Trouble::Status(403, None), "403"),
        (Trouble::Status(429, Some("86400".to_owned())), "429"),
        (Trouble::Slow(Duration::from_secs(2)), "timeout"),
    ] {
        server.trouble(list, &[trouble.clone(), trouble]);
        let error = run(&request).expect_err(cause).to_string();
        assert!(error.contains(cause), "{error}");
    }
    let mut round = vec![Trouble::Redirect(format!("/{list}")); 9];
    round.truncate(9);
    server.trouble(list, &round);
    let error = run(&request).expect_err("redirects").to_string();
    assert!(error.contains("redirect"), "{error}");
    server.trouble(list, &[]);
    // The next mirror takes over.
    request.from = vec!["http://127.0.0.1:9".to_owned(), server.url.clone()];
    let report = run(&request).expect("second mirror");
    assert!(
        report
            .build
            .warnings
            .iter()
            .any(|one| one.source == "mirrors")
    );
    fs::remove_file(place.path()).expect("remove");
    request.access.ca_file = Some(root.path().join("ecosystems.txt"));
    let error = run(&request).expect_err("no certificates").to_string();
    assert!(error.contains("no certificate"), "{error}");
}

#[test]
fn a_storm_of_refusals_ends_in_bounded_time() {
    let root = small().folder();
    let server = Server::start(root.path());
    let place = Place::new();
    let mut request = place.request(&server.url);
    request.access.total_wait = Duration::from_millis(1500);
    let storm = vec![Trouble::Status(429, Some("1".to_owned())); 4];
    server.trouble("ecosystems.txt", &storm);
    let begin = Instant::now();
    let error = run(&request).expect_err("storm").to_string();
    assert!(begin.elapsed() < Duration::from_secs(4));
    assert!(
        error.contains("429") && error.contains("have waited"),
        "{error}"
    );
    server.trouble(
        "ecosystems.txt",
        &[Trouble::Status(429, Some("999".to_owned()))],
    );
    let error = run(&request).expect_err("busy").to_string();
    assert!(error.contains("asks to wait 999 seconds"), "{error}");
}
