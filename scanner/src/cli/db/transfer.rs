//! `portcullis db export | import | push | pull`.

#[cfg(feature = "registry")]
use std::io::Read as _;
use std::path::Path;

use db_sync::transfer::{self, ImportRequest, Installed, TransferError, VerifyKey};

use crate::cli::args::TransferCommand;
#[cfg(feature = "registry")]
use crate::cli::args::{LoginArguments, PullArguments, PushArguments};
use crate::cli::failure::Failure;
use crate::cli::{paths, print};
use portcullis::output::escape;

/// The longest password that is read from stdin, in bytes.
#[cfg(feature = "registry")]
const MAX_PASSWORD: u64 = 64 << 10;

/// Runs one of the subcommands.
pub(super) fn run(command: &TransferCommand) -> Result<u8, Failure> {
    match command {
        TransferCommand::Export { file, database } => {
            let database = paths::database(database);
            if file.as_os_str() == "-" {
                return Err(Failure::new("an export is not written to stdout")
                    .hint("name a file: it is replaced as a whole, or not at all"));
            }
            let exported = transfer::export(&database, file).map_err(|error| failure(&error))?;
            print(&format!(
                "exported database {}\n{} bytes to {}\n",
                exported.root_digest,
                exported.size,
                escape::line(&file.display().to_string())
            ))?;
        }
        TransferCommand::Import {
            file,
            verify_key,
            signature,
            database,
        } => {
            let database = paths::database_to_write(database)?;
            let key = key(verify_key.as_deref())?;
            let installed = transfer::import(&ImportRequest {
                file,
                database: &database,
                key: key.as_ref(),
                signature: signature.as_deref(),
            })
            .map_err(|error| failure(&error))?;
            print(&told(&installed))?;
        }
        #[cfg(feature = "registry")]
        TransferCommand::Push(arguments) => push(arguments)?,
        #[cfg(feature = "registry")]
        TransferCommand::Pull(arguments) => pull(arguments)?,
    }
    Ok(0)
}

#[cfg(feature = "registry")]
fn push(arguments: &PushArguments) -> Result<(), Failure> {
    let key = key(arguments.verify_key.as_deref())?;
    let pushed = transfer::push(&transfer::PushRequest {
        reference: &arguments.reference,
        database: &paths::database(&arguments.database),
        signature: arguments.signature.as_deref(),
        key: key.as_ref(),
        login: &login(&arguments.login)?,
        insecure: arguments.login.insecure,
    })
    .map_err(|error| failure(&error))?;
    print(&format!(
        "pushed database {}\n{} bytes to {}\nmanifest {}\n",
        pushed.root_digest,
        pushed.size,
        escape::line(&pushed.reference),
        pushed.manifest_digest
    ))
}

#[cfg(feature = "registry")]
fn pull(arguments: &PullArguments) -> Result<(), Failure> {
    use std::io::Write as _;
    let database = paths::database_to_write(&arguments.database)?;
    let key = key(arguments.verify_key.as_deref())?;
    let pulled = transfer::pull(&transfer::PullRequest {
        sources: &arguments.sources,
        database: &database,
        key: key.as_ref(),
        login: &login(&arguments.login)?,
        insecure: arguments.login.insecure,
    })
    .map_err(|error| {
        let failure = failure(&error);
        let mut sources = arguments.sources.iter();
        match sources.find(|source| Path::new(source).is_file()) {
            Some(file) => failure.hint(format!("{file} is a file: portcullis db import {file}")),
            None => failure,
        }
    })?;
    for refused in &pulled.refused {
        let _ = writeln!(
            std::io::stderr().lock(),
            "warning: {}: {}",
            escape::line(&refused.source),
            escape::line(&refused.to_string())
        );
    }
    let from = escape::line(&pulled.source);
    print(&match &pulled.installed {
        Some(installed) => format!("{}from {from}\n", told(installed)),
        None => format!("database {} is current at {from}\n", pulled.root_digest),
    })
}

#[cfg(feature = "registry")]
fn login(arguments: &LoginArguments) -> Result<transfer::Login, Failure> {
    let Some(username) = &arguments.username else {
        return Ok(transfer::Login::Docker(None));
    };
    let mut password = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_PASSWORD.saturating_add(1))
        .read_to_string(&mut password)
        .map_err(|error| Failure::io("cannot read the password from stdin", &error))?;
    if password.len() as u64 > MAX_PASSWORD {
        return Err(Failure::new("the password on stdin is too long"));
    }
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(Failure::new("there is no password on stdin"));
    }
    Ok(transfer::Login::Password(username.clone(), password.into()))
}

fn key(path: Option<&Path>) -> Result<Option<VerifyKey>, Failure> {
    path.map(VerifyKey::read)
        .transpose()
        .map_err(|error| failure(&error))
}

fn told(installed: &Installed) -> String {
    let signed = if installed.signed {
        ", signature verified"
    } else {
        ""
    };
    format!(
        "database {}\n{} records, {} bytes{signed}\n",
        installed.root_digest, installed.records, installed.size
    )
}

fn failure(error: &TransferError) -> Failure {
    let rendered = Failure::from_error(error);
    match error {
        TransferError::Unsigned { .. } => {
            rendered.hint("sign the exported file: minisign -Sm FILE; for a registry: portcullis db push REF --signature FILE.minisig")
        }
        TransferError::Format { .. } => {
            rendered.hint("export the database with the same version of this program")
        }
        #[cfg(feature = "registry")]
        TransferError::Remote(transfer::RemoteError::Registry(error)) => match hint(error) {
            Some(hint) => rendered.hint(hint),
            None => rendered,
        },
        _ => rendered,
    }
}

/// What may help where a registry or static server was of no use.
#[cfg(feature = "registry")]
fn hint(error: &transfer::RegistryError) -> Option<&'static str> {
    use transfer::RegistryError as Error;
    match error {
        Error::PlainHttp { .. } => Some("use https, or --insecure"),
        Error::Busy { .. } | Error::Status { status: 429, .. } => Some(
            "the server limits requests: log in, try later, or name a mirror as a second source",
        ),
        Error::Auth { .. }
        | Error::Status {
            status: 401 | 403, ..
        } => Some("log in with docker login, or --username and --password-stdin"),
        _ => None,
    }
}
