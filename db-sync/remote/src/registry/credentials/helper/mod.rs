//! Credential helpers: `docker-credential-NAME get`, with the registry as input and the credential
//! as output. They are bounded in time and output; what they print is not repeated, it may hold
//! what they guard.

use super::credential::{Credential, Secret};
use serde::Deserialize;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a helper may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest answer of a helper, in bytes.
const MAX_OUTPUT: u64 = 256 << 10;
/// How often a helper that has answered is asked whether it has ended.
const POLL: Duration = Duration::from_millis(5);
/// The name under which helpers hand out identity tokens.
const TOKEN: &str = "<token>";
/// What every helper says about a registry that it does not know.
const UNKNOWN: &str = "credentials not found";

/// How helpers are run.
pub(super) struct Helper {
    /// Where they are, if not in `PATH`.
    pub(super) directory: Option<PathBuf>,
    /// How long one may take.
    pub(super) limit: Duration,
}

impl Default for Helper {
    fn default() -> Self {
        Self {
            directory: None,
            limit: LIMIT,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl Helper {
    /// The credential that a helper has for a server. The error is one clause.
    pub(super) fn get(&self, name: &str, server: &str) -> Result<Option<Credential>, String> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err("the name of a credential helper may contain only letters, digits, `.`, `_` and `-`".to_owned());
        }
        let program = format!("docker-credential-{name}");
        let path = match &self.directory {
            Some(directory) => directory.join(&program),
            None => PathBuf::from(&program),
        };
        let (status, output) = run(path, server, self.limit)
            .map_err(|error| format!("the credential helper {program} {}", error.clause()))?;
        if !status.success() {
            let text = String::from_utf8_lossy(&output);
            if text.contains(UNKNOWN) {
                return Ok(None);
            }
            return Err(format!("the credential helper {program} failed: {status}"));
        }
        let answer: Answer = serde_json::from_slice(&output).map_err(|_| {
            format!("the output of the credential helper {program} is not a credential")
        })?;
        Ok(match (answer.username.as_str(), answer.secret.as_str()) {
            ("", "") => None,
            (TOKEN, _) => Some(Credential::Identity(Secret(answer.secret))),
            _ => Some(Credential::Password(answer.username, Secret(answer.secret))),
        })
    }
}

enum Unhelpful {
    NotStarted(io::Error),
    Slow(Duration),
    TooLong,
    Unread,
}

impl Unhelpful {
    fn clause(&self) -> String {
        match self {
            Self::NotStarted(error) => format!("cannot be started: {error}"),
            Self::Slow(limit) => format!(
                "did not end within {} seconds and was stopped",
                limit.as_secs_f32()
            ),
            Self::TooLong => format!("wrote more than {MAX_OUTPUT} bytes"),
            Self::Unread => "cannot be read".to_owned(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user's own configuration names this program, and a login needs it"
)]
fn run(program: PathBuf, input: &str, limit: Duration) -> Result<(ExitStatus, Vec<u8>), Unhelpful> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Unhelpful::NotStarted)?;
    let result = talk(&mut child, input, limit);
    if result.is_err() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

fn talk(
    child: &mut Child,
    input: &str,
    limit: Duration,
) -> Result<(ExitStatus, Vec<u8>), Unhelpful> {
    let start = Instant::now();
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input may still answer.
        let _ = stdin.write_all(input.as_bytes());
    }
    let stdout = child.stdout.take().ok_or(Unhelpful::Unread)?;
    let (sender, receiver) = mpsc::channel();
    // Not joined: a child of the helper may keep the pipe open for ever.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let limit = MAX_OUTPUT.saturating_add(1);
        let read = stdout.take(limit).read_to_end(&mut bytes);
        // Nobody listens any more where the time was over.
        let _ = sender.send(read.map(|_| bytes));
    });
    let output = match receiver.recv_timeout(limit) {
        Ok(Ok(output)) => output,
        Ok(Err(_)) => return Err(Unhelpful::Unread),
        Err(_) => return Err(Unhelpful::Slow(limit)),
    };
    if u64::try_from(output.len()).is_ok_and(|length| length > MAX_OUTPUT) {
        return Err(Unhelpful::TooLong);
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status, output)),
            Ok(None) if start.elapsed() < limit => std::thread::sleep(POLL),
            Ok(None) => return Err(Unhelpful::Slow(limit)),
            Err(_) => return Err(Unhelpful::Unread),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
