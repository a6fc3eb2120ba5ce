//! Writers that are killed at any moment, and readers that never notice.
//!
//! The processes are this test binary again, told by the environment what to
//! be: a reader that asks until it is told to stop, or one writer. It is a
//! binary of its own because it keeps the machine busy, and tests beside it
//! that measure time would suffer.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking too")]

use db_sync::sync::SyncRequest;
use db_sync::transfer::{ImportRequest, export, import};
use db_sync::{BuildRequest, Db, Query, build, sync};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Names the role of a process; absent in the test itself.
const ROLE: &str = "PORTCULLIS_TEST_ROLE";
/// Where the files of a test are.
const PLACE: &str = "PORTCULLIS_TEST_PLACE";
/// How many writers are killed; 200 where it is not given.
const KILLS: &str = "PORTCULLIS_KILLS";
const READERS: usize = 20;
/// Records of the smaller state; the larger has half as many again.
const RECORDS: usize = 200;
const PACKAGES: usize = 40;

/// The states that a reader may see.
const STATES: [&str; 4] = ["one", "two", "three", "four"];

fn records_of(state: &str) -> usize {
    match state {
        "one" | "three" => RECORDS,
        _ => RECORDS * 3 / 2,
    }
}

/// An archive of records.
fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive
            .start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .expect("entry");
        archive.write_all(bytes).expect("write");
    }
    archive.finish().expect("archive").into_inner()
}

/// A bucket with one ecosystem, all of whose records are of one state.
fn bucket(root: &Path, state: &str, day: usize) {
    let folder = root.join("PyPI");
    fs::create_dir_all(&folder).expect("folder");
    let mut entries = Vec::new();
    let mut list = String::new();
    for number in 0..records_of(state) {
        let id = format!("PYSEC-2026-{number}");
        let time = format!("2026-01-{day:02}T00:00:00Z");
        let package = number % PACKAGES;
        let details = format!("{state} {number} ").repeat(100);
        let json = format!(
            r#"{{"id":"{id}","modified":"{time}","summary":"{state}","details":"{details}","affected":[{{"package":{{"ecosystem":"PyPI","name":"p{package}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{day}.{number}"}}]}}]}}]}}"#
        );
        let _ = writeln!(list, "{time},{id}");
        fs::write(folder.join(format!("{id}.json")), &json).expect("record");
        entries.push((format!("{id}.json"), json.into_bytes()));
    }
    fs::write(folder.join("all.zip"), zip(&entries)).expect("archive");
    fs::write(folder.join("modified_id.csv"), list).expect("list");
    fs::write(root.join("ecosystems.txt"), "PyPI\n").expect("list");
}

/// The one state that all answers of a database agree on.
fn state_of(database: &Path) -> String {
    let db = Db::open(database).expect("a whole database");
    db.verify().expect("checksums");
    let first = db.advisory("PYSEC-2026-0").expect("read").expect("known");
    let state = first.summary.clone();
    assert!(STATES.contains(&state.as_str()), "{state}");
    assert_eq!(db.info().records, records_of(&state) as u64, "{state}");
    let mut seen = 0;
    for package in 0..PACKAGES {
        let name = format!("p{package}");
        let query = Query {
            ecosystem: "PyPI",
            name: &name,
            version: Some("0.1"),
            as_of: None,
            module: None,
        };
        let answer = db.query(&query).expect("answer");
        assert!(answer.undecided.is_empty());
        for found in &answer.matches {
            assert_eq!(found.summary().expect("read"), state);
            seen += 1;
        }
    }
    assert_eq!(seen, records_of(&state), "{state}");
    for number in [7, 90, RECORDS - 1] {
        let id = format!("PYSEC-2026-{number}");
        let details = db.advisory(&id).expect("read").expect("known").details;
        assert!(details.starts_with(&format!("{state} {number} ")), "{id}");
    }
    state
}

/// What a process of this test does; nothing where it is the test run itself.
#[test]
fn process() {
    let (Ok(role), Some(place)) = (std::env::var(ROLE), std::env::var_os(PLACE)) else {
        return;
    };
    let place = PathBuf::from(place);
    let database = place.join("advisories.db");
    match role.split_once(' ') {
        None => {
            let mut times = 0_u64;
            while !place.join("stop").exists() {
                state_of(&database);
                times += 1;
                // Twenty of them leave the writers some of the machine.
                std::thread::sleep(Duration::from_millis(4));
            }
            assert!(times > 0);
        }
        Some(("sync", state)) => sync_from(&place, state),
        Some(("build", state)) => {
            build(&BuildRequest {
                osv: vec![place.join(state)],
                output: database,
                ..BuildRequest::default()
            })
            .expect("build");
        }
        Some(("import", state)) => {
            import(&ImportRequest {
                file: &place.join(format!("{state}.pcdb")),
                database: &database,
                key: None,
                signature: None,
            })
            .expect("import");
        }
        Some(("export", _)) => {
            export(&database, &place.join("out.pcdb")).expect("export");
        }
        _ => panic!("{role}"),
    }
}

fn sync_from(place: &Path, state: &str) {
    let request = SyncRequest {
        from: vec![place.join(state).display().to_string()],
        output: place.join("advisories.db"),
        ..SyncRequest::default()
    };
    sync::run(&request).expect("sync");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test is about processes that are killed"
)]
fn start(role: &str, place: &Path) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(place.join(format!(
            "log of {}",
            role.split(' ').next().unwrap_or_default()
        )))
        .expect("log");
    std::process::Command::new(std::env::current_exe().expect("own path"))
        .args(["--exact", "process", "--nocapture", "-q"])
        .env(ROLE, role)
        .env(PLACE, place)
        .env("RUST_TEST_THREADS", "1")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("process")
}

/// A small generator: the same seed kills at the same moments.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// What lies in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("list");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn no_reader_sees_a_partial_database_whenever_writers_are_killed() {
    let kills: u32 = std::env::var(KILLS)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let seed = 20_261_121;
    println!("seed {seed}, {kills} kills");
    let mut dice = Dice(seed);
    let directory = TempDir::new().expect("directory");
    let place = directory.path();
    for (number, state) in STATES.into_iter().enumerate() {
        bucket(&place.join(state), state, number + 1);
        let scratch = place.join(format!("{state}.db"));
        build(&BuildRequest {
            osv: vec![place.join(state)],
            output: scratch.clone(),
            ..BuildRequest::default()
        })
        .expect("build");
        assert_eq!(state_of(&scratch), state);
        export(&scratch, &place.join(format!("{state}.pcdb"))).expect("export");
        fs::rename(&scratch, place.join(format!("{state}.right"))).expect("rename");
    }
    let begin = Instant::now();
    sync_from(place, "one");
    let longest = begin.elapsed().max(Duration::from_millis(20));
    let database = place.join("advisories.db");
    let mut readers: Vec<Child> = (0..READERS).map(|_| start("reader", place)).collect();

    let roles = ["sync", "build", "import", "export", "sync"];
    let mut running: Vec<(Child, Instant, Duration)> = Vec::new();
    // Killed ones, those that left a half-written file, and those that won.
    let (mut killed, mut inside, mut ended) = (0, 0, 0);
    let mut next = 0;
    while killed < kills {
        while running.len() < 2 {
            let role = roles[next % roles.len()];
            let state = STATES[(next / roles.len() + next) % STATES.len()];
            next += 1;
            // Twenty readers take most of the machine: a writer's time grows.
            let span = u64::try_from(longest.as_micros()).expect("short") * 8;
            let until = Duration::from_micros(2_000 + dice.below(span));
            let child = start(&format!("{role} {state}"), place);
            running.push((child, Instant::now(), until));
        }
        std::thread::sleep(Duration::from_millis(1));
        running.retain_mut(|(child, since, until)| {
            if let Some(status) = child.try_wait().expect("wait") {
                assert!(status.success(), "a writer failed: {status}");
                ended += 1;
                return false;
            }
            if since.elapsed() < *until {
                return true;
            }
            child.kill().expect("kill");
            let status = child.wait().expect("wait");
            if status.code().is_none() {
                killed += 1;
                let scratch = names(place).iter().any(|name| name.starts_with('.'));
                inside += u32::from(scratch);
            }
            false
        });
        for reader in &mut readers {
            assert!(reader.try_wait().expect("wait").is_none(), "a reader ended");
        }
    }
    for (mut child, _, _) in running {
        let _ = child.wait();
    }
    println!(
        "{killed} writers were killed, {inside} times with a half-written file, and {ended} came to their end in {:?}",
        begin.elapsed()
    );
    assert!(ended > 0, "some writers must win");
    assert!(inside > 0 || kills < 50, "some must die while they write");
    fs::write(place.join("stop"), "").expect("stop");
    for mut reader in readers {
        let status = reader.wait().expect("wait");
        let log = fs::read_to_string(place.join("log of reader")).expect("log");
        assert!(status.success(), "a reader failed: {log}");
    }

    // Whatever the killed ones left: the next sync is right, and cleans up.
    state_of(&database);
    sync_from(place, "two");
    assert_eq!(state_of(&database), "two");
    let fresh = TempDir::new().expect("directory");
    std::os::unix::fs::symlink(place.join("two"), fresh.path().join("two")).expect("link");
    sync_from(fresh.path(), "two");
    assert_eq!(state_of(&fresh.path().join("advisories.db")), "two");
    start("export x", place).wait().expect("export");
    let lock = place.join("advisories.db.sync/lock");
    assert!(!lock.exists() || fs::File::open(&lock).expect("lock").try_lock().is_ok());
    let left: Vec<String> = names(place)
        .into_iter()
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // The changes that a database was made of, if the last writer made one so.
    let kept = |root: &Path| -> Vec<String> {
        let names = names(&root.join("advisories.db.sync")).into_iter();
        names.filter(|name| name != "changed").collect()
    };
    assert_eq!(kept(place), kept(fresh.path()));
    let of = |root: &Path| names(&root.join("advisories.db.sync/PyPI"));
    let known = [
        "all.zip",
        "all.zip.part",
        "all.zip.tag",
        "all.zip.tag.new",
        "changes.log",
        "modified_id.csv",
        "modified_id.csv.part",
        "modified_id.csv.tag",
        "modified_id.csv.tag.new",
        "settled",
        "settled.new",
    ];
    assert!(
        of(place).iter().all(|name| known.contains(&name.as_str())),
        "{:?}",
        of(place)
    );
}
