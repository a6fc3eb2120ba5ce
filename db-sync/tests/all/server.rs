//! A small HTTP server on loopback that serves a folder and misbehaves on
//! demand: `ETag`, Range, refusals, cut connections.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with a path, once per entry.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// This status, with this `Retry-After`.
    Status(u16, Option<String>),
    /// The body ends after so many bytes.
    Cut(usize),
    /// The body stops for so long before it comes.
    Slow(Duration),
    /// A redirect to this path.
    Redirect(String),
}

struct Shared {
    root: Mutex<PathBuf>,
    troubles: Mutex<BTreeMap<String, Vec<Trouble>>>,
    requests: Mutex<Vec<(String, BTreeMap<String, String>)>>,
    stop: AtomicBool,
}

pub(crate) struct Server {
    shared: Arc<Shared>,
    pub(crate) url: String,
    address: std::net::SocketAddr,
}

impl Server {
    pub(crate) fn start(root: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("address");
        let shared = Arc::new(Shared {
            root: Mutex::new(root.to_owned()),
            troubles: Mutex::default(),
            requests: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let server = Self {
            shared: Arc::clone(&shared),
            url: format!("http://{address}"),
            address,
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&shared);
                if let Ok(stream) = stream {
                    std::thread::spawn(move || serve(&shared, stream));
                }
            }
        });
        server
    }

    pub(crate) fn trouble(&self, path: &str, troubles: &[Trouble]) {
        let mut all = self.shared.troubles.lock().expect("lock");
        all.insert(path.to_owned(), troubles.to_vec());
    }

    /// The paths that were asked for since the last call, with their headers.
    pub(crate) fn requests(&self) -> Vec<(String, BTreeMap<String, String>)> {
        std::mem::take(&mut *self.shared.requests.lock().expect("lock"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn decoded(path: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex: String = bytes.by_ref().take(2).map(char::from).collect();
            out.push(u8::from_str_radix(&hex, 16).expect("hex"));
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).expect("UTF-8")
}

fn serve(shared: &Shared, mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().expect("clone"));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = decoded(
            line.split(' ')
                .nth(1)
                .unwrap_or("/")
                .trim_start_matches('/'),
        );
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
        let mut requests = shared.requests.lock().expect("lock");
        requests.push((path.clone(), headers.clone()));
        drop(requests);
        let trouble = {
            let mut troubles = shared.troubles.lock().expect("lock");
            let list = troubles.get_mut(&path);
            list.filter(|list| !list.is_empty())
                .map(|list| list.remove(0))
        };
        let (head, body, cut) = answer(shared, &path, &headers, trouble.as_ref());
        if let Some(Trouble::Slow(time)) = trouble {
            std::thread::sleep(time);
        }
        let sent = stream.write_all(head.as_bytes()).and_then(|()| {
            let end = cut.unwrap_or(body.len()).min(body.len());
            stream.write_all(&body[..end])
        });
        if sent.is_err() || cut.is_some() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

fn answer(
    shared: &Shared,
    path: &str,
    headers: &BTreeMap<String, String>,
    trouble: Option<&Trouble>,
) -> (String, Vec<u8>, Option<usize>) {
    let plain = |status: &str, more: &str| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{more}\r\n");
        (head, Vec::new(), None)
    };
    match trouble {
        Some(Trouble::Status(code, after)) => {
            let after = after.as_ref();
            let more = after.map_or(String::new(), |after| format!("Retry-After: {after}\r\n"));
            return plain(&format!("{code} No"), &more);
        }
        Some(Trouble::Redirect(to)) => {
            return plain("302 Found", &format!("Location: {to}\r\n"));
        }
        _ => {}
    }
    let root = shared.root.lock().expect("lock").clone();
    let Ok(all) = std::fs::read(root.join(path)) else {
        return plain("404 Not Found", "");
    };
    let etag = format!("\"{:08x}-{}\"", flate2_crc(&all), all.len());
    if headers.get("if-none-match") == Some(&etag) {
        return plain("304 Not Modified", "");
    }
    let range = headers
        .get("range")
        .filter(|_| headers.get("if-range").is_none_or(|wanted| *wanted == etag))
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'));
    let (status, body, more) = match range {
        Some((start, end)) => {
            let start: usize = start.parse().expect("number");
            let end = end
                .parse()
                .map_or(all.len(), |end: usize| end + 1)
                .min(all.len());
            let more = format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, all.len());
            ("206 Partial Content", all[start..end].to_vec(), more)
        }
        None => ("200 OK", all, String::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: {etag}\r\n{more}\r\n");
    let cut = match trouble {
        Some(Trouble::Cut(bytes)) => Some(*bytes),
        _ => None,
    };
    (head, body, cut)
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
