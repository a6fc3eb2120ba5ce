//! What is said to a server and what it answers: capabilities, the list of
//! references, and a pack among progress reports (gitprotocol-v2(5)).

use super::Bounds;
use super::object::{Format, Id};
use super::packet::{Packet, Packets, put_line, said};
use crate::fault::{Fault, wrong};
use std::io::Read;

/// How we call ourselves; some servers look for a name that begins like this.
pub(super) const AGENT: &str = concat!("git/portcullis-", env!("CARGO_PKG_VERSION"));

/// What the server speaks; only version 2 with `ls-refs` and `fetch` is of use.
pub(super) fn capabilities(body: &mut dyn Read, bounds: &Bounds) -> Result<Format, Fault> {
    let mut packets = Packets::new(body, bounds.talk);
    let mut first = packets.line()?;
    if first
        .as_deref()
        .is_some_and(|line| line.starts_with("# service="))
    {
        while packets.line()?.is_some() {}
        first = packets.line()?;
    }
    if first.as_deref() != Some("version 2") {
        return Err(wrong("it does not speak version 2 of git's protocol"));
    }
    let mut format = Format::Sha1;
    let (mut lists, mut fetches) = (false, false);
    while let Some(line) = packets.line()? {
        let (name, value) = line.split_once('=').unwrap_or((&line, ""));
        match name {
            "ls-refs" => lists = true,
            "fetch" => fetches = value.split(' ').any(|feature| feature == "shallow"),
            "object-format" => {
                format = Format::of(value).ok_or_else(|| wrong("its hash is unknown"))?;
            }
            _ => {}
        }
    }
    if lists && fetches {
        Ok(format)
    } else {
        Err(wrong("it cannot give a commit without its history"))
    }
}

fn command(name: &str, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    put_line(&mut out, &format!("command={name}"));
    put_line(&mut out, &format!("agent={AGENT}"));
    put_line(&mut out, &format!("object-format={}", format.name()));
    out.extend_from_slice(b"0001");
    out
}

/// Asks for the reference `HEAD`.
pub(super) fn list_request(format: Format) -> Vec<u8> {
    let mut out = command("ls-refs", format);
    put_line(&mut out, "ref-prefix HEAD");
    out.extend_from_slice(b"0000");
    out
}

/// The commit that `HEAD` names.
pub(super) fn head(body: &mut dyn Read, format: Format, bounds: &Bounds) -> Result<Id, Fault> {
    let mut packets = Packets::new(body, bounds.talk);
    let mut found = None;
    while let Some(line) = packets.line()? {
        let mut words = line.split(' ');
        if let (Some(id), Some("HEAD")) = (words.next(), words.next()) {
            let id = format
                .parse(id)
                .ok_or_else(|| wrong("HEAD names no commit"))?;
            found = Some(id);
        }
    }
    found.ok_or_else(|| wrong("it has no HEAD"))
}

/// Asks for one commit with its tree, and no other.
pub(super) fn fetch_request(format: Format, tip: &str) -> Vec<u8> {
    let mut out = command("fetch", format);
    for line in ["no-progress", "ofs-delta", "deepen 1"] {
        put_line(&mut out, line);
    }
    put_line(&mut out, &format!("want {tip}"));
    put_line(&mut out, "done");
    out.extend_from_slice(b"0000");
    out
}

/// The pack in the answer.
pub(super) fn pack(body: &mut dyn Read, bounds: &Bounds) -> Result<Vec<u8>, Fault> {
    let mut packets = Packets::new(body, bounds.answer);
    loop {
        match packets.line()?.as_deref() {
            Some("packfile") => break,
            Some("shallow-info" | "acknowledgments" | "wanted-refs") => {
                while packets.line()?.is_some() {}
            }
            _ => return Err(wrong("it sends no pack")),
        }
    }
    let mut pack = Vec::new();
    let mut progress = 0_u64;
    loop {
        let data = match packets.next()? {
            Packet::Data(data) => data,
            Packet::Flush => return Ok(pack),
            Packet::Delimiter => return Err(wrong("its pack is cut in two")),
        };
        match data.split_first() {
            Some((1, part)) => pack.extend_from_slice(part),
            Some((2, part)) => {
                // An empty report is one, too.
                let length = (part.len() as u64).saturating_add(1);
                progress = progress.saturating_add(length);
                if progress > bounds.progress {
                    return Err(wrong(format!(
                        "it reports more than {} bytes of progress",
                        bounds.progress
                    )));
                }
            }
            Some((3, cause)) => return Err(said(cause)),
            _ => return Err(wrong("its pack comes on an unknown band")),
        }
    }
}
