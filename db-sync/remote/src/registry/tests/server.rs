//! A small HTTP server on loopback: a function from request to raw answer.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked: the path with its query, and the headers in lower case.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) path: String,
    /// How many requests the connection had before.
    pub(super) before: usize,
    headers: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(str::trim)
    }

    /// Where the part begins that is asked for.
    pub(super) fn start(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.split_once('-')?.0.parse().ok()
    }
}

type Answer = dyn Fn(usize, &Asked) -> Vec<u8> + Send + Sync;

pub(super) struct Server {
    pub(super) address: String,
    log: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// `answer` gets the number of the request and the request.
    pub(super) fn start(answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address").to_string();
        let server = Self {
            address,
            log: Arc::default(),
            stop: Arc::default(),
        };
        let (log, stop) = (Arc::clone(&server.log), Arc::clone(&server.stop));
        let answer: Arc<Answer> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream.expect("stream"), &log, &*answer));
            }
        });
        server
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.log.lock().expect("log").clone()
    }

    /// How many requests had a path with this in it.
    pub(super) fn count(&self, part: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|one| one.path.contains(part)).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
    }
}

fn serve(mut stream: &TcpStream, log: &Mutex<Vec<Asked>>, answer: &Answer) {
    let mut reader = BufReader::new(stream);
    for before in 0.. {
        let mut first = String::new();
        if reader.read_line(&mut first).is_err() || first.is_empty() {
            return;
        }
        let mut headers = String::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(1..) if line != "\r\n" => headers.push_str(&line.to_lowercase()),
                _ => break,
            }
        }
        let asked = Asked {
            path: first.split(' ').nth(1).unwrap_or_default().to_owned(),
            before,
            headers,
        };
        let number = {
            let mut log = log.lock().expect("log");
            log.push(asked.clone());
            log.len() - 1
        };
        let answer = answer(number, &asked);
        let closes = answer.windows(CLOSE.len()).any(|part| part == CLOSE);
        let sent = stream.write_all(&answer);
        if answer.windows(STALL.len()).any(|part| part == STALL) {
            std::thread::sleep(Duration::from_secs(5));
        }
        if sent.is_err() || closes {
            return;
        }
    }
}

/// What ends a connection after an answer.
const CLOSE: &[u8] = b"Connection: close";
/// A header after whose answer the server sends nothing for five seconds.
pub(super) const STALL: &[u8] = b"X-Stall: 1\r\n";

/// A whole answer.
pub(super) fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    announced(status, headers, body.len(), body)
}

/// An answer that announces `length` bytes, whatever it has.
pub(super) fn announced(status: &str, headers: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    let _ = write!(head, "Content-Length: {length}\r\n{headers}\r\n");
    let mut out = head.into_bytes();
    out.extend_from_slice(body);
    out
}

/// The whole, or the part that is asked for; the connection ends after `most` bytes of it.
pub(super) fn part(all: &[u8], asked: &Asked, most: usize) -> Vec<u8> {
    let (status, start) = match asked.start() {
        Some(start) => ("206 Partial Content", start),
        None => ("200 OK", 0),
    };
    let Some(rest) = all.get(start..).filter(|rest| !rest.is_empty()) else {
        return reply("416 Range Not Satisfiable", "", b"");
    };
    let last = all.len() - 1;
    let range = format!("Content-Range: bytes {start}-{last}/{}\r\n", all.len());
    let headers = if status.starts_with("206") {
        range
    } else {
        String::new()
    };
    announced(status, &headers, rest.len(), &rest[..most.min(rest.len())])
}

/// Asks for a token of this server.
pub(super) fn wants_token(asked: &Asked) -> Vec<u8> {
    let host = asked.header("host").unwrap_or_default();
    let challenge =
        format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"\r\n");
    reply("401 Unauthorized", &challenge, b"")
}
