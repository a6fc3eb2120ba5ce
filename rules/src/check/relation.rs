//! `related`, `target`, `all` and `refers`: how resources of a stack belong together; and
//! `known_parts`, for texts of which only a part is known.
//!
//! The results are open lists: what certainly belongs is a member, what may belong makes the
//! list open, and the rest is left out. A condition over such a list is then decided as far as
//! it can be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::address::{is_of_kind, without_key};
use super::world::{NAMES, World, leaves, references, walk};
use super::{MAX_RELATED, too_much};
use crate::expression::EvalError;
use crate::value::{Kind, List, Origin, Piece, Shape, Unknown};
use crate::{Resource, Value};

/// Answers a call of one of the functions; `None` for other names.
pub(super) fn call(
    name: &str,
    arguments: &[Value],
    world: &World<'_>,
) -> Option<Result<Value, EvalError>> {
    let result = match (name, arguments) {
        ("related", [subject, kind, attribute]) => related(world, subject, kind, attribute),
        ("target", [value, kind]) => text(kind).map(|kind| target(world, value, kind)),
        ("all", [kind]) => text(kind).map(|kind| all(world, kind)),
        ("refers", [value, kind]) => text(kind).map(|kind| refers(world, value, kind)),
        ("known_parts", [value]) => Ok(known_parts(value)),
        ("known_parts", _) => wrong("known_parts(text)"),
        ("related", _) => wrong("related(resource, \"type\", \"attribute\")"),
        ("target", _) => wrong("target(value, \"type\")"),
        ("all", _) => wrong("all(\"type\")"),
        ("refers", _) => wrong("refers(value, \"type\")"),
        _ => return None,
    };
    Some(result)
}

fn wrong<T>(form: &str) -> Result<T, EvalError> {
    Err(EvalError::Type(format!("expected {form}")))
}

fn text(value: &Value) -> Result<&str, EvalError> {
    let message = || EvalError::Type("a type or attribute is given as a string".to_owned());
    value.as_str().ok_or_else(message)
}

/// What is found on the way to an open list.
#[derive(Default)]
struct Members<'a> {
    definite: Vec<&'a Resource>,
    seen: BTreeSet<&'a str>,
    maybe: Option<Origin>,
}

impl<'a> Members<'a> {
    fn add(&mut self, resource: &'a Resource) {
        if self.seen.insert(&*resource.address) {
            self.definite.push(resource);
        }
    }

    fn open(&mut self, origin: Origin) {
        if self.maybe.is_none() {
            self.maybe = Some(origin);
        }
    }

    fn finish(mut self) -> Value {
        self.definite.sort_by(|a, b| a.address.cmp(&b.address));
        let rest = self.maybe.map(Value::unknown);
        Kind::List(List {
            items: self.definite.into_iter().map(World::view).collect(),
            shape: Shape::List,
            rest: rest.and_then(|value| value.as_unknown().cloned()),
        })
        .into()
    }
}

/// Whether a companion belongs to a resource.
enum Belongs {
    Yes,
    Maybe(Origin),
    No,
}

fn related(
    world: &World<'_>,
    subject: &Value,
    kind: &Value,
    attribute: &Value,
) -> Result<Value, EvalError> {
    let Some(subject) = world.viewed(subject) else {
        return wrong("a resource, such as self, as the first argument of related");
    };
    let (kind, attribute) = (text(kind)?, text(attribute)?);
    let mentions = world.mentions(kind, attribute);
    let names = names_of(subject, attribute);
    let bare = without_key(&subject.address);

    let mut candidates: BTreeSet<usize> = BTreeSet::new();
    for address in [&*subject.address, bare] {
        candidates.extend(mentions.by_address.get(address).into_iter().flatten());
    }
    for name in &names.texts {
        candidates.extend(mentions.by_text.get(*name).into_iter().flatten());
    }
    for path in names.unknown.iter().filter_map(|name| name.identity()) {
        candidates.extend(mentions.by_identity.get(path).into_iter().flatten());
    }

    let mut members = Members::default();
    // Those that may be anything come last: they can only open the list, once.
    let loose = mentions.loose.iter().copied();
    let loose = loose.filter(|index| !candidates.contains(index));
    for index in candidates.iter().copied().chain(loose) {
        if !world.pay(1) {
            return Err(EvalError::Limit(too_much()));
        }
        if members.definite.len() >= MAX_RELATED {
            let message = format!("more than {MAX_RELATED} members of a list");
            members.open(Origin::Failed(message.into()));
            break;
        }
        if members.maybe.is_some() && !candidates.contains(&index) {
            break;
        }
        let Some(companion) = world.resource(index) else {
            continue;
        };
        if companion.address == subject.address {
            continue;
        }
        match belongs(companion, attribute, subject, &names) {
            Belongs::Yes if exists_with(companion, subject) => members.add(companion),
            Belongs::Yes => members.open(Origin::Repetition(companion.address.clone())),
            Belongs::Maybe(origin) => members.open(origin),
            Belongs::No => {}
        }
    }
    for module in world.modules() {
        let given = module.references.contains(&*subject.address)
            || module.references.contains(bare)
            || names.texts.iter().any(|name| module.texts.contains(*name));
        if given {
            members.open(Origin::Module(module.address.clone()));
        }
    }
    Ok(members.finish())
}

/// Whether the companion exists whenever the subject does, as far as its own count is concerned.
fn exists_with(companion: &Resource, subject: &Resource) -> bool {
    companion.uncertain.is_none() || companion.uncertain == subject.uncertain
}

/// How a resource may be named by others.
struct Identity<'a> {
    texts: Vec<&'a Arc<str>>,
    unknown: Vec<&'a Value>,
}

fn names_of<'a>(resource: &'a Resource, attribute: &str) -> Identity<'a> {
    let own = attribute.rsplit('.').next().unwrap_or(attribute);
    let mut identity = Identity {
        texts: Vec::new(),
        unknown: Vec::new(),
    };
    let mut names: Vec<&str> = NAMES.to_vec();
    if !names.contains(&own) {
        names.push(own);
    }
    for name in names {
        let Some(value) = resource.body.get(name) else {
            continue;
        };
        match &value.kind {
            Kind::String(text) if !text.is_empty() => identity.texts.push(text),
            Kind::Unknown(_) => identity.unknown.push(value),
            _ => {}
        }
    }
    identity
}

fn belongs(
    companion: &Resource,
    attribute: &str,
    subject: &Resource,
    names: &Identity<'_>,
) -> Belongs {
    let mut verdict = Belongs::No;
    leaves(&companion.body, attribute, &mut |leaf| {
        if matches!(verdict, Belongs::Yes) {
            return;
        }
        match leaf_belongs(leaf, subject, names) {
            Belongs::No => {}
            other => verdict = other,
        }
    });
    verdict
}

fn leaf_belongs(leaf: &Value, subject: &Resource, names: &Identity<'_>) -> Belongs {
    match &leaf.kind {
        Kind::String(text) => {
            if names.texts.contains(&text) {
                return Belongs::Yes;
            }
            // Made from a name that we do not know: it may have come out the same.
            match names.unknown.first() {
                Some(name) if refers_to(leaf, subject) => maybe(name),
                _ => Belongs::No,
            }
        }
        Kind::Unknown(unknown) => unknown_belongs(leaf, unknown, subject, names),
        _ => Belongs::No,
    }
}

fn unknown_belongs(
    leaf: &Value,
    unknown: &Unknown,
    subject: &Resource,
    names: &Identity<'_>,
) -> Belongs {
    if let Some(path) = leaf.identity() {
        if path
            .strip_prefix(&*subject.address)
            .is_some_and(|rest| rest.starts_with('.'))
        {
            return Belongs::Yes;
        }
        if names
            .unknown
            .iter()
            .any(|name| name.identity() == Some(path))
        {
            return Belongs::Yes;
        }
    }
    if references(leaf).next().is_some() {
        let mut addresses = references(leaf);
        return if addresses.any(|address| could_be(address, subject)) {
            maybe(leaf)
        } else {
            Belongs::No
        };
    }
    // What a data source or a module's own resources are called is not this resource.
    if matches!(*unknown.origin, Origin::Data(_) | Origin::Module(_)) {
        return Belongs::No;
    }
    let prefix = unknown.prefix.as_deref().unwrap_or_default();
    let fits = names.texts.iter().any(|text| text.starts_with(prefix));
    if fits || !names.unknown.is_empty() {
        maybe(leaf)
    } else {
        Belongs::No
    }
}

fn maybe(value: &Value) -> Belongs {
    let origin = value.first_unknown();
    Belongs::Maybe(origin.map_or_else(|| Origin::Failed("a name".into()), |o| (**o).clone()))
}

fn refers_to(value: &Value, subject: &Resource) -> bool {
    references(value).any(|address| could_be(address, subject))
}

/// Whether a reference is to this instance, or to its block with a key that is not known.
fn could_be(address: &str, subject: &Resource) -> bool {
    address == &*subject.address || address == without_key(&subject.address)
}

fn target(world: &World<'_>, value: &Value, kind: &str) -> Value {
    let mut members = Members::default();
    let named = world.named(kind);
    walk(value, &mut |leaf| {
        let mut found = false;
        for address in references(leaf).filter(|address| is_of_kind(address, kind)) {
            found = true;
            if let Some(resource) = world.at(address) {
                members.add(resource);
            } else if world.instances(address).next().is_some() {
                members.open(Origin::Repetition(address.clone()));
            }
        }
        match &leaf.kind {
            Kind::String(text) if !found => {
                for &index in named.get(text).into_iter().flatten() {
                    if let Some(resource) = world.resource(index) {
                        members.add(resource);
                    }
                }
            }
            Kind::Unknown(unknown)
                if !found
                    && references(leaf).next().is_none()
                    && !matches!(*unknown.origin, Origin::Data(_)) =>
            {
                members.open((*unknown.origin).clone());
            }
            _ => {}
        }
    });
    members.finish()
}

fn all(world: &World<'_>, kind: &str) -> Value {
    if let Some(known) = world.all.borrow().get(kind) {
        return known.clone();
    }
    let mut members = Members::default();
    for index in world.of_key(kind) {
        match world.resource(index) {
            Some(resource) if resource.uncertain.is_none() => members.add(resource),
            Some(resource) => members.open(Origin::Repetition(resource.address.clone())),
            None => {}
        }
    }
    if let Some(module) = world.modules().first() {
        members.open(Origin::Module(module.address.clone()));
    }
    let result = members.finish();
    let mut known = world.all.borrow_mut();
    known.insert(kind.to_owned(), result.clone());
    result
}

fn refers(_world: &World<'_>, value: &Value, kind: &str) -> Value {
    let mut found = false;
    let mut open = None;
    walk(value, &mut |leaf| {
        let mut any = false;
        for address in references(leaf) {
            any = true;
            found |= is_of_kind(address, kind);
        }
        if let (Kind::Unknown(unknown), false) = (&leaf.kind, any)
            && !matches!(*unknown.origin, Origin::Data(_))
        {
            open = Some(unknown.origin.clone());
        }
    });
    match (found, open) {
        (true, _) => true.into(),
        (false, Some(origin)) => Value::unknown_of(origin, crate::value::Type::Bool),
        (false, None) => false.into(),
    }
}

/// The known parts of a text, in order; the list is open where the text has holes.
fn known_parts(value: &Value) -> Value {
    let (items, rest): (Vec<Value>, _) = match &value.kind {
        Kind::String(_) => (vec![value.clone()], None),
        Kind::Unknown(unknown) => {
            let pieces = value.pieces().unwrap_or_default().iter();
            let texts = pieces.filter_map(|piece| match piece {
                Piece::Text(text) => Some(Value::from(&**text).marked_by(value)),
                Piece::Hole(_) | Piece::Json(..) => None,
            });
            (texts.collect(), Some(unknown.clone()))
        }
        _ => (Vec::new(), None),
    };
    let list = List {
        items: items.into(),
        shape: Shape::List,
        rest,
    };
    Value::from(Kind::List(list)).marked_by(value)
}
