//! Random updates, and those of the real bucket, against builds from nothing.

use super::*;

/// A random change: which record, what happens to it, and two numbers for it.
type Change = (u8, u8, u8, u8);

/// Records of several sources that lend each other ids and ratings.
fn apply(bucket: &mut Bucket, round: usize, (number, kind, package, other): Change) {
    let second = number % 60;
    let time = format!("2026-03-{:02}T00:00:{second:02}.{package}Z", round + 1).replace(".0Z", "Z");
    let rest = affects("PyPI", &format!("pack{package}"), &format!("2.{round}"));
    let debian = affects(
        "Debian:12",
        &format!("lib{package}"),
        &format!("2.{round}-1"),
    );
    let vector = format!(
        r#","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:{}/I:H/A:H"}}]"#,
        ["N", "L", "H"][usize::from(package) % 3]
    );
    let id = format!("PYSEC-2026-{number}");
    let (cve, others) = (
        format!("CVE-2026-{}", number / 2),
        format!("CVE-2026-{}", other / 2),
    );
    let distribution = format!("DEBIAN-{cve}");
    match kind {
        0 => bucket.remove("PyPI", &id),
        1 => bucket.set(
            "PyPI",
            &id,
            &time,
            &format!(r#","withdrawn":"2026-03-01T00:00:00Z"{rest}"#),
        ),
        2 => bucket.set(
            "PyPI",
            &id,
            &time,
            &format!(r#","aliases":["{others}"]{vector}{rest}"#),
        ),
        3 => bucket.set("PyPI", &id, &time, &rest),
        4 => bucket.set(
            "PyPI",
            &id,
            &time,
            &format!(r#","upstream":["{others}"]{rest}"#),
        ),
        5 => bucket.set(
            "Debian",
            &distribution,
            &time,
            &format!(r#","upstream":["{cve}"]{debian}"#),
        ),
        6 => bucket.set(
            "Debian",
            &format!("DSA-{number}"),
            &time,
            &format!(r#","related":["{cve}","{others}"]{debian}"#),
        ),
        7 => bucket.remove("Debian", &distribution),
        8 => {
            // One record in two directories, and another text of it in one of them.
            bucket.set("PyPI", &id, &time, &format!("{vector}{rest}"));
            bucket.set("npm", &id, &time, &format!("{vector}{rest}"));
        }
        9 => bucket.remove("npm", &id),
        10 => {
            // A rating that holds for one package, which others borrow.
            let rated = rest.replace(r#""},"ranges""#, &format!("\"}}{vector},\"ranges\""));
            bucket.set(
                "PyPI",
                &id,
                &time,
                &format!(r#","aliases":["{cve}"]{rated}"#),
            );
        }
        _ => bucket.set(
            "npm",
            &id,
            &time,
            &affects("npm", &format!("left{package}"), "3.0.0"),
        ),
    }
}

#[test]
fn random_updates_give_the_answers_of_a_build_from_nothing() {
    use proptest::prelude::*;
    let change = (0_u8..80, 0_u8..12, 0_u8..9, 0_u8..80);
    let rounds = prop::collection::vec(prop::collection::vec(change, 1..8), 1..6);
    let first = prop::collection::vec((0_u8..80, 0_u8..12, 0_u8..9, 0_u8..80), 0..60);
    let config = ProptestConfig::with_cases(24);
    proptest!(config, |(first in first, rounds in rounds)| {
        let root = TempDir::new().expect("temporary directory");
        let place = Place::new();
        let mut bucket = small();
        bucket.set("Debian", "DSA-1", "2026-01-01T00:00:00Z", &affects("Debian:12", "lib1", "1"));
        for change in first {
            apply(&mut bucket, 0, change);
        }
        bucket.write(root.path(), true);
        place.sync(root.path());
        for (round, changes) in rounds.iter().enumerate() {
            for change in changes {
                apply(&mut bucket, round + 1, *change);
            }
            bucket.write(root.path(), false);
            place.sync(root.path());
            assert_as_from_nothing(&place, root.path());
        }
    });
}

#[test]
fn many_changes_give_the_bytes_of_a_build_from_nothing() {
    let root = TempDir::new().expect("temporary directory");
    let place = Place::new();
    let mut bucket = small();
    bucket.write(root.path(), true);
    place.sync(root.path());
    let digest = |place: &Place| {
        Db::open(place.path())
            .expect("open")
            .info()
            .root_digest
            .clone()
    };
    for (round, count) in [(1, 3), (2, 550), (3, 2)] {
        for number in 0..count {
            let rest = affects(
                "PyPI",
                &format!("pack{}", number % 40),
                &format!("3.{round}"),
            );
            let time = format!("2026-04-{round:02}T00:00:00Z");
            bucket.set("PyPI", &format!("PYSEC-2026-{number}"), &time, &rest);
        }
        bucket.write(root.path(), false);
        assert!(!place.sync(root.path()).rebuilt);
        assert_as_from_nothing(&place, root.path());
        let is_whole = digest(&place) == digest(&from_nothing(root.path()));
        assert_eq!(is_whole, count > 500, "round {round}");
    }
    // A segment of changes without what it was made of is not gone on with.
    fs::remove_file(place.path().with_file_name("advisories.db.sync/changed")).expect("remove");
    bucket.remove("PyPI", "PYSEC-2026-1");
    bucket.write(root.path(), false);
    assert!(place.sync(root.path()).rebuilt);
    assert_as_from_nothing(&place, root.path());
}

/// Lays `over` onto `under` in a folder of its own, with links.
#[cfg(unix)]
fn overlay(under: &Path, over: &Path, to: &Path) {
    for layer in [under, over] {
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(layer.join(&folder)).expect("list") {
                let entry = entry.expect("entry");
                let path = folder.join(entry.file_name());
                if entry.path().is_dir() {
                    fs::create_dir_all(to.join(&path)).expect("folder");
                    folders.push(path);
                } else {
                    let _ = fs::remove_file(to.join(&path));
                    std::os::unix::fs::symlink(entry.path(), to.join(&path)).expect("link");
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn the_real_bucket_some_days_later() {
    let (Some(bucket), Some(delta)) = (shared("osv-bucket"), shared("delta")) else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&fs::read(delta.join("expected.json")).expect("read"))
            .expect("JSON");
    let later = TempDir::new().expect("temporary directory");
    overlay(&bucket, &delta, later.path());
    let place = Place::new();
    place.sync(&bucket);
    let report = place.sync(later.path());
    assert!(!report.rebuilt);
    let count = |of: fn(&db_sync::sync::EcosystemSync) -> u64| -> u64 {
        report.ecosystems.iter().map(of).sum()
    };
    assert_eq!(count(|one| one.added), 12);
    assert_eq!(count(|one| one.changed), 18);
    assert_eq!(count(|one| one.removed), 1);
    let db = Db::open(place.path()).expect("open");
    for source in &db.info().sources {
        let records = expected["records_after_sync"][&source.name].as_u64();
        assert_eq!(records, Some(source.records), "{}", source.name);
        assert_eq!(
            source.newest_listed.as_deref(),
            Some("2026-11-21T02:38:00.5Z")
        );
    }
    for change in expected["changes"].as_array().expect("list") {
        let id = change["id"].as_str().expect("id");
        let record = db.advisory(id).expect("read").expect(id);
        let withdrawn = change["withdrawn"].as_bool().expect("flag");
        assert_eq!(record.withdrawn.is_some(), withdrawn, "{id}");
    }
    assert!(
        db.advisory("BIT-modsecurity2-2026-52747")
            .expect("read")
            .is_none()
    );
    let new = from_nothing(later.path());
    assert_same(&[&bucket, &delta], &place.path(), &new.path());
}

/// Records all over the real bucket, with all that they are linked to.
#[cfg(unix)]
#[test]
fn real_records_go_and_come_back() {
    let Some(bucket) = shared("osv-bucket") else {
        return;
    };
    let root = TempDir::new().expect("temporary directory");
    let directories = ["Bitnami", "GIT", "Go", "PyPI"];
    fs::write(root.path().join("ecosystems.txt"), directories.join("\n")).expect("write");
    let list = |directory: &str, without: &dyn Fn(&str) -> bool| {
        let csv = fs::read_to_string(bucket.join(directory).join("modified_id.csv")).expect("read");
        let lines = csv
            .lines()
            .filter(|line| !without(line.rsplit(',').next().unwrap_or("")));
        let lines: Vec<&str> = lines.collect();
        let path = root.path().join(directory).join("modified_id.csv");
        fs::write(path, lines.join("\n")).expect("write");
    };
    for directory in directories {
        let folder = root.path().join(directory);
        fs::create_dir_all(&folder).expect("folder");
        let archive = bucket.join(directory).join("all.zip");
        std::os::unix::fs::symlink(&archive, folder.join("all.zip")).expect("link");
        let mut archive =
            zip::ZipArchive::new(fs::File::open(archive).expect("open")).expect("zip");
        for number in (0..archive.len()).step_by(97) {
            let mut entry = archive.by_index(number).expect("entry");
            let name = entry.name().expect("name").into_owned();
            let mut out = fs::File::create(folder.join(name)).expect("create");
            std::io::copy(&mut entry, &mut out).expect("copy");
        }
        list(directory, &|_| false);
    }
    let place = Place::new();
    place.sync(root.path());
    let mut digests = Vec::new();
    for round in 0..3 {
        for directory in directories {
            let folder = root.path().join(directory);
            list(directory, &|id| {
                round < 2
                    && folder.join(format!("{id}.json")).exists()
                    && (round == 0 || id.ends_with('7'))
            });
        }
        let report = place.sync(root.path());
        assert!(report.written && !report.rebuilt);
        digests.push(report.build.info.root_digest);
        assert_as_from_nothing(&place, root.path());
    }
    digests.push(
        from_nothing(root.path())
            .sync(root.path())
            .build
            .info
            .root_digest,
    );
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4, "written as changes each time");
}
