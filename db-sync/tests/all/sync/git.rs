//! RustSec out of a git repository: git's own server on loopback where git is
//! installed, and canned answers of hostile ones.

use super::super::sources::unpack;
use super::super::support::{own, shared};
use super::{Place, run, small};
use db_sync::sync::{SyncReport, SyncRequest};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Method, path with query, headers, body.
struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

type Answer = dyn Fn(&Asked, &mut TcpStream) + Send + Sync;

/// A server that answers each connection once.
struct Server {
    url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: Box<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, told) = (Arc::new(answer), Arc::clone(&log));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, told) = (Arc::clone(&answer), Arc::clone(&told));
                std::thread::spawn(move || serve(&**answer, &told, stream));
            }
        });
        Self { url, log }
    }

    /// The requests since the last call.
    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().expect("lock"))
    }
}

fn serve(answer: &Answer, log: &Mutex<Vec<String>>, mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().expect("clone"));
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().expect("method"), words.next().expect("path"));
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) == 0 || header == "\r\n" {
            break;
        }
        if let Some((name, value)) = header.trim_end().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    let length = headers.get("content-length");
    let length = length.map_or(0, |length| length.parse().expect("length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("body");
    log.lock().expect("lock").push(format!("{method} {path}"));
    let asked = Asked {
        method,
        path,
        headers,
        body,
    };
    answer(&asked, &mut stream);
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn send(stream: &mut TcpStream, status: &str, more: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs git to make and to serve a repository"
)]
fn command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "nobody")
            .env(format!("GIT_{who}_EMAIL"), "nobody@localhost")
            .env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
    }
    command
}

fn git(directory: &Path, arguments: &[&str]) -> Output {
    let output = command(directory).args(arguments).output().expect("git");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {told}");
    output
}

/// Whether git is here with its http server.
fn has_git() -> bool {
    let here = std::env::temp_dir();
    let path = command(&here).arg("--exec-path").output();
    let found = path.is_ok_and(|output| {
        let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        path.join("git-http-backend").exists()
    });
    if !found {
        println!("skipped: no git with its http server");
    }
    found
}

/// A repository of a tree, in `repository` under the folder.
fn repository(tree: &Path, format: &str) -> TempDir {
    let root = TempDir::new().expect("temporary directory");
    let work = root.path().join("repository");
    copy(tree, &work);
    git(
        &work,
        &[
            "init",
            "-q",
            "-b",
            "main",
            &format!("--object-format={format}"),
        ],
    );
    commit(&work);
    root
}

fn commit(work: &Path) {
    git(work, &["add", "-A"]);
    git(work, &["commit", "-q", "-m", "tree"]);
    // Packed anew, so that there are deltas.
    git(work, &["repack", "-q", "-a", "-d", "-f"]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder") {
        let path = entry.expect("entry").path();
        let to = to.join(path.file_name().expect("name"));
        if path.is_dir() {
            if !path.ends_with(".git") {
                copy(&path, &to);
            }
        } else {
            fs::copy(&path, &to).expect("copy");
        }
    }
}

/// Git's own server, `git http-backend`, as CGI (RFC 3875).
fn git_server(root: &Path) -> Server {
    let root = root.to_owned();
    Server::start(Box::new(move |asked, stream| {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let header = |name: &str| asked.headers.get(name).cloned().unwrap_or_default();
        let mut child = command(&root)
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", &asked.method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", header("content-length"))
            .env("GIT_PROTOCOL", header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("git http-backend");
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(&asked.body).expect("body");
        drop(stdin);
        let output = child.wait_with_output().expect("answer").stdout;
        let end = output.windows(4).position(|part| part == b"\r\n\r\n");
        let (head, body) = output.split_at(end.expect("head") + 4);
        let head = String::from_utf8_lossy(head);
        let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
        let more = format!("Content-Length: {}\r\n", body.len());
        send(stream, status.unwrap_or("200 OK"), &more, body);
    }))
}

/// A bucket beside which RustSec is asked for.
fn bucket() -> TempDir {
    let root = TempDir::new().expect("temporary directory");
    small().write(root.path(), true);
    root
}

fn request(place: &Place, bucket: &TempDir, rustsec: &[&str]) -> SyncRequest {
    let mut request = place.request(&bucket.path().display().to_string());
    request.rustsec = rustsec.iter().map(|one| (*one).to_owned()).collect();
    request.access.tries = 2;
    request.access.backoff = std::time::Duration::from_millis(1);
    request
}

fn told(report: &SyncReport) -> Vec<String> {
    let warnings = report.build.warnings.iter();
    let own = warnings.filter(|warning| warning.source == "RustSec");
    own.map(|warning| warning.cause.clone()).collect()
}

#[test]
fn a_repository_gives_the_bytes_of_its_tree() {
    if !has_git() {
        return;
    }
    let bucket = bucket();
    for format in ["sha1", "sha256"] {
        let root = repository(&own().join("rustsec"), format);
        let server = git_server(root.path());
        let url = format!("git+{}/repository", server.url);
        let (tree, cloned) = (Place::new(), Place::new());
        let folder = own().join("rustsec").display().to_string();
        let plain = run(&request(&tree, &bucket, &[&folder])).expect("folder");
        let report = run(&request(&cloned, &bucket, &[&url])).expect("git");
        assert_eq!(told(&report), told(&plain));
        assert!(tree.bytes() == cloned.bytes(), "{format}");
        assert_eq!(server.requests().len(), 3);

        // The tip is the same: two questions, and no pack.
        let report = run(&request(&cloned, &bucket, &[&url])).expect("again");
        assert!(!report.written);
        assert_eq!(server.requests().len(), 2);
        // Offline, nothing at all.
        let mut offline = request(&cloned, &bucket, &[&url]);
        offline.offline = true;
        assert!(!run(&offline).expect("offline").written);
        assert!(server.requests().is_empty());
        let mut nothing = request(&Place::new(), &bucket, &[&url]);
        nothing.offline = true;
        assert!(run(&nothing).is_err());
    }
}

#[test]
fn a_new_tip_and_a_changed_folder_are_fetched_again() {
    if !has_git() {
        return;
    }
    let bucket = bucket();
    let root = repository(&own().join("rustsec"), "sha1");
    let work = root.path().join("repository");
    let server = git_server(root.path());
    let url = format!("{}/repository/.git", server.url);
    let place = Place::new();
    run(&request(&place, &bucket, &[&url])).expect("git");
    let before = place.bytes();
    server.requests();

    let unpacked = |place: &Place| {
        let folder = place.request("x").output.with_extension("db.sync");
        let entries = fs::read_dir(folder).expect("folder");
        let paths = entries.map(|entry| entry.expect("entry").path());
        let trees = paths.filter(|path| path.is_dir());
        let is_tree = |path: &PathBuf| path.join("crates").is_dir();
        trees.filter(is_tree).collect::<Vec<_>>()
    };
    let crates = unpacked(&place)[0].join("crates");
    fs::remove_dir_all(&crates).expect("remove");
    assert!(unpacked(&place).is_empty());
    run(&request(&place, &bucket, &[&url])).expect("again");
    assert_eq!(server.requests().len(), 3);
    assert!(place.bytes() == before);

    // Entries that are no advisories, or try to be elsewhere.
    let first = work.join("crates/left-behind/RUSTSEC-2099-0001.md");
    fs::create_dir_all(work.join("crates/two words")).expect("folder");
    let name = first.file_name().expect("name");
    fs::copy(&first, work.join("crates/two words").join(name)).expect("copy");
    fs::remove_file(&first).expect("remove");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc", work.join("crates/link")).expect("link");
    git(&work, &["add", "-A"]);
    let id = "160000,0123456789012345678901234567890123456789,crates/sub";
    git(&work, &["update-index", "--add", "--cacheinfo", id]);
    git(&work, &["commit", "-q", "-m", "changed"]);
    let report = run(&request(&place, &bucket, &[&url])).expect("changed");
    let causes = told(&report).join("\n");
    assert!(causes.contains("crates/two words/"), "{causes}");
    #[cfg(unix)]
    assert!(causes.contains("crates/link is left out: it is a symbolic link"));
    assert!(causes.contains("crates/sub is left out: it is a submodule"));
    assert!(report.written && place.bytes() != before);
    assert_eq!(unpacked(&place).len(), 1);
}

#[test]
fn the_real_tree_gives_the_bytes_of_its_folder() {
    let Some(archive) = shared("rustsec-advisory-db.tar.zst") else {
        return;
    };
    let scratch = TempDir::new().expect("temporary directory");
    if !has_git() || !unpack(&archive, scratch.path()) {
        return;
    }
    let tree = scratch.path().join("advisory-db");
    let root = repository(&tree, "sha1");
    let server = git_server(root.path());
    let bucket = bucket();
    let (plain, cloned) = (Place::new(), Place::new());
    run(&request(&plain, &bucket, &[&tree.display().to_string()])).expect("folder");
    let url = format!("git+{}/repository", server.url);
    run(&request(&cloned, &bucket, &[&url])).expect("git");
    assert!(plain.bytes() == cloned.bytes());
}

fn packets(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "0000" | "0001" => out.extend(line.bytes()),
            line => out.extend(format!("{:04x}{line}\n", line.len() + 5).bytes()),
        }
    }
    out
}

const TIP: &str = "0123456789012345678901234567890123456789";

/// A server that says all is well, up to the pack.
fn hostile(pack: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Server {
    Server::start(Box::new(move |asked, stream| {
        let body = String::from_utf8_lossy(&asked.body);
        if asked.method == "GET" {
            let all = ["version 2", "ls-refs", "fetch=shallow", "0000"];
            send(stream, "200 OK", "", &packets(&all));
        } else if body.contains("command=ls-refs") {
            let head = format!("{TIP} HEAD");
            send(stream, "200 OK", "", &packets(&[&head, "0000"]));
        } else {
            send(stream, "200 OK", "", &packets(&["packfile"]));
            pack(stream);
        }
    }))
}

fn refused(server: &Server, cause: &str) {
    let (place, bucket) = (Place::new(), bucket());
    let url = format!("git+{}/repository", server.url);
    let error = run(&request(&place, &bucket, &[&url])).expect_err("refused");
    assert!(error.to_string().contains(cause), "{error}");
    assert!(!place.request("x").output.exists());
    // With a mirror behind it, the sync goes on, and says so.
    let tree = own().join("rustsec").display().to_string();
    let report = run(&request(&place, &bucket, &[&url, &tree])).expect("mirror");
    let causes = told(&report).join("\n");
    assert!(causes.contains("the next mirror is used"), "{causes}");
    assert!(causes.contains(cause), "{causes}");
}

#[test]
fn hostile_packs_are_refused_and_a_mirror_is_used() {
    let no_objects = b"0025\x01PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e0000";
    let empty = hostile(|stream| {
        let _ = stream.write_all(no_objects);
    });
    refused(&empty, "was not sent");
    let bad = hostile(|stream| {
        let mut wrong = no_objects.to_vec();
        wrong[20] ^= 1;
        let _ = stream.write_all(&wrong);
    });
    refused(&bad, "its checksum is wrong");
    let cut = hostile(|stream| {
        let _ = stream.write_all(&no_objects[..30]);
    });
    refused(&cut, "cut off");
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let endless = hostile(move |stream| {
        let report = [b"0405\x02".as_slice(), &[b'.'; 1024]].concat();
        while stream.write_all(&report).is_ok() {
            counted.fetch_add(report.len(), Ordering::Relaxed);
        }
    });
    refused(&endless, "bytes of progress");
    assert!(sent.load(Ordering::Relaxed) < 64 << 20);
}

#[test]
fn other_hosts_and_other_things_are_refused() {
    let elsewhere = Server::start(Box::new(|_, stream| send(stream, "200 OK", "", b"")));
    let to = elsewhere.url.clone();
    let away = Server::start(Box::new(move |asked, stream| {
        let to = format!("Location: {to}{}\r\n", asked.path);
        send(stream, "302 Found", &to, b"");
    }));
    refused(&away, "which is another place");
    assert!(elsewhere.requests().is_empty());
    let turning = Server::start(Box::new(|asked, stream| {
        let to = format!("Location: /x{}\r\n", asked.path);
        send(stream, "301 Moved", &to, b"");
    }));
    refused(&turning, "too many redirects");
    let page = Server::start(Box::new(|_, stream| {
        send(stream, "200 OK", "", b"<html><body>Log in</body></html>");
    }));
    refused(&page, "does not speak git's smart protocol");
    let gone = Server::start(Box::new(|_, stream| send(stream, "404 Not Found", "", b"")));
    refused(&gone, "404");
}

/// Writes an object of git's own making; returns its id.
fn made(directory: &Path, arguments: &[&str], text: &str) -> String {
    let mut child = command(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git");
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(text.as_bytes()).expect("text");
    drop(stdin);
    let output = child.wait_with_output().expect("id");
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Few objects that are a million files: one folder in a thousand places.
#[test]
fn a_tree_in_many_places_is_left_at_its_bound() {
    if !has_git() {
        return;
    }
    let root = repository(&own().join("rustsec"), "sha1");
    let work = root.path().join("repository");
    let blob = made(&work, &["hash-object", "-w", "--stdin"], "text");
    let many = |kind: &str, id: &str| -> String {
        let lines = (0..1001).map(|number| format!("{kind} {id}\tx{number:04}\n"));
        lines.collect()
    };
    let inner = made(&work, &["mktree"], &many("100644 blob", &blob));
    let outer = made(&work, &["mktree"], &many("040000 tree", &inner));
    let top = made(
        &work,
        &["mktree"],
        &format!("040000 tree {outer}\tcrates\n"),
    );
    let tip = made(&work, &["commit-tree", "-m", "bomb", &top], "");
    git(&work, &["reset", "-q", "--soft", &tip]);
    refused(
        &git_server(root.path()),
        "more than 1000000 files and folders",
    );
}
