//! A registry over TLS: who is not vouched for by the authorities of `--registry-ca` sends nothing that
//! counts.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::Value;

use crate::cli;
use crate::support::certificate::{Certificate, authority, server};
use crate::support::image::{Layout, dpkg_status, tar};

/// Serves a layout over TLS; its address. This machine is asked over plain http by its usual names, so
/// that it needs another one here.
fn serve(root: &Path, certificate: &Certificate) -> String {
    let chain = vec![CertificateDer::from(certificate.der.clone())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificate.key.clone()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("127.1:{}", listener.local_addr().unwrap().port());
    let root = root.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (root, config) = (root.clone(), Arc::clone(&config));
            std::thread::spawn(move || answer(stream.unwrap(), &root, config));
        }
    });
    address
}

fn answer(mut socket: TcpStream, root: &Path, config: Arc<ServerConfig>) {
    let mut connection = ServerConnection::new(config).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut path = String::new();
    {
        let mut lines = BufReader::new(&mut stream);
        let mut line = String::new();
        // Who does not trust the certificate says nothing more.
        while lines.read_line(&mut line).unwrap_or_default() > 2 {
            if path.is_empty() {
                line.split(' ')
                    .nth(1)
                    .unwrap_or_default()
                    .clone_into(&mut path);
            }
            line.clear();
        }
    }
    let index: Value = serde_json::from_slice(&fs::read(root.join("index.json")).unwrap()).unwrap();
    let digest = match path.rsplit('/').next().unwrap_or_default() {
        "test" => index["manifests"][0]["digest"].as_str().unwrap(),
        digest => digest,
    };
    let body = fs::read(root.join("blobs").join(digest.replace(':', "/")));
    let (status, body) = body.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let kind = if path.contains("/manifests/") {
        "application/vnd.oci.image.manifest.v1+json"
    } else {
        "application/octet-stream"
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
    let _ = stream.flush();
    connection.send_close_notify();
    let _ = connection.complete_io(&mut socket);
}

#[test]
fn only_who_is_vouched_for_is_believed() {
    let here = tempfile::tempdir().unwrap();
    let layout = Layout(here.path());
    layout.create();
    let status = tar(&[("var/lib/dpkg/status", &dpkg_status(&[("one", "1-1")]))]);
    layout.index(&[layout.image("linux", "amd64", &[status])]);
    let (good, other) = (authority("good"), authority("other"));
    fs::write(here.path().join("good.pem"), good.pem()).unwrap();
    fs::write(here.path().join("other.pem"), other.pem()).unwrap();
    let address = serve(here.path(), &server(&good));
    let reference = format!("image:{address}/app:test");
    let scan = |more: &[&str]| {
        let only = [
            "scan",
            &reference,
            "--only",
            "vuln",
            "--no-cache",
            "--format",
            "json",
        ];
        cli::run(here.path(), &[&only[..], more].concat())
    };
    let run = scan(&["--registry-ca", "good.pem"]);
    assert_eq!(run.json()["packages"][0]["name"], "one", "{}", run.err);
    for authorities in [&["--registry-ca", "other.pem"][..], &[]] {
        let run = scan(authorities);
        assert_eq!(run.code, 2, "{}", run.err);
        assert_eq!(run.json()["packages"].as_array().unwrap().len(), 0);
        assert!(
            run.err.to_lowercase().contains("certificate"),
            "{}",
            run.err
        );
    }
    // Vouched for by the right one, but made for another use: an authority is no server.
    let address = serve(here.path(), &good);
    let reference = format!("image:{address}/app:test");
    let only = ["scan", &reference, "--only", "vuln", "--no-cache"];
    let run = cli::run(
        here.path(),
        &[&only[..], &["--registry-ca", "good.pem"]].concat(),
    );
    assert_eq!(run.code, 2, "{}", run.err);
}
