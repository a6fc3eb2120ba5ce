//! A real S3 server on loopback that verifies signatures: `moto`, which is installed from the package
//! index into the target directory the first time. Where it cannot be, the test says so.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::{Access, Store, Times, Written};

const PACKAGE: &str = "moto[server]==5.2.5";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test installs the server that it asks"
    )]
    let mut command = Command::new(program);
    let status = command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The server's program, installed where it is not.
fn installed() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/moto");
    let program = tools.join("bin/moto_server");
    if program.exists() {
        return Some(program);
    }
    let folder = tools.to_str()?;
    let is_there = succeeds(Path::new("python3"), &["-m", "venv", folder])
        && succeeds(&tools.join("bin/pip"), &["install", "--quiet", PACKAGE]);
    is_there.then_some(program)
}

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Four requests are answered before it asks who sends them.
    fn start(program: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        #[expect(
            clippy::disallowed_methods,
            reason = "a test starts the server that it asks"
        )]
        let mut command = Command::new(program);
        let child = command
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "4")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        let start = Instant::now();
        // A connection alone may be one with ourselves, as long as nobody listens.
        while !server.answers() {
            assert!(start.elapsed() < PATIENCE, "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let mut answer = [0; 4];
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        stream
            .write_all(b"GET /moto-api/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            .and_then(|()| stream.read_exact(&mut answer))
            .is_ok_and(|()| answer == *b"HTTP")
    }

    fn ask(&self, method: &str, path: &str, service: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=x/20200101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=x\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
        answer
    }

    fn store(&self, id: &str, secret: &str) -> Store {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        let variable = |name: &str| match name {
            "AWS_ENDPOINT_URL_S3" => Some(endpoint.clone()),
            "AWS_ACCESS_KEY_ID" => Some(id.to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some(secret.to_owned()),
            _ => None,
        };
        let access = Access {
            variable: &variable,
            plain_http: false,
            times: Times::default(),
        };
        Store::open("s3://bucket/team/cache", &access).unwrap()
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[test]
fn a_server_that_verifies_signatures_keeps_objects() {
    let Some(program) = installed() else {
        eprintln!(
            "SKIPPED: {PACKAGE} cannot be installed; S3 was not tested against a real server"
        );
        return;
    };
    let server = Server::start(&program);
    let version = "Version=2010-05-08";
    let iam = |action: &str| server.ask("POST", "/", "iam", &format!("Action={action}&{version}"));
    iam("CreateUser&UserName=u");
    let keys = iam("CreateAccessKey&UserName=u");
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow\
                  %22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    iam(&format!(
        "PutUserPolicy&UserName=u&PolicyName=p&PolicyDocument={policy}"
    ));
    server.ask("PUT", "/bucket", "s3", "");
    let id = between(&keys, "<AccessKeyId>", "<");
    let secret = between(&keys, "<SecretAccessKey>", "<");
    let store = server.store(id, secret);
    assert_eq!(store.get("layers/ab", 100), Ok(None));
    assert_eq!(store.put_if_absent("layers/ab", b"one"), Ok(Written::New));
    assert_eq!(
        store.put_if_absent("layers/ab", b"two"),
        Ok(Written::Present)
    );
    assert_eq!(store.get("layers/ab", 100), Ok(Some(b"one".to_vec())));
    assert_eq!(store.replace("layers/ab", b"two"), Ok(()));
    assert_eq!(store.get("layers/ab", 100), Ok(Some(b"two".to_vec())));
    assert!(store.get("layers/ab", 2).is_err());
    // Many writers: one of them wins.
    let wins: u32 = std::thread::scope(|scope| {
        let one = |number: u8| {
            let store = &store;
            scope.spawn(move || store.put_if_absent("layers/cd", &[number; 4096]))
        };
        let all: Vec<_> = (0..8).map(one).collect();
        let all = all.into_iter().map(|thread| thread.join().unwrap());
        all.map(|written| u32::from(written == Ok(Written::New)))
            .sum()
    });
    let content = store.get("layers/cd", 1 << 20).unwrap().unwrap();
    assert_eq!(content.len(), 4096);
    assert!(content.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(wins >= 1, "{wins}");
    let forger = server.store(id, "another secret");
    let error = forger.get("layers/ab", 100).unwrap_err().to_string();
    assert!(error.contains("403"), "{error}");
}
