//! What the tests share: data, archives made in memory, short questions.

use db_sync::{BuildReport, BuildRequest, Db, Query, Response, build};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Our own small advisory set.
pub(crate) fn own() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testdata/advisories"
    ))
}

/// The shared advisory data, or `None` with a remark where it is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let path = root.join("advisories").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no shared data");
    None
}

/// A database in a directory of its own.
pub(crate) struct Built {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) report: BuildReport,
    pub(crate) db: Db,
}

pub(crate) fn request(osv: &[&Path], directory: &Path) -> BuildRequest {
    BuildRequest {
        osv: osv.iter().map(|path| path.to_path_buf()).collect(),
        output: directory.join("advisories.db"),
        ..BuildRequest::default()
    }
}

pub(crate) fn built(osv: &[&Path], rustsec: Option<&Path>) -> Built {
    let directory = TempDir::new().expect("temporary directory");
    let mut request = request(osv, directory.path());
    request.rustsec = rustsec.map(Path::to_path_buf);
    let report = build(&request).expect("build");
    let db = Db::open(&request.output).expect("open");
    Built {
        path: request.output,
        directory,
        report,
        db,
    }
}

/// Builds from records given as JSON.
pub(crate) fn built_from(records: &[&str]) -> Built {
    let directory = TempDir::new().expect("temporary directory");
    for (number, record) in records.iter().enumerate() {
        let id = record.split('"').nth(3);
        let name = id.map_or_else(|| format!("{number}"), str::to_owned);
        fs::write(directory.path().join(format!("{name}.json")), record).expect("write");
    }
    built(&[directory.path()], None)
}

pub(crate) fn ask<'db>(db: &'db Db, ecosystem: &str, name: &str, version: &str) -> Response<'db> {
    let query = Query {
        ecosystem,
        name,
        version: Some(version),
        ..Query::default()
    };
    db.query(&query).expect("answer")
}

/// The matched records of an answer, sorted.
pub(crate) fn merged<'db>(outcome: &Response<'db>) -> Vec<&'db str> {
    let mut ids: Vec<&str> = outcome
        .matches
        .iter()
        .flat_map(db_sync::Match::merged)
        .collect();
    ids.sort_unstable();
    ids
}

/// One stored entry of an archive.
pub(crate) fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut central = Vec::new();
    for (name, bytes) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let offset = u32::try_from(out.len()).expect("small");
        let size = u32::try_from(bytes.len()).expect("small");
        let length = u16::try_from(name.len()).expect("short");
        let mut common = Vec::new();
        for field in [20_u16, 0, 0, 0, 0] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        for field in [crc.sum(), size, size] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        common.extend_from_slice(&length.to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
        central.extend_from_slice(b"PK\x01\x02\x14\x00");
        central.extend_from_slice(&common);
        central.extend_from_slice(&[0; 10]);
        central.extend_from_slice(&offset.to_le_bytes());
        central.extend_from_slice(name.as_bytes());
    }
    let offset = u32::try_from(out.len()).expect("small");
    let size = u32::try_from(central.len()).expect("small");
    let count = u16::try_from(entries.len()).expect("few");
    out.extend_from_slice(&central);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}
