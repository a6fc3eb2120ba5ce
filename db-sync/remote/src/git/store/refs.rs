//! Names of commits (gitrevisions(7)): references, ids and their beginnings, and `^`, `~` behind them.

use std::path::{Component, Path};

use super::error::StoreError;
use super::pack::Prefix;
use super::{Repository, history, layout, loose};
use crate::git::object::{Id, Kind};

/// References that name each other.
const SYMBOLIC: usize = 5;
/// Tags that are put on each other.
const TAGS: usize = 10;
/// Where a short name is looked for, in git's order.
const PLACES: [&str; 6] = [
    "{}",
    "refs/{}",
    "refs/tags/{}",
    "refs/heads/{}",
    "refs/remotes/{}",
    "refs/remotes/{}/HEAD",
];

/// The commit that a name stands for.
pub(super) fn resolve(repository: &Repository, text: &str) -> Result<Id, StoreError> {
    let end = text.find(['^', '~']).unwrap_or(text.len());
    let (name, mut steps) = text.split_at_checked(end).unwrap_or((text, ""));
    let unknown = || StoreError::Unknown {
        name: text.to_owned(),
    };
    let name = if name == "@" { "HEAD" } else { name };
    let mut id = match reference(repository, name)? {
        Some(id) => id,
        None => abbreviated(repository, name)?.ok_or_else(unknown)?,
    };
    id = peeled(repository, id)?;
    while let Some(step) = steps.chars().next() {
        let rest = steps.get(1..).unwrap_or_default();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let number: usize = match number {
            "" => 1,
            number => number.parse().map_err(|_| unknown())?,
        };
        id = match (step, number) {
            (_, 0) => id,
            ('^', number) => {
                let parents = repository.commit(&id)?.parents;
                let parent = number.checked_sub(1).and_then(|at| parents.get(at));
                parent.ok_or_else(unknown)?.clone()
            }
            ('~', number) => history::ancestor(repository, id, number)?.ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        steps = rest;
    }
    Ok(id)
}

/// The commit that an object stands for.
fn peeled(repository: &Repository, mut id: Id) -> Result<Id, StoreError> {
    for _ in 0..TAGS {
        let (kind, data) = repository.object(&id)?;
        match kind {
            Kind::Commit => return Ok(id),
            Kind::Tag => {
                let target = history::field(&data, "object");
                let target = target.and_then(|text| repository.layout.format.parse(text));
                let cause = "the tag names no object";
                id = target.ok_or_else(|| super::damaged(hex::encode(&id), cause))?;
            }
            Kind::Tree | Kind::Blob => break,
        }
    }
    Err(super::damaged(hex::encode(&id), "it stands for no commit"))
}

/// The object that a reference names.
fn reference(repository: &Repository, name: &str) -> Result<Option<Id>, StoreError> {
    if !is_name(name) {
        return Ok(None);
    }
    for place in PLACES {
        let full = place.replace("{}", name);
        let is_pseudo = full
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        if !full.starts_with("refs/") && !is_pseudo {
            continue;
        }
        if let Some(id) = followed(repository, full)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// A name that is a path below a repository's directory and stays there.
fn is_name(name: &str) -> bool {
    let is_plain = |part| matches!(part, Component::Normal(_));
    !name.is_empty()
        && !name.contains(['\\', '\0', ':'])
        && Path::new(name).components().all(is_plain)
}

fn followed(repository: &Repository, mut name: String) -> Result<Option<Id>, StoreError> {
    let layout = &repository.layout;
    for _ in 0..SYMBOLIC {
        if !is_name(&name) {
            return Ok(None);
        }
        let mut text = None;
        for directory in [&layout.own, &layout.common] {
            let path = directory.join(&name);
            if text.is_none() && path.is_file() {
                text = layout::small(&path)?;
            }
        }
        let Some(text) = text else {
            return packed(repository, &name);
        };
        let Some(target) = text.strip_prefix("ref:") else {
            let id = layout.format.parse(text.trim());
            let broken = || super::damaged(name, "it names no object");
            return id.map(Some).ok_or_else(broken);
        };
        target.trim().clone_into(&mut name);
    }
    Err(super::damaged(name, "its references name each other"))
}

fn packed(repository: &Repository, name: &str) -> Result<Option<Id>, StoreError> {
    let path = repository.layout.common.join("packed-refs");
    let Some(text) = layout::text(&path, layout::PACKED_REFS)? else {
        return Ok(None);
    };
    let mut lines = text.lines();
    let found = lines.find_map(|line| line.split_once(' ').filter(|(_, own)| *own == name));
    Ok(found.and_then(|(id, _)| repository.layout.format.parse(id)))
}

/// The one object whose id begins so.
fn abbreviated(repository: &Repository, text: &str) -> Result<Option<Id>, StoreError> {
    let format = repository.layout.format;
    let Some(prefix) = Prefix::parse(text, format) else {
        return Ok(None);
    };
    let mut found: Vec<Id> = Vec::new();
    for pack in &repository.packs {
        found.extend(pack.beginning(&prefix, 2)?);
    }
    for store in &repository.layout.objects {
        found.extend(loose::beginning(store, &prefix, format, 2));
    }
    found.sort();
    found.dedup();
    if found.len() > 1 {
        return Err(StoreError::Ambiguous {
            name: text.to_owned(),
        });
    }
    Ok(found.pop())
}
