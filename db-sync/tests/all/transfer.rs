//! Moving databases: what is good arrives, everything else is refused and
//! leaves the old database as it was.

#[cfg(feature = "registry")]
mod docker;
#[cfg(feature = "registry")]
mod elsewhere;
#[cfg(feature = "registry")]
mod hostile;
#[cfg(feature = "registry")]
mod server;
mod signing;
#[cfg(feature = "registry")]
mod statics;

use super::support::{Built, built, own};
use db_sync::Db;
use db_sync::transfer::{
    ImportRequest, Installed, MAX_RATIO, TransferError, VerifyKey, export, import,
};
use sha2::{Digest, Sha256};
use signing::Signer;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// Bytes before the payload of an exported file.
const HEAD: usize = 128;

/// A database, its export, and a target that holds another database.
struct Scene {
    built: Built,
    other: Vec<u8>,
    directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        let built = built(&[&own().join("osv")], None);
        let other = super::support::built(&[&own().join("osv/npm")], None);
        let scene = Self {
            built,
            other: fs::read(&other.path).expect("read"),
            directory: TempDir::new().expect("temporary directory"),
        };
        fs::create_dir(scene.directory.path().join("place")).expect("directory");
        fs::write(scene.target(), &scene.other).expect("write");
        export(&scene.built.path, &scene.exported()).expect("export");
        scene
    }

    fn target(&self) -> PathBuf {
        self.directory.path().join("place/advisories.db")
    }

    fn exported(&self) -> PathBuf {
        self.directory.path().join("advisories.pcdb")
    }

    fn root(&self) -> &str {
        &self.built.db.info().root_digest
    }

    fn import(&self, file: &Path, key: Option<&VerifyKey>) -> Result<Installed, TransferError> {
        import(&ImportRequest {
            file,
            database: &self.target(),
            key,
            signature: None,
        })
    }

    fn import_bytes(&self, bytes: &[u8]) -> Result<Installed, TransferError> {
        let file = self.directory.path().join("changed.pcdb");
        fs::write(&file, bytes).expect("write");
        self.import(&file, None)
    }

    /// The old database is untouched and nothing lies beside it.
    fn assert_untouched(&self, what: &str) {
        assert!(
            fs::read(self.target()).expect("read") == self.other,
            "{what}"
        );
        let count = fs::read_dir(self.directory.path().join("place"))
            .expect("list")
            .count();
        assert_eq!(count, 1, "{what}");
    }

    fn assert_arrived(&self) {
        let arrived = fs::read(self.target()).expect("read");
        assert!(arrived == fs::read(&self.built.path).expect("read"));
        let count = fs::read_dir(self.directory.path().join("place"))
            .expect("list")
            .count();
        assert_eq!(count, 1);
    }
}

/// The format of the databases that this program writes.
const DATABASE_FORMAT: u32 = 4;

/// An exported file with a right head around any payload.
fn wrapped(root: &[u8], length: u64, payload: &[u8]) -> Vec<u8> {
    let mut out = b"PORTCLEX".to_vec();
    // The format of exports, and that of databases.
    out.extend_from_slice(&1_u32.to_le_bytes());
    out.extend_from_slice(&DATABASE_FORMAT.to_le_bytes());
    out.extend_from_slice(root);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    out.extend_from_slice(&Sha256::digest(payload));
    let check = Sha256::digest(&out);
    out.extend_from_slice(&check);
    out.extend_from_slice(payload);
    out
}

#[test]
fn an_export_imports_to_the_same_bytes() {
    let scene = Scene::new();
    let again = scene.directory.path().join("again.pcdb");
    let exported = export(&scene.built.path, &again).expect("export");
    assert_eq!(exported.root_digest, scene.root());
    let first = fs::read(scene.exported()).expect("read");
    assert!(
        first == fs::read(&again).expect("read"),
        "two exports differ"
    );
    assert_eq!(exported.size, first.len() as u64);
    let installed = scene.import(&again, None).expect("import");
    assert_eq!(installed.root_digest, scene.root());
    assert_eq!(installed.records, scene.built.db.info().records);
    assert!(!installed.signed);
    scene.assert_arrived();
}

#[cfg(unix)]
#[test]
fn a_database_is_not_exported_onto_itself() {
    let scene = Scene::new();
    let target = scene.target();
    let link = scene.directory.path().join("link.db");
    std::os::unix::fs::symlink(&target, &link).expect("link");
    for (database, onto) in [(&target, &target), (&link, &target), (&target, &link)] {
        let error = export(database, onto).expect_err("onto itself");
        assert!(matches!(error, TransferError::OntoItself { .. }), "{error}");
        assert_eq!(fs::read(&target).expect("read"), scene.other);
    }
}

#[test]
fn a_plain_database_imports_too() {
    let scene = Scene::new();
    scene.import(&scene.built.path, None).expect("import");
    scene.assert_arrived();
}

#[test]
fn any_flipped_byte_is_refused() {
    let scene = Scene::new();
    let good = fs::read(scene.exported()).expect("read");
    for position in (0..good.len()).filter(|at| *at < HEAD || at % 3 == 0 || at + 8 > good.len()) {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << (position % 8);
        assert!(scene.import_bytes(&bytes).is_err(), "byte {position}");
    }
    let plain = fs::read(&scene.built.path).expect("read");
    for position in (0..plain.len()).step_by(7) {
        let mut bytes = plain.clone();
        bytes[position] ^= 1 << (position % 8);
        assert!(
            scene.import_bytes(&bytes).is_err(),
            "byte {position} of a plain database"
        );
    }
    scene.assert_untouched("flipped bytes");
}

#[test]
fn a_shortened_or_lengthened_file_is_refused() {
    let scene = Scene::new();
    for good in [&scene.exported(), &scene.built.path] {
        let good = fs::read(good).expect("read");
        for length in (0..good.len()).step_by(97).chain([good.len() - 1]) {
            assert!(
                scene.import_bytes(&good[..length]).is_err(),
                "{length} bytes"
            );
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(matches!(
            scene.import_bytes(&longer),
            Err(TransferError::Damaged { .. })
        ));
    }
    scene.assert_untouched("lengths");
}

#[test]
fn crafted_files_with_right_checksums_are_refused() {
    let scene = Scene::new();
    let good = fs::read(scene.exported()).expect("read");
    let database = fs::read(&scene.built.path).expect("read");
    let (root, payload) = (&good[16..48], &good[HEAD..]);
    let length = database.len() as u64;
    let pack = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("pack");
    let mut twice = payload.to_vec();
    twice.extend_from_slice(payload);
    let mut trailing = payload.to_vec();
    trailing.extend_from_slice(b"more");
    let cases = [
        ("another root digest", wrapped(&[7; 32], length, payload)),
        ("more than announced", wrapped(root, length - 1, payload)),
        ("less than announced", wrapped(root, length + 1, payload)),
        ("two frames", wrapped(root, length, &twice)),
        ("bytes after the frame", wrapped(root, length, &trailing)),
        ("no frame", wrapped(root, length, &vec![0; payload.len()])),
        ("no database", wrapped(root, 5000, &pack(&[1; 5000]))),
        (
            "zeros without end",
            wrapped(root, length, &pack(&vec![0; 64 << 20])),
        ),
        ("nothing", wrapped(root, 0, &[])),
    ];
    for (what, bytes) in cases {
        assert!(scene.import_bytes(&bytes).is_err(), "{what}");
        scene.assert_untouched(what);
    }
    let bomb = pack(&vec![0; 65 << 20]);
    let error = scene
        .import_bytes(&wrapped(root, 65 << 20, &bomb))
        .expect_err("a bomb");
    assert!(
        matches!(
            error,
            TransferError::Limit {
                limit: MAX_RATIO,
                ..
            }
        ),
        "{error}"
    );
    // A frame of one raw block of 100 bytes, whose window is 2^27 or 2^28 bytes.
    let frame = |window: u8| {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3];
        frame.extend_from_slice(&[0x21, 3, 0]);
        frame.extend_from_slice(&[1; 100]);
        wrapped(root, 100, &frame)
    };
    assert!(matches!(
        scene.import_bytes(&frame(27)),
        Err(TransferError::Foreign { .. })
    ));
    assert!(matches!(
        scene.import_bytes(&frame(28)),
        Err(TransferError::Damaged {
            part: "payload",
            ..
        })
    ));
    // The same wrapper around the right payload is accepted.
    scene
        .import_bytes(&wrapped(root, length, payload))
        .expect("import");
    scene.assert_arrived();
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let scene = Scene::new();
    for odd in [
        scene.directory.path(),
        Path::new("/dev/zero"),
        Path::new("/nonexistent"),
    ] {
        assert!(matches!(
            scene.import(odd, None),
            Err(TransferError::Read { .. })
        ));
    }
    for (foreign, what) in [
        (&b""[..], "empty"),
        (b"{}", "json"),
        (b"PORTCL", "cut magic"),
    ] {
        assert!(
            matches!(
                scene.import_bytes(foreign),
                Err(TransferError::Foreign { .. })
            ),
            "{what}"
        );
    }
    let mut newer = fs::read(&scene.built.path).expect("read");
    newer[8] = 99;
    assert!(matches!(
        scene.import_bytes(&newer),
        Err(TransferError::Format { found: 99, .. })
    ));
    scene.assert_untouched("odd files");
}

#[test]
fn two_importers_and_readers_see_whole_databases_only() {
    let scene = Scene::new();
    let other = scene.directory.path().join("other.db");
    fs::write(&other, &scene.other).expect("write");
    let known = [
        scene.root().to_owned(),
        Db::open(&other).expect("open").info().root_digest.clone(),
    ];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut opened = 0;
                    while !done.load(Ordering::Relaxed) {
                        let db = Db::open(scene.target()).expect("open");
                        db.verify().expect("whole");
                        assert!(known.contains(&db.info().root_digest));
                        opened += 1;
                    }
                    opened
                })
            })
            .collect();
        let writers = [scene.exported(), other.clone()].map(|file| {
            let scene = &scene;
            scope.spawn(move || {
                for _ in 0..40 {
                    scene.import(&file, None).expect("import");
                }
            })
        });
        for writer in writers {
            writer.join().expect("writer");
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().expect("reader") > 0);
        }
    });
    let count = fs::read_dir(scene.directory.path().join("place"))
        .expect("list")
        .count();
    assert_eq!(count, 1, "a scratch file was left");
}

#[test]
fn with_a_key_only_its_signature_opens_the_door() {
    let scene = Scene::new();
    let (ours, theirs) = (Signer::new(1), Signer::new(2));
    let key = ours.key(scene.directory.path());
    let file = scene.exported();
    let beside = scene.directory.path().join("advisories.pcdb.minisig");
    let content = fs::read(&file).expect("read");
    assert!(matches!(
        scene.import(&file, Some(&key)),
        Err(TransferError::Unsigned { .. })
    ));
    for (what, text) in [
        ("another key", theirs.sign(&content)),
        ("another content", ours.sign(b"something else")),
        ("without the hash", ours.sign_legacy(&content)),
        (
            "another comment",
            ours.sign(&content).replace("test", "text"),
        ),
        ("no signature", "hello".to_owned()),
        ("empty", String::new()),
        (
            "another key with our id",
            Signer::with_id(2, ours.id).sign(&content),
        ),
    ] {
        fs::write(&beside, &text).expect("write");
        let error = scene.import(&file, Some(&key)).expect_err(what);
        assert!(
            matches!(error, TransferError::Signature { .. }),
            "{what}: {error}"
        );
    }
    fs::write(&beside, vec![b'x'; 9 << 10]).expect("write");
    assert!(matches!(
        scene.import(&file, Some(&key)),
        Err(TransferError::Limit { .. })
    ));
    scene.assert_untouched("bad signatures");
    fs::write(&beside, ours.sign(&content)).expect("write");
    assert!(scene.import(&file, Some(&key)).expect("import").signed);
    scene.assert_arrived();
}
