//! A real registry on loopback: `docker-registry`, where it is installed.

use super::{PACE, all, content, http};
use crate::registry::{
    Digest, Login, MANIFEST_TYPE, Reference, Registry, RegistryError, Repository,
};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = "docker-registry";

struct Running {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl Running {
    /// Starts one, or says that there is none.
    #[expect(
        clippy::disallowed_methods,
        reason = "the test starts its own registry"
    )]
    fn start() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut programs = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM));
        let Some(program) = programs.find(|program| program.is_file()) else {
            println!("skipped: no {PROGRAM}");
            return None;
        };
        let directory = TempDir::new().expect("temporary directory");
        let free = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = free.local_addr().expect("address").to_string();
        drop(free);
        let config = directory.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            directory.path().display()
        );
        std::fs::write(&config, text).expect("write");
        let child = Command::new(&program)
            .arg("serve")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start");
        let running = Self {
            child,
            address,
            _directory: directory,
        };
        for _ in 0..200 {
            if TcpStream::connect(&running.address).is_ok() {
                return Some(running);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{PROGRAM} does not start");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_image_is_read_from_a_real_registry() {
    let Some(running) = Running::start() else {
        return;
    };
    let (config, layer) = (b"{}".to_vec(), content(3_000_000));
    let describe = |bytes: &[u8]| {
        let (digest, size) = (Digest::of(bytes), bytes.len());
        format!(
            "{{\"mediaType\":\"application/octet-stream\",\"digest\":\"{digest}\",\"size\":{size}}}"
        )
    };
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST_TYPE}\",\"config\":{},\"layers\":[{}]}}",
        describe(&config),
        describe(&layer)
    );
    let text = format!("{}/team/app:1", running.address);
    let tagged = Reference::parse(&text).expect("reference");
    let http = http(PACE);
    let mut registry = Registry::new(&http, &tagged, &Login::Anonymous).expect("registry");
    for blob in [&config, &layer] {
        registry
            .put_blob(Digest::of(blob).as_str(), blob)
            .expect("pushed");
    }
    registry
        .put_manifest("1", manifest.as_bytes())
        .expect("pushed");

    let repository = Repository::new(&http, &tagged, &Login::Anonymous).expect("repository");
    let found = repository.manifest(&tagged).expect("manifest");
    assert_eq!(found.bytes, manifest.as_bytes());
    assert_eq!(found.media_type, MANIFEST_TYPE);
    let pinned = repository.manifest(&tagged.at(&found.digest));
    assert_eq!(pinned.expect("manifest"), found);
    let digest = Digest::of(&layer);
    assert_eq!(
        all(&repository, &digest, Some(3_000_000)).expect("layer"),
        layer
    );
    assert_eq!(all(&repository, &digest, None).expect("layer"), layer);
    let part = repository.blob_range(&digest, 2_999_000, 5000);
    assert_eq!(part.expect("part"), layer[2_999_000..]);
    assert_eq!(repository.referrers(&found.digest).expect("list"), []);
    let absent = repository.blob(&Digest::of(b"absent"), None).err();
    assert!(matches!(
        absent,
        Some(RegistryError::Status { status: 404, .. })
    ));
}
