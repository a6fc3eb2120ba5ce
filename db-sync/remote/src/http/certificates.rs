//! Certificate authorities out of a PEM file.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use ureq::tls::{Certificate, PemItem, parse_pem};

/// Longest certificate file.
const MAX_PEM: u64 = 16 << 20;

/// Why the authorities could not be had.
#[derive(Debug)]
pub(crate) struct CertificateError {
    pub(crate) path: PathBuf,
    pub(crate) cause: String,
}

pub(super) fn read(path: &Path) -> Result<Vec<Certificate<'static>>, CertificateError> {
    let wrong = |cause: String| CertificateError {
        path: path.to_owned(),
        cause,
    };
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PEM).read_to_end(&mut pem))
        .map_err(|error| wrong(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(found)
}
