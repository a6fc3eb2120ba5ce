//! Many images that share layers, scanned by many processes with one cache: each layer is asked for
//! once, and the reports are those of scans without a cache. `PORTCULLIS_FLEET=1000` is the full
//! number of images.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::cli::run;
use crate::support::image::{Layout, dpkg_status, tar};

/// Processes at once.
const JOBS: usize = 16;
/// Images where nobody asks for more.
const IMAGES: usize = 48;

/// Requests for layers, by digest.
type Asked = Arc<Mutex<BTreeMap<String, usize>>>;

/// A layout, and the digests of the manifests of its images.
fn images(root: &Path, count: usize) -> Vec<String> {
    let layout = Layout(root);
    layout.create();
    let packages = |kind: &str, number: usize| -> Vec<(String, String)> {
        let one = |at: usize| (format!("{kind}{number}-{at}"), format!("{at}.{number}-1"));
        (0..40).map(one).collect()
    };
    let status = |packages: &[(String, String)]| {
        let borrowed: Vec<(&str, &str)> = packages.iter().map(|(a, b)| (&**a, &**b)).collect();
        dpkg_status(&borrowed)
    };
    let image = |number: usize| {
        let (base, runtime) = (number % 5, number % 20);
        let mut all = packages("base", base);
        let release = format!("ID=debian\nVERSION_ID={}\n", 10 + base % 3);
        let lowest = tar(&[
            ("etc/os-release", release.as_bytes()),
            ("var/lib/dpkg/status", &status(&all)),
        ]);
        all.extend(packages("runtime", runtime));
        let middle = tar(&[("var/lib/dpkg/status", &status(&all))]);
        let module = format!("{{\"name\": \"app{number}\", \"version\": \"1.0.{number}\"}}");
        let path = format!("app/node_modules/app{number}/package.json");
        let top = tar(&[(&path, module.as_bytes())]);
        layout.image("linux", "amd64", &[lowest, middle, top])
    };
    let digest = |image: Value| image["digest"].as_str().unwrap().to_owned();
    (0..count).map(|number| digest(image(number))).collect()
}

fn registry(root: &Path, asked: &Asked) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (root, asked) = (root.to_owned(), Arc::clone(asked));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (root, asked) = (root.clone(), Arc::clone(&asked));
            std::thread::spawn(move || answer(&stream.unwrap(), &root, &asked));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, root: &Path, asked: &Asked) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    for line in lines {
        if line.is_ok_and(|line| line.is_empty()) {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let digest = path.rsplit('/').next().unwrap_or_default();
    let file = root.join("blobs").join(digest.replace(':', "/"));
    let (status, body) = match fs::read(file) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let kind = if path.contains("/manifests/") {
        "application/vnd.oci.image.manifest.v1+json"
    } else {
        "application/octet-stream"
    };
    if body.starts_with(&[0x1f, 0x8b]) {
        let mut asked = asked.lock().unwrap();
        *asked.entry(digest.to_owned()).or_default() += 1;
    }
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

/// The reports of all jobs, each of which scans its share of the images.
fn reports(directory: &Path, registry: &str, images: &[String], cache: &[&str]) -> Vec<String> {
    std::thread::scope(|scope| {
        let job = |number: usize| {
            let share = images.iter().skip(number).step_by(JOBS);
            let targets = share.map(|digest| format!("image:{registry}/fleet@{digest}"));
            let mut arguments = vec!["scan".to_owned()];
            arguments.extend(targets);
            let more = ["--only", "vuln", "--format", "json", "--date", "2026-01-01"];
            arguments.extend(more.iter().chain(cache).map(|text| (*text).to_owned()));
            scope.spawn(move || {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                run(directory, &arguments)
            })
        };
        let jobs: Vec<_> = (0..JOBS).map(job).collect();
        let runs = jobs.into_iter().map(|job| job.join().unwrap());
        runs.map(|run| {
            assert!(run.out.contains("runtime"), "{}", run.err);
            run.out
        })
        .collect()
    })
}

#[test]
fn many_processes_with_one_cache_ask_for_each_layer_once() {
    let wanted = std::env::var("PORTCULLIS_FLEET").ok();
    let count = wanted.map_or(IMAGES, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("images");
    let images = images(&root, count);
    let asked = Asked::default();
    let registry = registry(&root, &asked);
    let directory = folder.path().join("work");
    fs::create_dir(&directory).unwrap();
    let with = |cache: &[&str]| reports(&directory, &registry, &images, cache);
    let plain = with(&["--no-cache"]);
    asked.lock().unwrap().clear();
    let cache = folder.path().join("cache");
    let cached = ["--cache-dir", cache.to_str().unwrap()];
    assert_eq!(with(&cached), plain);
    let counts = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(counts.len(), count.min(5) + count.min(20) + count);
    let often: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(often.is_empty(), "{often:?}");
    // The second time no layer is asked for.
    assert_eq!(with(&cached), plain);
    assert!(asked.lock().unwrap().is_empty());
}
