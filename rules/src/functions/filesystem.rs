//! Functions that read the scanned files, and path arithmetic.
//!
//! Nothing outside the scanned root is read or named; absolute paths of the machine are unknown,
//! since the result must not depend on where the scan runs.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use sha2::digest::Digest;

use super::FunctionError;
use super::call::{Args, argument, impure};
use super::encoding::base64;
use super::limits::{MAX_DEPTH, MAX_FILES, MAX_PATTERN, MAX_REGEX};
use super::{crypto, limits};
use crate::Value;
use crate::files;
use crate::value::{Kind, Shape, Type};

/// Steps that a look at the file system costs.
const LOOK_UP: u64 = 20;

fn path(args: &Args<'_>, given: &str) -> Result<String, FunctionError> {
    files::join(args.context.directory, given)
        .ok_or_else(|| FunctionError::FileNotFound("the path lies outside the scanned root".into()))
}

fn read(args: &Args<'_>) -> Result<Vec<u8>, FunctionError> {
    let given = args.text(0);
    let path = path(args, given)?;
    let bytes = args.context.files.read(&path).map_err(|error| {
        let cause = match error.kind() {
            std::io::ErrorKind::NotFound => "is not there",
            std::io::ErrorKind::IsADirectory => "is a directory",
            std::io::ErrorKind::FileTooLarge => "is too large",
            _ => "cannot be read",
        };
        FunctionError::FileNotFound(format!("{given} {cause}"))
    })?;
    args.context
        .meter
        .pay(limits::steps_of(bytes.len()).saturating_add(LOOK_UP))?;
    Ok(bytes)
}

/// `file(path)`
pub(super) fn file(args: &Args<'_>) -> Result<Value, FunctionError> {
    let bytes = read(args)?;
    limits::text_size(bytes.len())?;
    String::from_utf8(bytes)
        .map(Value::from)
        .map_err(|_| argument("the file is not UTF-8 text"))
}

/// `filebase64(path)`
pub(super) fn filebase64(args: &Args<'_>) -> Result<Value, FunctionError> {
    let bytes = read(args)?;
    limits::text_size(bytes.len())?;
    Ok(base64::encode(&bytes).into())
}

/// `filemd5(path)` and its like.
pub(super) fn hash<D: Digest>(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(crypto::hex_of::<D>(&read(args)?))
}

/// `filebase64sha256(path)` and its like.
pub(super) fn base64_hash<D: Digest>(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(crypto::base64_of::<D>(&read(args)?))
}

/// `fileexists(path)`: outside the scanned root it is unknown.
pub(super) fn fileexists(args: &Args<'_>) -> Result<Value, FunctionError> {
    let Ok(path) = path(args, args.text(0)) else {
        return Ok(impure("fileexists", Type::Bool));
    };
    args.context.meter.pay(LOOK_UP)?;
    Ok(args.context.files.is_file(&path).into())
}

/// `fileset(path, pattern)`
pub(super) fn fileset(args: &Args<'_>) -> Result<Value, FunctionError> {
    let root = path(args, args.text(0))?;
    let regex = glob(args.text(1))?;
    let mut found = Vec::new();
    let mut visited = 0_usize;
    let mut open = vec![(String::new(), 0_usize)];
    while let Some((folder, depth)) = open.pop() {
        let Some(full) = files::join(&root, &folder) else {
            continue;
        };
        // A folder that is not there has no files, as in Terraform.
        let Ok(entries) = args.context.files.list(&full) else {
            continue;
        };
        let steps = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        args.context.meter.pay(steps.saturating_add(LOOK_UP))?;
        for entry in entries {
            visited = visited.saturating_add(1);
            if visited > MAX_FILES || depth > MAX_DEPTH {
                return Err(FunctionError::Limit(format!(
                    "more than {MAX_FILES} files or {MAX_DEPTH} levels below the folder"
                )));
            }
            let name = if folder.is_empty() {
                entry.name
            } else {
                format!("{folder}/{}", entry.name)
            };
            if entry.is_dir {
                open.push((name, depth.saturating_add(1)));
            } else if regex.is_match(&name) {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(Kind::List(crate::value::List {
        items: found.into_iter().map(Value::from).collect(),
        shape: Shape::Set,
        rest: None,
    })
    .into())
}

/// A glob as an anchored regular expression: `*` and `?` within a segment, `**` across, `{a,b}`
/// and `[…]`.
fn glob(pattern: &str) -> Result<regex::Regex, FunctionError> {
    if pattern.len() > MAX_PATTERN {
        return Err(FunctionError::Limit("the pattern is too long".into()));
    }
    let mut out = String::from("^(?s:");
    let mut rest = pattern.chars().peekable();
    let mut braces = 0_usize;
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                if rest.next_if_eq(&'/').is_some() {
                    out.push_str("(?:.*/)?");
                } else {
                    out.push_str(".*");
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => {
                braces = braces.saturating_add(1);
                out.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces = braces.saturating_sub(1);
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            '[' => {
                out.push('[');
                if rest.next_if(|next| "^!".contains(*next)).is_some() {
                    out.push('^');
                }
                for member in rest.by_ref() {
                    match member {
                        ']' => break,
                        '-' => out.push('-'),
                        other => out.push_str(&regex::escape(&other.to_string())),
                    }
                }
                out.push(']');
            }
            '\\' => {
                if let Some(next) = rest.next() {
                    out.push_str(&regex::escape(&next.to_string()));
                }
            }
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push_str(")$");
    regex::RegexBuilder::new(&out)
        .size_limit(MAX_REGEX)
        .nest_limit(100)
        .build()
        .map_err(|_| argument("not a valid pattern"))
}

/// `abspath(path)`
pub(super) fn abspath(args: &Args<'_>) -> Result<Value, FunctionError> {
    if args.text(0).starts_with('/') {
        return Ok(clean(args.text(0)).into());
    }
    Ok(impure("abspath", Type::String))
}

/// `pathexpand(path)`
pub(super) fn pathexpand(args: &Args<'_>) -> Result<Value, FunctionError> {
    if args.text(0).starts_with('~') {
        return Ok(impure("pathexpand", Type::String));
    }
    Ok(args.text(0).into())
}

/// `basename(path)`
pub(super) fn basename(args: &Args<'_>) -> Result<Value, FunctionError> {
    let trimmed = args.text(0).trim_end_matches('/');
    Ok(match (args.text(0), trimmed.rsplit('/').next()) {
        ("", _) => ".",
        (_, None | Some("")) => "/",
        (_, Some(name)) => name,
    }
    .into())
}

/// `dirname(path)`
pub(super) fn dirname(args: &Args<'_>) -> Result<Value, FunctionError> {
    let folder = match args.text(0).rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => clean(folder),
        None => ".".to_owned(),
    };
    Ok(folder.into())
}

/// Without empty and `.` segments; `..` takes the segment before it away.
fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            ("..", _) if absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}
