//! A real registry on loopback: `docker-registry`, where it is installed.

use super::Scene;
use super::signing::{Signer, base64};
use db_sync::transfer::{
    Login, PushRequest, Pushed, RegistryError, RemoteError, Secret, TransferError, VerifyKey, push,
};
use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = "docker-registry";
/// `user`, `pass`.
const HTPASSWD: &str = "user:$2y$04$7ctwjiuNk4a5RAnWLyT88eY8Nxbb/sfRz02IHrXpozExlaIrPGCVa";

struct Registry {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl Registry {
    /// Starts one, or says that there is none.
    #[expect(
        clippy::disallowed_methods,
        clippy::panic,
        reason = "the test starts its own registry, and fails without it"
    )]
    fn start(password: bool) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let Some(program) = std::env::split_paths(&path)
            .map(|directory| directory.join(PROGRAM))
            .find(|program| program.is_file())
        else {
            println!("skipped: no {PROGRAM}");
            return None;
        };
        let directory = TempDir::new().expect("temporary directory");
        // Another process may take the free port meanwhile: then the next.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").expect("bind");
            let address = free.local_addr().expect("address").to_string();
            drop(free);
            let config = config(directory.path(), &address, password);
            let mut child = Command::new(&program)
                .args(["serve"])
                .arg(config)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("start");
            for _ in 0..200 {
                if child.try_wait().expect("wait").is_some() {
                    break;
                }
                if TcpStream::connect(&address).is_ok() {
                    return Some(Self {
                        child,
                        address,
                        _directory: directory,
                    });
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("{PROGRAM} does not start");
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(directory: &Path, address: &str, password: bool) -> std::path::PathBuf {
    let shown = directory.display();
    let mut text = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {shown}/data\nhttp:\n  addr: {address}\n"
    );
    if password {
        fs::write(directory.join("htpasswd"), format!("{HTPASSWD}\n")).expect("write");
        let _ = write!(
            text,
            "auth:\n  htpasswd:\n    realm: test\n    path: {shown}/htpasswd\n"
        );
    }
    let path = directory.join("config.yml");
    fs::write(&path, text).expect("write");
    path
}

fn password(text: &str) -> Login {
    Login::Password("user".to_owned(), Secret::from(text.to_owned()))
}

fn push_file(
    database: &Path,
    reference: &str,
    login: &Login,
    signature: Option<&Path>,
    key: Option<&VerifyKey>,
) -> Result<Pushed, TransferError> {
    push(&PushRequest {
        reference,
        database,
        signature,
        key,
        login,
        insecure: false,
    })
}

#[test]
fn a_database_goes_through_a_real_registry() {
    let Some(registry) = Registry::start(false) else {
        return;
    };
    let scene = Scene::new();
    let name = registry.name("team/advisories:2024");
    let pushed = push_file(&scene.built.path, &name, &Login::Anonymous, None, None).expect("push");
    assert_eq!(pushed.root_digest, scene.root());
    // Pushing again is harmless and names the same manifest.
    let again = push_file(&scene.exported(), &name, &Login::Anonymous, None, None).expect("push");
    assert_eq!(pushed, again);
    let pinned = registry.name(&format!("team/advisories@{}", pushed.manifest_digest));
    let dead = "127.0.0.1:1/team/advisories:2024".to_owned();
    let missing = registry.name("team/advisories:none");
    let pulled = scene
        .pull(&[dead, missing, pinned], &Login::Anonymous, None)
        .expect("pull");
    assert_eq!(pulled.refused.len(), 2);
    assert!(pulled.installed.is_some());
    scene.assert_arrived();
    let again = scene.pull(&[name], &Login::Anonymous, None).expect("pull");
    assert!(again.installed.is_none(), "downloaded what is there");
    assert!(matches!(
        push_file(
            &scene.built.path,
            &again_by_digest(&registry),
            &Login::Anonymous,
            None,
            None
        ),
        Err(TransferError::Remote(RemoteError::Registry(
            RegistryError::Push { .. }
        )))
    ));
}

fn again_by_digest(registry: &Registry) -> String {
    registry.name(&format!("team/advisories@sha256:{}", "0".repeat(64)))
}

#[test]
fn a_registry_with_a_password_wants_it() {
    let Some(registry) = Registry::start(true) else {
        return;
    };
    let scene = Scene::new();
    let name = registry.name("advisories:1");
    for wrong in [Login::Anonymous, password("wrong")] {
        assert!(push_file(&scene.built.path, &name, &wrong, None, None).is_err());
    }
    push_file(&scene.built.path, &name, &password("pass"), None, None).expect("push");
    for wrong in [Login::Anonymous, password("wrong")] {
        assert!(
            scene
                .pull(std::slice::from_ref(&name), &wrong, None)
                .is_err()
        );
        scene.assert_untouched("wrong passwords");
    }
    // The same with what `docker login` keeps.
    let docker = TempDir::new().expect("temporary directory");
    let auth = base64(b"user:pass");
    let config = format!(
        "{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}",
        registry.address
    );
    fs::write(docker.path().join("config.json"), config).expect("write");
    let login = Login::Docker(Some(docker.path().to_owned()));
    push_file(&scene.built.path, &name, &login, None, None).expect("push");
    scene.pull(&[name], &login, None).expect("pull");
    scene.assert_arrived();
}

#[test]
fn a_signature_travels_with_the_artifact() {
    let Some(registry) = Registry::start(false) else {
        return;
    };
    let scene = Scene::new();
    let (ours, theirs) = (Signer::new(1), Signer::new(2));
    let key = ours.key(scene.directory.path());
    let path = scene.directory.path().join("signature");
    let push = |tag: &str, text: Option<String>, key: Option<&VerifyKey>| {
        let signature = text.map(|text| {
            fs::write(&path, text).expect("write");
            path.as_path()
        });
        let name = registry.name(tag);
        push_file(&scene.built.path, &name, &Login::Anonymous, signature, key)
    };
    let file = scene.file();
    push("db:unsigned", None, None).expect("push");
    push("db:forged", Some(theirs.sign(&file)), None).expect("push");
    push("db:good", Some(ours.sign(&file)), Some(&key)).expect("push");
    assert!(push("db:bad", Some(theirs.sign(&file)), Some(&key)).is_err());
    assert!(push("db:bad", None, Some(&key)).is_err());
    assert!(push("db:bad", Some("hello".to_owned()), None).is_err());
    let pull = |tag: &str| scene.pull(&[registry.name(tag)], &Login::Anonymous, Some(&key));
    assert!(matches!(
        pull("db:unsigned"),
        Err(TransferError::Unsigned { .. })
    ));
    assert!(matches!(
        pull("db:forged"),
        Err(TransferError::Signature { .. })
    ));
    assert!(pull("db:bad").is_err(), "nothing was published");
    scene.assert_untouched("signatures");
    assert!(
        pull("db:good")
            .expect("pull")
            .installed
            .expect("new")
            .signed
    );
    scene.assert_arrived();
}
