//! Tells on a terminal what a long run is doing. Nothing is said in the first second, nor when
//! stderr is no terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// After this time the run counts as long.
const QUIET: Duration = Duration::from_secs(1);

/// Stages told in the background; dropping it ends the thread and clears the line.
pub(super) struct Progress {
    stages: Option<Sender<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts telling, if anybody can read it.
    pub(super) fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self {
                stages: None,
                thread: None,
            };
        }
        let (sender, receiver) = mpsc::channel::<String>();
        let thread = thread::spawn(move || {
            let mut latest = String::new();
            let mut quiet = true;
            loop {
                match receiver.recv_timeout(QUIET) {
                    Ok(stage) => latest = stage,
                    Err(RecvTimeoutError::Timeout) => quiet = false,
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if !quiet {
                    let _ = write!(io::stderr(), "\r\x1b[Kportcullis: {latest} …");
                }
            }
            if !quiet {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        });
        Self {
            stages: Some(sender),
            thread: Some(thread),
        }
    }

    /// Names the stage that begins.
    pub(super) fn stage(&self, name: &str) {
        if let Some(stages) = &self.stages {
            let _ = stages.send(portcullis::output::escape::line(name).into_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stages = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
