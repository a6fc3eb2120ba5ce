//! Exploitation feeds: what a file says is what the database answers, at any
//! day, through any alias; syncs keep, replace and refuse them.

#[cfg(feature = "network")]
use super::server::{Server, Trouble};
use super::support::{ask, built_from, own, request};
use db_sync::sync::{SyncReport, SyncRequest, run};
use db_sync::{BuildRequest, Db, FeedKind, Moment, Query, build};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const EPSS: &str = "#model_version:v1,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\nCVE-2023-2000,0.00042,0.1\nCVE-2023-2001,0.94358,0.999\nCVE-2023-2002,0.2,0.5\n";
const KEV: &str = r#"{"catalogVersion":"2026.11.19","dateReleased":"2026-11-19T10:00:00Z","vulnerabilities":[
    {"cveID":"CVE-2023-2000","dateAdded":"2024-01-10","dueDate":"2024-02-01","knownRansomwareCampaignUse":"Known"},
    {"cveID":"CVE-2023-2002","dateAdded":"2023-06-01"}]}"#;

fn record(ecosystem: &str, id: &str, rest: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z"{rest},"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"pack"}},"versions":["1"]}}]}}"#
    )
}

struct Place {
    directory: TempDir,
}

impl Place {
    /// Records of several ecosystems, and both feeds as files.
    fn new() -> Self {
        let directory = TempDir::new().expect("temporary directory");
        let place = Self { directory };
        for (folder, records) in [
            (
                "PyPI",
                vec![record(
                    "PyPI",
                    "PYSEC-2023-1",
                    r#","aliases":["CVE-2023-2000","CVE-2023-2001"],"related":["CVE-2023-2002"]"#,
                )],
            ),
            (
                "Debian",
                vec![record(
                    "Debian:12",
                    "DEBIAN-CVE-2023-2002",
                    r#","upstream":["CVE-2023-2002"]"#,
                )],
            ),
            (
                "AlmaLinux",
                vec![record(
                    "AlmaLinux:8",
                    "ALSA-2023:1",
                    r#","related":["CVE-2023-2001","CVE-2023-2002"]"#,
                )],
            ),
            (
                "Rocky Linux",
                vec![record(
                    "Rocky Linux:8",
                    "RLSA-2023:1",
                    r#","upstream":["CVE-2023-2000"],"related":["CVE-2023-2001"]"#,
                )],
            ),
            ("npm", vec![record("npm", "GHSA-aaaa-bbbb-cccc", "")]),
        ] {
            let folder = place.path("bucket").join(folder);
            fs::create_dir_all(&folder).expect("folder");
            let mut entries = Vec::new();
            let mut list = String::new();
            for record in records {
                let id = record.split('"').nth(3).expect("id").to_owned();
                let _ = writeln!(list, "2024-01-01T00:00:00Z,{id}");
                fs::write(folder.join(format!("{id}.json")), &record).expect("write");
                entries.push((format!("{id}.json"), record.into_bytes()));
            }
            fs::write(folder.join("all.zip"), super::support::zip(&entries)).expect("write");
            fs::write(folder.join("modified_id.csv"), list).expect("write");
        }
        let names = "AlmaLinux\nDebian\nPyPI\nRocky Linux\nnpm\n";
        fs::write(place.path("bucket/ecosystems.txt"), names).expect("write");
        place.put("epss.csv", EPSS);
        place.put("kev.json", KEV);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("write");
    }

    fn build(&self) -> Db {
        let request = BuildRequest {
            osv: vec![self.path("bucket")],
            epss: Some(self.path("epss.csv")),
            kev: Some(self.path("kev.json")),
            output: self.path("db"),
            ..BuildRequest::default()
        };
        let report = build(&request).expect("build");
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        self.db()
    }

    fn db(&self) -> Db {
        Db::open(self.path("db")).expect("open")
    }

    fn sync_request(&self, epss: &[&str], kev: &[&str]) -> SyncRequest {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut request = SyncRequest {
            from: vec![self.path("bucket").display().to_string()],
            epss: own(epss),
            kev: own(kev),
            output: self.path("db"),
            ..SyncRequest::default()
        };
        request.access.backoff = Duration::from_millis(5);
        request
    }

    fn sync(&self, epss: &[&str], kev: &[&str]) -> SyncReport {
        run(&self.sync_request(epss, kev)).expect("sync")
    }
}

fn day(text: &str) -> Option<Moment> {
    Moment::parse(&format!("{text}T23:59:59.999Z"))
}

/// `score of CVE / listed CVE` of the one match.
fn told(db: &Db, ecosystem: &str, as_of: Option<Moment>) -> String {
    let outcome = ask(db, ecosystem, "pack", "1");
    let found = outcome.matches.first().expect("match");
    let said = found.exploitation(as_of).expect("feeds");
    let epss = said.epss.map(|epss| format!("{} {}", epss.score, epss.cve));
    let kev = said.kev.map(|kev| kev.cve.to_string());
    format!("{} / {}", epss.unwrap_or_default(), kev.unwrap_or_default())
}

#[test]
fn a_vulnerability_is_asked_about_by_all_its_cves() {
    let place = Place::new();
    let db = place.build();
    assert_eq!(
        told(&db, "PyPI", None),
        "0.94358 CVE-2023-2001 / CVE-2023-2000"
    );
    assert_eq!(
        told(&db, "Debian:12", None),
        "0.2 CVE-2023-2002 / CVE-2023-2002"
    );
    assert_eq!(
        told(&db, "AlmaLinux:8", None),
        "0.94358 CVE-2023-2001 / CVE-2023-2002"
    );
    assert_eq!(
        told(&db, "Rocky Linux:8", None),
        "0.00042 CVE-2023-2000 / CVE-2023-2000"
    );
    assert_eq!(told(&db, "npm", None), " / ");
    let kev = db
        .kev("CVE-2023-2000", None)
        .expect("read")
        .expect("listed");
    assert!(kev.ransomware);
    assert_eq!(
        kev.due_date.map(|day| day.to_string()).as_deref(),
        Some("2024-02-01")
    );
    let epss = db
        .epss("CVE-2023-2002", None)
        .expect("read")
        .expect("scored");
    assert_eq!(
        (epss.score.parts(), epss.percentile.parts()),
        (20_000, 50_000)
    );
    assert_eq!(db.epss("CVE-2023-2003", None), Ok(None));
    assert_eq!(db.epss("GHSA-x", None), Ok(None));
}

#[test]
fn feeds_answer_as_of_a_day() {
    let place = Place::new();
    let db = place.build();
    assert_eq!(
        told(&db, "PyPI", day("2026-11-20")),
        "0.94358 CVE-2023-2001 / CVE-2023-2000"
    );
    assert_eq!(told(&db, "PyPI", day("2026-11-19")), " / CVE-2023-2000");
    assert_eq!(told(&db, "PyPI", day("2024-01-09")), " / ");
    assert!(db.has_feed(FeedKind::Epss, day("2026-11-20")));
    assert!(!db.has_feed(FeedKind::Epss, day("2026-11-19")));
    assert!(db.has_feed(FeedKind::Kev, day("2020-01-01")));
}

#[test]
fn a_database_names_its_feeds_and_is_the_same_twice() {
    let place = Place::new();
    let digest = place.build().info().root_digest.clone();
    let db = place.build();
    assert_eq!(db.info().root_digest, digest);
    let feeds = &db.info().feeds;
    let shown: Vec<_> = feeds
        .iter()
        .map(|feed| (feed.kind, feed.date.as_str(), feed.entries))
        .collect();
    assert_eq!(
        shown,
        [
            (FeedKind::Epss, "2026-11-20", 3),
            (FeedKind::Kev, "2026-11-19", 2)
        ]
    );
    assert!(feeds.iter().all(|feed| feed.digest.starts_with("sha256:")));
    // Without feeds there is nothing of them.
    let plain = built_from(&[r#"{"id":"X-1","modified":"2024-01-01T00:00:00Z"}"#]);
    assert!(plain.db.info().feeds.is_empty());
    let bytes = fs::read(&plain.path).expect("read");
    assert!(!bytes.windows(5).any(|window| window == b"feeds"));
}

#[test]
fn a_flipped_byte_in_a_feed_is_an_error_and_never_another_answer() {
    let place = Place::new();
    // Large enough that rows fill pages of their own.
    let mut text = EPSS.to_owned();
    for number in 3000..9000 {
        let _ = writeln!(text, "CVE-2024-{number},0.{number},0.5");
    }
    place.put("epss.csv", &text);
    let db = place.build();
    let good = fs::read(place.path("db")).expect("read");
    let ids = [
        "CVE-2024-3000",
        "CVE-2024-8999",
        "CVE-2023-2001",
        "CVE-2024-5000",
    ];
    let expected: Vec<_> = ids.iter().map(|id| db.epss(id, None)).collect();
    let (mut refused, path) = (0, place.path("flipped"));
    for position in (0..good.len()).step_by(97) {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(&path, &bytes).expect("write");
        let Ok(db) = Db::open(&path) else {
            refused += 1;
            continue;
        };
        for (id, expected) in ids.iter().zip(&expected) {
            match db.epss(id, None) {
                Err(_) => refused += 1,
                answer => assert_eq!(&answer, expected, "byte {position}"),
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_file_that_is_no_feed_leaves_the_old_database() {
    let place = Place::new();
    place.build();
    let before = fs::read(place.path("db")).expect("read");
    let mut request = request(&[&own().join("osv")], place.directory.path());
    request.output = place.path("db");
    for (epss, kev) in [
        (Some("kev.json"), None),
        (None, Some("epss.csv")),
        (Some("nowhere"), None),
    ] {
        request.epss = epss.map(|name| place.path(name));
        request.kev = kev.map(|name| place.path(name));
        build(&request).expect_err("refused");
        assert_eq!(fs::read(place.path("db")).expect("read"), before);
    }
}

#[test]
fn a_sync_gives_the_feeds_of_a_build_keeps_them_and_works_offline() {
    let place = Place::new();
    place.sync(&[], &[]);
    assert!(place.db().info().feeds.is_empty());
    let (epss, kev) = (place.path("epss.csv"), place.path("kev.json"));
    let (epss, kev) = (epss.to_str().expect("text"), kev.to_str().expect("text"));
    let report = place.sync(&[epss], &[kev]);
    assert!(report.written && !report.rebuilt);
    assert_eq!(
        told(&place.db(), "PyPI", None),
        "0.94358 CVE-2023-2001 / CVE-2023-2000"
    );
    let both = fs::read(place.path("db")).expect("read");
    // Nothing asked, nothing changed; and the same again.
    assert!(!place.sync(&[], &[]).written);
    assert!(!place.sync(&[epss], &[]).written);
    assert_eq!(fs::read(place.path("db")).expect("read"), both);
    // Built from nothing with what was fetched.
    let fresh = Place::new();
    fresh.sync(&[epss], &[kev]);
    assert_eq!(fresh.db().info().feeds, place.db().info().feeds);
    assert_eq!(
        told(&fresh.db(), "PyPI", None),
        told(&place.db(), "PyPI", None)
    );
    let mut full = place.sync_request(&[], &[]);
    full.full = true;
    run(&full).expect("full");
    assert_eq!(
        fs::read(place.path("db")).expect("read"),
        fs::read(fresh.path("db")).expect("read")
    );
    // Newer scores replace those of before, and the other feed stays.
    place.put("epss.csv", &EPSS.replace("0.94358", "0.11"));
    assert!(place.sync(&[epss], &[]).written);
    assert_eq!(
        told(&place.db(), "PyPI", None),
        "0.11 CVE-2023-2001 / CVE-2023-2000"
    );
    // Offline: what was fetched, also where database and source are gone.
    fs::remove_file(place.path("epss.csv")).expect("remove");
    let mut offline = place.sync_request(&[epss], &[]);
    offline.offline = true;
    assert!(!run(&offline).expect("offline").written);
    fs::remove_file(place.path("db")).expect("remove");
    offline.epss.clear();
    run(&offline).expect("offline");
    assert_eq!(
        told(&place.db(), "PyPI", None),
        "0.11 CVE-2023-2001 / CVE-2023-2000"
    );
}

#[test]
fn offline_without_anything_fetched_is_an_error_unless_the_database_has_it() {
    let place = Place::new();
    place.sync(&[], &[]);
    let mut offline = place.sync_request(&["https://example.org/epss.csv"], &[]);
    offline.offline = true;
    let error = run(&offline).expect_err("nothing fetched");
    assert!(error.to_string().contains("EPSS"), "{error}");
}

#[cfg(feature = "network")]
#[test]
fn feeds_come_over_http_with_tags_retries_and_mirrors() {
    let place = Place::new();
    let server = Server::start(place.directory.path());
    let epss = format!("{}/epss.csv", server.url);
    let kev = format!("{}/kev.json", server.url);
    server.trouble("epss.csv", &[Trouble::Status(503, None), Trouble::Cut(40)]);
    place.sync(&[&epss], &["http://127.0.0.1:1/kev.json", &kev]);
    assert_eq!(
        told(&place.db(), "PyPI", None),
        "0.94358 CVE-2023-2001 / CVE-2023-2000"
    );
    server.requests();
    assert!(!place.sync(&[&epss], &[&kev]).written);
    let asked = server.requests();
    let conditional = asked
        .iter()
        .filter(|(_, headers)| headers.contains_key("if-none-match"));
    assert_eq!((asked.len(), conditional.count()), (2, 2));
    // What is no feed any more is refused, and the database stays as it was.
    let before = fs::read(place.path("db")).expect("read");
    place.put("epss.csv", "<html>moved</html>");
    let error = run(&place.sync_request(&[&epss], &[])).expect_err("no feed");
    assert!(error.to_string().contains("EPSS"), "{error}");
    assert_eq!(fs::read(place.path("db")).expect("read"), before);
    place.put("epss.csv", EPSS);
    assert!(!place.sync(&[&epss], &[]).written);
    fs::remove_file(place.path("kev.json")).expect("remove");
    run(&place.sync_request(&[], &[&kev])).expect_err("missing");
}

#[test]
fn queries_do_not_depend_on_feeds() {
    let place = Place::new();
    let with = place.build();
    let plain = request(&[&place.path("bucket")], Path::new(place.directory.path()));
    build(&plain).expect("build");
    let without = Db::open(&plain.output).expect("open");
    for ecosystem in ["PyPI", "AlmaLinux:8", "Debian:12"] {
        let query = Query {
            ecosystem,
            name: "pack",
            version: None,
            as_of: None,
            module: None,
        };
        assert_eq!(with.query(&query), without.query(&query));
    }
    let found = ask(&without, "PyPI", "pack", "1");
    assert_eq!(
        found.matches[0].exploitation(None),
        Ok(db_sync::Exploitation::default())
    );
}

#[test]
fn a_feed_is_read_once_and_doubts_about_it_are_told_each_time() {
    let place = Place::new();
    let epss = place.path("epss.csv").display().to_string();
    assert!(place.sync(&[&epss], &[]).written);
    let kept = place.path("db.sync/epss.feed");
    let data = fs::metadata(&kept).expect("kept");
    // Nobody reads what is noted as read.
    fs::write(&kept, vec![b'x'; EPSS.len()]).expect("write");
    let file = fs::File::options().write(true).open(&kept).expect("open");
    file.set_modified(data.modified().expect("time"))
        .expect("set");
    assert!(!place.sync(&[&epss], &[]).written);
    assert!(
        place
            .db()
            .epss("CVE-2023-2001", None)
            .expect("feed")
            .is_some()
    );
    // Another file is.
    place.put("epss.csv", &format!("{EPSS}what\nCVE-2023-2004,0.9,0.9\n"));
    assert!(place.sync(&[&epss], &[]).written);
    assert!(
        place
            .db()
            .epss("CVE-2023-2004", None)
            .expect("feed")
            .is_some()
    );
    let again = place.sync(&[&epss], &[]);
    assert!(!again.written);
    let told = &again.build.warnings;
    assert!(
        told.iter().any(|warning| warning.entry == "line 6"),
        "{told:?}"
    );
    // Without the database the note is of no use.
    fs::remove_file(place.path("db")).expect("remove");
    assert!(place.sync(&[&epss], &[]).written);
    assert!(
        place
            .db()
            .epss("CVE-2023-2004", None)
            .expect("feed")
            .is_some()
    );
}
