//! Images of a container engine that runs on this machine: Docker's Engine API over its Unix socket
//! (`GET /images/{name}/json`, `GET /images/{name}/get`), which Podman answers, too. HTTP/1.0, so that
//! an answer ends with its connection and nothing is chunked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::{Access, spool};
use crate::model::target::Engine;
use crate::source::{SourceError, invalid};

/// How long an engine may send nothing. It packs an image before it sends the first byte.
const SILENCE: Duration = Duration::from_secs(120);

/// Bytes of the head of an answer, and of an error that is repeated.
const MAX_HEAD: u64 = 64 << 10;

/// Bytes of a name.
const MAX_NAME: usize = 512;

/// Whether the engine has an image.
pub(super) fn has(engine: Engine, reference: &str, access: &Access) -> Result<bool, String> {
    let (status, _) = ask(engine, reference, "json", access)?;
    match status {
        200 => Ok(true),
        404 => Ok(false),
        status => Err(format!("{} answered {status}", engine.as_str())),
    }
}

/// The archive of an image.
pub(super) fn export(
    engine: Engine,
    reference: &str,
    access: &Access,
) -> Result<NamedTempFile, SourceError> {
    // An engine exports what it does not have as an archive without images.
    let known = has(engine, reference, access).map_err(|cause| invalid(reference, cause))?;
    if !known {
        let cause = format!("{} has no such image", engine.as_str());
        return Err(invalid(reference, cause));
    }
    let answer = ask(engine, reference, "get", access);
    let (status, mut body) = answer.map_err(|cause| invalid(reference, cause))?;
    if status != 200 {
        let cause = format!("{} answered {status}", engine.as_str());
        return Err(invalid(reference, cause));
    }
    spool::keep(reference, &mut body)
}

fn ask(
    engine: Engine,
    reference: &str,
    what: &str,
    access: &Access,
) -> Result<(u16, BufReader<UnixStream>), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if reference.is_empty() || reference.len() > MAX_NAME || !reference.chars().all(is_plain) {
        return Err("it is not the name of an image".to_owned());
    }
    let places = sockets(engine, access)?;
    let mut stream = None;
    let mut cause = format!("no {} socket", engine.as_str());
    for place in &places {
        match UnixStream::connect(place) {
            Ok(found) => {
                stream = Some(found);
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => cause = format!("{}: {error}", shown(place)),
        }
    }
    let mut stream = stream.ok_or(cause)?;
    let failed = |error: io::Error| format!("{}: {error}", engine.as_str());
    stream.set_read_timeout(Some(SILENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(SILENCE)).map_err(failed)?;
    let request = format!("GET /images/{reference}/{what} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut reader = BufReader::new(stream);
    let status = head(&mut reader).map_err(failed)?;
    Ok((status, reader))
}

/// Reads the head of an answer.
fn head(reader: &mut impl BufRead) -> io::Result<u16> {
    let malformed = || io::Error::other("the answer is not one of HTTP");
    let mut head = reader.take(MAX_HEAD);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    let status = words.next().and_then(|word| word.parse().ok());
    let status = status.filter(|_| is_http).ok_or_else(malformed)?;
    loop {
        line.clear();
        if head.read_line(&mut line)? == 0 {
            return Err(malformed());
        }
        if line.trim_end().is_empty() {
            return Ok(status);
        }
    }
}

/// Where an engine listens.
fn sockets(engine: Engine, access: &Access) -> Result<Vec<PathBuf>, String> {
    if let Some(host) = &access.docker_host {
        return match host.strip_prefix("unix://") {
            Some(path) => Ok(vec![PathBuf::from(path)]),
            None => {
                Err("DOCKER_HOST is not a Unix socket: use the registry, or an archive".to_owned())
            }
        };
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let below = |name: &str| runtime.as_ref().map(|directory| directory.join(name));
    let found: Vec<Option<PathBuf>> = match engine {
        Engine::Docker => vec![Some("/var/run/docker.sock".into()), below("docker.sock")],
        Engine::Podman => vec![
            below("podman/podman.sock"),
            Some("/run/podman/podman.sock".into()),
        ],
    };
    Ok(found.into_iter().flatten().collect())
}

/// The name of a socket; no path of the machine reaches a report.
fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
