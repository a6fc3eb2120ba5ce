//! Images that are not on the disk: in a registry on loopback, in an engine behind a socket, on the
//! standard input. What a server does wrong is a clear error and never an image without packages.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis::inventory::dispatch::in_images;
use portcullis::source::cache::MAX_BYTES;
use portcullis::source::limits::Budget;
use portcullis::source::{
    Access, Contents, ImageKind, LayerCache, Platform, SourceError, open_image,
};
use serde_json::Value;

use crate::cli;
use crate::support::image::{Layout, docker_archive, dpkg_status, tar};
use crate::support::read_image;

const STATUS: &str = "var/lib/dpkg/status";

fn layer(package: &str) -> Vec<u8> {
    tar(&[(STATUS, &dpkg_status(&[(package, "1-1")]))])
}

/// What a server does besides answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Layers have a byte changed.
    Changed,
    /// Every body of a layer ends in the middle, also when it is asked for the rest.
    Cut,
    /// Only the first one does.
    CutOnce,
    /// Nobody may read anything.
    Locked,
    /// It asks to come back in an hour.
    Busy,
}

struct Registry {
    address: String,
    blobs: Arc<AtomicUsize>,
}

/// Serves a layout directory as the repository `app`, with the tag `test`.
fn registry(root: &Path, fault: Fault) -> Registry {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let blobs = Arc::new(AtomicUsize::new(0));
    let (root, counted) = (root.to_owned(), Arc::clone(&blobs));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (root, counted) = (root.clone(), Arc::clone(&counted));
            std::thread::spawn(move || answer(&stream.unwrap(), &root, fault, &counted));
        }
    });
    Registry { address, blobs }
}

fn answer(stream: &TcpStream, root: &Path, fault: Fault, blobs: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    let mut from = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() <= 2 {
            break;
        }
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            from = range
                .trim()
                .split('-')
                .next()
                .unwrap()
                .parse::<usize>()
                .ok();
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let send = |status: &str, headers: &str, body: &[u8]| {
        respond(stream, status, headers, body.len(), body);
    };
    let found = path
        .strip_prefix("/v2/app/")
        .and_then(|rest| rest.split_once('/'));
    let (kind, wanted) = match (fault, found) {
        (Fault::Locked, _) => {
            send("403 Forbidden", "", b"");
            return;
        }
        (Fault::Busy, _) => {
            send("429 Too Many Requests", "Retry-After: 3600\r\n", b"");
            return;
        }
        (_, Some(found)) => found,
        (_, None) => {
            send("404 Not Found", "", b"");
            return;
        }
    };
    let wanted = if wanted == "test" {
        let index: Value =
            serde_json::from_slice(&fs::read(root.join("index.json")).unwrap()).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().to_owned()
    } else {
        wanted.to_owned()
    };
    let folder = if kind == "referrers" {
        "referrers"
    } else {
        "blobs"
    };
    let file = root.join(folder).join(wanted.replace(':', "/"));
    let Ok(mut body) = fs::read(file) else {
        send("404 Not Found", "", b"");
        return;
    };
    if kind != "blobs" {
        let document: Value = serde_json::from_slice(&body).unwrap();
        let what = if document["manifests"].is_array() {
            "index"
        } else {
            "manifest"
        };
        let media_type = format!("application/vnd.oci.image.{what}.v1+json");
        send("200 OK", &format!("Content-Type: {media_type}\r\n"), &body);
        return;
    }
    let is_layer = !body.starts_with(b"{");
    let asked = blobs.fetch_add(usize::from(is_layer), Ordering::SeqCst);
    if is_layer && fault == Fault::Changed {
        // The time in the head of a gzip stream: only the digest tells.
        body[4] ^= 1;
    }
    let whole = body.len();
    let start = from.unwrap_or_default();
    let rest = body.split_off(start.min(whole));
    let status = if from.is_some() {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    let range = format!("Content-Range: bytes {start}-{}/{whole}\r\n", whole - 1);
    let is_cut = is_layer && (fault == Fault::Cut || fault == Fault::CutOnce && asked == 0);
    let shown = if is_cut { rest.len() / 2 } else { rest.len() };
    respond(stream, status, &range, rest.len(), &rest[..shown]);
}

/// An answer that promises so many bytes. Who does not listen any more is no fault of the server.
fn respond(mut stream: &TcpStream, status: &str, headers: &str, length: usize, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// Serves a layout; the address of the image in it.
pub(crate) fn serve(root: &Path) -> String {
    format!("{}/app:test", registry(root, Fault::None).address)
}

fn layout() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout(root.path());
    layout.create();
    let image = layout.image("linux", "amd64", &[layer("one"), layer("two")]);
    layout.index(&[image]);
    root
}

fn read(reference: &str, platform: Option<&Platform>) -> Result<Vec<Contents>, SourceError> {
    open_image(
        ImageKind::Registry,
        &PathBuf::from(reference),
        &Access::default(),
        platform,
        Budget::default(),
        None,
        &in_images(),
    )
}

#[test]
fn a_layer_that_was_read_is_not_asked_for_again() {
    let root = layout();
    let registry = registry(root.path(), Fault::None);
    let folder = tempfile::tempdir().unwrap();
    let cache = LayerCache::new(folder.path().join("c"), MAX_BYTES);
    let path = PathBuf::from(format!("{}/app:test", registry.address));
    let read = |cache: Option<&LayerCache>| {
        let (access, budget) = (Access::default(), Budget::default());
        let kind = ImageKind::Registry;
        open_image(kind, &path, &access, None, budget, cache, &in_images()).unwrap()
    };
    let asked = || registry.blobs.load(Ordering::SeqCst);
    let first = read(Some(&cache));
    assert_eq!(asked(), 2);
    let second = read(Some(&cache));
    assert_eq!(asked(), 2);
    assert_eq!(names(&second), names(&first));
    assert_eq!(second[0].files, first[0].files);
    assert_eq!(second[0].coverage, first[0].coverage);
    read(None);
    assert_eq!(asked(), 4);
    // What somebody broke is read again, and right again afterwards.
    for kind in ["layers", "images"] {
        for entry in walk(&folder.path().join("c").join(kind)) {
            fs::write(entry, b"portcullis layer 3\nnothing").unwrap();
        }
    }
    assert_eq!(names(&read(Some(&cache))), names(&first));
    assert_eq!(asked(), 6);
    read(Some(&cache));
    assert_eq!(asked(), 6);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn names(contents: &[Contents]) -> Vec<String> {
    let files = contents.iter().flat_map(|one| &one.files);
    let packages = files.flat_map(|(_, facts)| &facts.packages);
    packages.map(|package| package.name.to_string()).collect()
}

#[test]
fn a_registry_gives_what_the_layout_gives() {
    let root = layout();
    let whole = read_image(ImageKind::OciLayout, root.path(), None).unwrap();
    for fault in [Fault::None, Fault::CutOnce] {
        let registry = registry(root.path(), fault);
        let read = read(&format!("{}/app:test", registry.address), None).unwrap();
        assert_eq!(names(&read), names(&whole), "{fault:?}");
        assert_eq!(read[0].digest, whole[0].digest);
        let asked = registry.blobs.load(Ordering::SeqCst);
        assert_eq!(asked, if fault == Fault::None { 2 } else { 3 });
    }
}

#[test]
fn the_platform_that_is_asked_for_is_read_alone() {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout(root.path());
    layout.create();
    let one = layout.image("linux", "amd64", &[layer("one")]);
    let two = layout.image("linux", "arm64", &[layer("two")]);
    let index = layout.nested(&[one, two]);
    layout.index(&[index]);
    let registry = registry(root.path(), Fault::None);
    let reference = format!("{}/app:test", registry.address);
    let platform: Platform = "linux/arm64".parse().unwrap();
    assert_eq!(names(&read(&reference, Some(&platform)).unwrap()), ["two"]);
    assert_eq!(registry.blobs.load(Ordering::SeqCst), 1);
    assert_eq!(names(&read(&reference, None).unwrap()), ["one"]);
}

#[test]
fn what_a_registry_does_wrong_is_an_error() {
    let root = layout();
    for (fault, name, cause) in [
        (Fault::Changed, "app:test", "digest"),
        (Fault::Locked, "app:test", "may not read"),
        (Fault::Busy, "app:test", "wait 3600 seconds"),
        (Fault::None, "other:test", "there is no such image"),
        (Fault::None, "app:other", "there is no such image"),
        (
            Fault::None,
            "app@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "there is no such image",
        ),
    ] {
        let registry = registry(root.path(), fault);
        let error = read(&format!("{}/{name}", registry.address), None).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(cause), "{fault:?} {name}: {text}");
    }
    let registry = registry(root.path(), Fault::Cut);
    assert!(read(&format!("{}/app:test", registry.address), None).is_err());
}

#[test]
fn names_are_looked_for_where_users_expect_them() {
    let root = layout();
    let registry = registry(root.path(), Fault::None);
    let here = tempfile::tempdir().unwrap();
    let scan = |target: &str| {
        cli::run(
            here.path(),
            &["scan", target, "--only", "misconfig", "--format", "json"],
        )
    };
    let run = cli::run(
        here.path(),
        &[
            "scan",
            &format!("{}/app:test", registry.address),
            "--only",
            "vuln",
            "--format",
            "json",
        ],
    );
    // Without a database nothing is judged, but everything is read.
    assert_eq!(run.json()["targets"][0]["kind"], "image", "{}", run.err);
    // A slip in a kind asks nobody.
    let run = scan("ocii:app");
    assert!(
        run.code == 2 && run.err.contains("write oci:"),
        "{}",
        run.err
    );
    assert!(run.err.contains("image:ocii:app"), "{}", run.err);
    let run = scan("nginx");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("image:nginx"), "{}", run.err);
    let run = cli::run(
        here.path(),
        &[
            "scan",
            &format!("{}/other:1", registry.address),
            "--only",
            "vuln",
        ],
    );
    assert_eq!(run.code, 2);
    // Where an engine runs, it says that it has no such image.
    let steps = ["not a path", "docker", "there is no such image"];
    assert!(
        steps.iter().all(|step| run.err.contains(step)),
        "{}",
        run.err
    );
}

#[cfg(unix)]
#[test]
fn an_engine_is_asked_over_its_socket() {
    use std::os::unix::net::UnixListener;

    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut request).unwrap();
            let (status, body) = match request.split(' ').nth(1).unwrap() {
                "/images/app:1/json" => ("200 OK", b"{}".to_vec()),
                "/images/app:1/get" => ("200 OK", docker_archive(&[layer("one")])),
                _ => ("404 Not Found", Vec::new()),
            };
            let head = format!("HTTP/1.0 {status}\r\nContent-Type: x\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    let access = Access {
        docker_host: Some(format!("unix://{}", socket.display())),
        ..Access::default()
    };
    let engine = portcullis::model::target::Engine::Docker;
    let read = |name: &str| {
        let kind = ImageKind::Engine(engine);
        let path = PathBuf::from(name);
        open_image(
            kind,
            &path,
            &access,
            None,
            Budget::default(),
            None,
            &in_images(),
        )
    };
    assert_eq!(names(&read("app:1").unwrap()), ["one"]);
    let error = read("app:2").unwrap_err().to_string();
    assert!(error.contains("docker has no such image"), "{error}");
    let error = read("app:1 HTTP/1.0\r\nX: y").unwrap_err().to_string();
    assert!(error.contains("not the name of an image"), "{error}");
    let away = Access {
        docker_host: Some("tcp://192.0.2.1:2375".to_owned()),
        ..Access::default()
    };
    let has = portcullis::source::elsewhere::has(engine, "app:1", &away);
    assert!(has.unwrap_err().contains("not a Unix socket"));
}

#[test]
fn the_standard_input_is_an_archive() {
    let here = tempfile::tempdir().unwrap();
    let scan = |input: &[u8]| {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test starts the program it tests"
        )]
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["scan", "-", "--only", "vuln", "--format", "json"])
            .current_dir(here.path())
            .env_clear()
            .env("HOME", here.path())
            .env("PORTCULLIS_CACHE", "/dev/null/layers")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let mut out = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        child.wait().unwrap();
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let report = scan(&docker_archive(&[layer("one")]));
    assert_eq!(report["packages"][0]["name"], "one");
    assert_eq!(report["targets"][0]["kind"], "stdin");
    for input in [b"".as_slice(), b"no archive"] {
        let report = scan(input);
        assert_eq!(report["verdict"]["exit_code"], 2, "{report}");
    }
}
