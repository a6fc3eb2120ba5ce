//! Addresses of stores, and servers that answer in every wrong way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::place::{Login, Place};
use super::{Access, Store, Times, Written};

#[cfg(unix)]
mod real;

fn place(address: &str, variables: &[(&str, &str)]) -> Result<Place, String> {
    let variable = |name: &str| {
        let mut found = variables.iter().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| (*value).to_owned())
    };
    Place::parse(address, &variable).map_err(|error| error.to_string())
}

#[test]
fn every_kind_of_store_has_its_address_and_login() {
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let with = |more: &[(&'static str, &'static str)]| [&keys[..], more].concat();
    for (address, variables, object) in [
        (
            "s3://b/p/q",
            with(&[]),
            "https://b.s3.us-east-1.amazonaws.com/p/q/x",
        ),
        (
            "s3://b.c",
            with(&[("AWS_REGION", "eu-west-1")]),
            "https://s3.eu-west-1.amazonaws.com/b.c/x",
        ),
        (
            "s3://b/p",
            with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")]),
            "http://127.0.0.1:9000/b/p/x",
        ),
        ("gs://b/", vec![], "https://storage.googleapis.com/b/x"),
        (
            "az://a/c/p",
            vec![("AZURE_STORAGE_SAS_TOKEN", "?sig=1")],
            "https://a.blob.core.windows.net/c/p/x?sig=1",
        ),
        ("https://u:p%40@h/c", vec![], "https://h/c/x"),
    ] {
        let place = place(address, &variables).unwrap();
        assert_eq!(place.object("x").unwrap().as_str(), object, "{address}");
        assert!(!place.shown.contains("sig") && !place.shown.contains("p%40"));
    }
    let login = |address: &str, variables: &[(&str, &str)]| match place(address, variables).unwrap()
    {
        Place {
            login: Login::Header(value),
            ..
        } => value,
        _ => String::new(),
    };
    assert_eq!(login("https://u:p%40@h/", &[]), "Basic dTpwQA==");
    assert_eq!(
        login("https://h/", &[("PORTCULLIS_CACHE_TOKEN", "t")]),
        "Bearer t"
    );
    assert_eq!(
        login("gs://b", &[("GOOGLE_OAUTH_ACCESS_TOKEN", "t")]),
        "Bearer t"
    );
}

#[test]
fn what_is_no_store_is_refused() {
    for (address, variables) in [
        ("bucket", &[][..]),
        ("ftp://x/y", &[]),
        ("s3://", &[]),
        ("s3://b//p", &[]),
        ("s3://b/../p", &[]),
        ("s3://b/a b", &[]),
        ("az://account", &[]),
        ("https://h/?x=y", &[]),
        ("s3://b", &[("AWS_ACCESS_KEY_ID", "id")]),
        ("s3://b", &[("AWS_REGION", "x.evil.example/")]),
        ("s3://b", &[("AWS_ENDPOINT_URL", "evil")]),
    ] {
        assert!(place(address, variables).is_err(), "{address}");
    }
    let open = |address: &str, plain_http| {
        let access = Access {
            variable: &|_| None,
            plain_http,
            times: Times::default(),
        };
        Store::open(address, &access).map_err(|error| error.to_string())
    };
    assert!(open("http://10.0.0.1/c", false).is_err());
    assert!(open("http://10.0.0.1/c", true).is_ok());
    assert!(open("http://u:p@10.0.0.1/c", true).is_err());
    assert!(open("http://127.0.0.1:1/c", false).is_ok());
}

/// Answers the requests with these texts, one after the other, and keeps their heads.
fn server(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/c", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for (answer, stream) in answers.iter().zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or_default() <= 2 {
                    break;
                }
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&lower);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push(head);
            if answer.is_empty() {
                // Silence, until the other side gives up.
                let _ = reader.read(&mut [0]);
                continue;
            }
            let head = answer.replacen("\n\n", "\nConnection: close\n\n", 1);
            let _ = stream.write_all(head.replace('\n', "\r\n").as_bytes());
        }
    });
    (address, seen)
}

fn store(address: &str) -> Store {
    let times = Times {
        silence: Duration::from_millis(300),
        ..Times::default()
    };
    let access = Access {
        variable: &|_| None,
        plain_http: false,
        times,
    };
    Store::open(address, &access).unwrap()
}

fn got(answers: &'static [&'static str]) -> Result<Option<Vec<u8>>, String> {
    let (address, _) = server(answers);
    let got = store(&address).get("layers/ab", 10);
    got.map_err(|fault| fault.to_string())
}

const BUSY: &str = "HTTP/1.1 503 Busy\nContent-Length: 0\n\n";
const FOUND: &str = "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc";
const CUT: &str = "HTTP/1.1 200 OK\nContent-Length: 9\n\nabc";

#[test]
fn objects_are_read_whole_or_not_at_all() {
    assert_eq!(got(&[FOUND]), Ok(Some(b"abc".to_vec())));
    assert_eq!(got(&["HTTP/1.1 404 No\nContent-Length: 0\n\n"]), Ok(None));
    assert_eq!(got(&[BUSY, BUSY, FOUND]), Ok(Some(b"abc".to_vec())));
    assert_eq!(got(&[CUT, FOUND]), Ok(Some(b"abc".to_vec())));
    for (answers, cause) in [
        (&[BUSY, BUSY, BUSY, FOUND][..], "503"),
        (&[CUT, CUT, CUT, FOUND], ""),
        (&["HTTP/1.1 403 No\nContent-Length: 0\n\n", FOUND], "403"),
        (
            &[
                "HTTP/1.1 302 There\nLocation: http://127.0.0.1:1/\nContent-Length: 0\n\n",
                FOUND,
            ],
            "redirect",
        ),
        (
            &["HTTP/1.1 200 OK\nContent-Length: 11\n\n01234567890"],
            "more than 10",
        ),
        (
            &[
                "HTTP/1.1 429 Busy\nRetry-After: 3600\nContent-Length: 0\n\n",
                FOUND,
            ],
            "429",
        ),
    ] {
        let error = got(answers).unwrap_err();
        assert!(error.contains(cause), "{error}");
    }
}

#[test]
fn who_says_nothing_is_not_waited_for() {
    let start = Instant::now();
    assert!(got(&["", "", ""]).is_err());
    assert!(start.elapsed() < Duration::from_secs(5));
    let nobody = store("http://127.0.0.1:1/c");
    assert!(nobody.get("layers/ab", 10).is_err());
}

#[test]
fn only_what_is_not_there_is_written() {
    const NEW: &str = "HTTP/1.1 201 Made\nContent-Length: 0\n\n";
    const THERE: &str = "HTTP/1.1 412 There\nContent-Length: 0\n\n";
    let (address, seen) = server(&[NEW, THERE, NEW]);
    let store = store(&address);
    assert_eq!(store.put_if_absent("layers/ab", b"x"), Ok(Written::New));
    assert_eq!(store.put_if_absent("layers/ab", b"x"), Ok(Written::Present));
    assert_eq!(store.replace("layers/ab", b"x"), Ok(()));
    let seen = seen.lock().unwrap();
    let asked: Vec<bool> = seen
        .iter()
        .map(|head| head.contains("if-none-match: *"))
        .collect();
    assert_eq!(asked, [true, true, false]);
    assert!(seen[0].starts_with("put /c/layers/ab "), "{}", seen[0]);
    assert!(store.get("layers/a b", 10).is_err());
}
