//! Values with three states: known, absent (null) and **unknown**, each with marks that say
//! whether it is sensitive, which resources it came from and where it was written.
//!
//! A value is cheap to clone. It owns data only; conversion, comparison and functions live in
//! [`crate::functions`] and [`crate::terraform`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::Span;

/// Why a value cannot be known without running Terraform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A variable without default or value.
    Variable(Arc<str>),
    /// An attribute of a resource that only the provider computes: address and attribute path.
    Computed {
        /// Address of the resource.
        address: Arc<str>,
        /// Attribute path below it, empty for the whole resource.
        attribute: Arc<str>,
    },
    /// Anything read from a data source: its address.
    Data(Arc<str>),
    /// An output of a module that could not be resolved: module address.
    Module(Arc<str>),
    /// A function whose result differs from run to run, or a file that is not there.
    Function(Arc<str>),
    /// An expression that could not be evaluated; a problem was reported for it.
    Failed(Arc<str>),
    /// A `count` or `for_each` that is unknown.
    Repetition(Arc<str>),
}

/// The type of a value, as far as it is known. `Any` is Terraform's dynamic type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Not known or not constrained.
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Self>),
    /// `set(T)`
    Set(Arc<Self>),
    /// `map(T)`
    Map(Arc<Self>),
    /// `tuple([T…])`
    Tuple(Arc<[Self]>),
    /// `object({…})`; the flag says `optional(…)`, the value its default.
    Object(Arc<BTreeMap<Arc<str>, Field>>),
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub kind: Type,
    /// Whether it may be left out.
    pub optional: bool,
    /// Default of `optional(T, default)`.
    pub default: Option<Value>,
}

/// What is known of an unknown value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Why it is unknown.
    pub origin: Arc<Origin>,
    /// Its type, `Any` if nothing is known.
    pub kind: Type,
    /// It is certainly not null.
    pub not_null: bool,
    /// For numbers: it is at least this; for collections: at least so many elements.
    pub at_least: Option<u32>,
    /// For strings: it certainly starts with this (`"arn:aws:s3:::${x}"`).
    pub prefix: Option<Arc<str>>,
    /// For strings: the partly unknown value that this text is the JSON encoding of, so that
    /// what is known inside `jsonencode({…})` stays visible.
    pub encoded: Option<Arc<Value>>,
}

/// The payload of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Absent.
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A decimal number of up to 28 digits; what does not fit is an evaluation error.
    Number(Decimal),
    /// Text.
    String(Arc<str>),
    /// A list, set or tuple: what differs is told by `shape`. Sets are sorted and without
    /// duplicates as far as their members are known.
    List(List),
    /// A map or object.
    Map(Map),
    /// Not known.
    Unknown(Unknown),
}

/// Which of Terraform's sequence types a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `list(T)` or tuple: ordered, indexable.
    List,
    /// `set(T)`: not indexable.
    Set,
}

/// Members in order. With `rest` set there may be further members that we cannot see
/// (an *open* list); decisions must hold for them too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The definite members.
    pub items: Arc<[Value]>,
    /// List or set.
    pub shape: Shape,
    /// Why there may be further members.
    pub rest: Option<Unknown>,
}

/// Attributes or map entries, sorted by key. With `rest` set there may be further keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// The definite entries.
    pub entries: Arc<BTreeMap<Arc<str>, Value>>,
    /// Why there may be further entries.
    pub rest: Option<Unknown>,
}

/// References of one value; of more, those of one resource are told without instance key.
pub const MAX_REFERENCES: usize = 100;

/// A part of a text of which not everything is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Known text.
    Text(Arc<str>),
    /// Unknown text, also possibly empty.
    Hole(Arc<Origin>),
    /// Unknown text that is the JSON of one value, of which parts are known.
    Json(Arc<Origin>, Arc<Value>),
}

/// What clings to a value besides its payload. Marks never take part in comparison.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Never to be printed.
    pub sensitive: bool,
    /// Addresses of the resources (without attribute) whose attributes it was made from; for a
    /// resource with `count`/`for_each` the instance address where the key is known, else the
    /// address without key.
    pub references: BTreeSet<Arc<str>>,
    /// Where the attribute or block stands in the user's file.
    pub span: Option<Span>,
    /// Where a value came in, if not from the place itself: a variable's default or tfvars.
    pub provenance: Option<Span>,
    /// For an unknown value that was read, not computed from others: the full path of what was
    /// read (`var.name`, `module.a.aws_s3_bucket.b.id`). Two unknown values of the same identity
    /// are the same value when Terraform runs; everything derived from them has none.
    pub identity: Option<Arc<str>>,
    /// For an unknown string that was built from parts (a template, `jsonencode`): its text with
    /// holes, in order. What reads text, such as a policy, can see the known parts.
    pub pieces: Option<Arc<[Piece]>>,
}

/// A value of the Terraform language.
#[derive(Clone, Debug)]
pub struct Value {
    /// The payload.
    pub kind: Kind,
    /// What clings to it; `None` for most values.
    pub marks: Option<Arc<Marks>>,
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Value {}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind, marks: None }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Kind::Bool(value).into()
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Kind::String(value.into()).into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Kind::String(value.into()).into()
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Kind::Number(value.into()).into()
    }
}

impl From<Decimal> for Value {
    fn from(value: Decimal) -> Self {
        Kind::Number(value).into()
    }
}

impl Value {
    /// The absent value.
    pub const NULL: Self = Self {
        kind: Kind::Null,
        marks: None,
    };

    /// An unknown value of any type.
    pub fn unknown(origin: Origin) -> Self {
        Self::unknown_of(Arc::new(origin), Type::Any)
    }

    /// An unknown value of a known type.
    pub fn unknown_of(origin: Arc<Origin>, kind: Type) -> Self {
        Kind::Unknown(Unknown {
            origin,
            kind,
            not_null: false,
            at_least: None,
            prefix: None,
            encoded: None,
        })
        .into()
    }

    /// A closed list.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Kind::List(List {
            items: items.into_iter().collect(),
            shape: Shape::List,
            rest: None,
        })
        .into()
    }

    /// A closed map or object.
    pub fn map(entries: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        Kind::Map(Map {
            entries: Arc::new(entries.into_iter().collect()),
            rest: None,
        })
        .into()
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The unknown part, if the value itself (not only a member) is unknown.
    pub fn as_unknown(&self) -> Option<&Unknown> {
        match &self.kind {
            Kind::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The definite members of a list or set.
    pub fn as_list(&self) -> Option<&List> {
        match &self.kind {
            Kind::List(list) => Some(list),
            _ => None,
        }
    }

    /// The entries of a map or object.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entry of a map or object; `None` where it is not there.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.entries.get(key)
    }

    /// Whether it is sensitive itself (members may be sensitive on their own).
    pub fn is_sensitive(&self) -> bool {
        self.marks.as_ref().is_some_and(|marks| marks.sensitive)
    }

    /// The text with holes of an unknown string that was built from parts.
    pub fn pieces(&self) -> Option<&[Piece]> {
        self.marks.as_ref()?.pieces.as_deref()
    }

    /// The path of what was read, for an unknown value that was not computed from others.
    pub fn identity(&self) -> Option<&Arc<str>> {
        self.as_unknown()?;
        self.marks.as_ref()?.identity.as_ref()
    }

    /// An unknown, never null string of which some parts are known. The parts should not all be
    /// text: such a string is known.
    pub fn text_with_holes(origin: Arc<Origin>, pieces: Vec<Piece>) -> Self {
        let prefix = match pieces.first() {
            Some(Piece::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let mut value: Self = Kind::Unknown(Unknown {
            origin,
            kind: Type::String,
            not_null: true,
            at_least: None,
            prefix,
            encoded: None,
        })
        .into();
        value.edit_marks(|marks| marks.pieces = Some(pieces.into()));
        value
    }

    /// Changes the marks in place; they are copied if shared.
    pub fn edit_marks(&mut self, edit: impl FnOnce(&mut Marks)) {
        edit(Arc::make_mut(self.marks.get_or_insert_default()));
    }

    /// Where it was written, if that is known.
    pub fn span(&self) -> Option<&Span> {
        self.marks.as_ref()?.span.as_ref()
    }

    /// The first reason found, depth first, why some part of the value is unknown.
    pub fn first_unknown(&self) -> Option<&Arc<Origin>> {
        match &self.kind {
            Kind::Unknown(unknown) => Some(&unknown.origin),
            Kind::List(list) => list
                .items
                .iter()
                .find_map(Self::first_unknown)
                .or_else(|| list.rest.as_ref().map(|rest| &rest.origin)),
            Kind::Map(map) => map
                .entries
                .values()
                .find_map(Self::first_unknown)
                .or_else(|| map.rest.as_ref().map(|rest| &rest.origin)),
            _ => None,
        }
    }

    /// The same value with a place.
    pub fn with_span(mut self, span: Span) -> Self {
        self.edit_marks(|marks| marks.span = Some(span));
        self
    }

    /// The same value with the marks of `other` added: sensitivity and references flow through
    /// every operation; spans and provenance stay with the value they belong to.
    pub fn marked_by(mut self, other: &Self) -> Self {
        let Some(theirs) = other.marks.as_deref() else {
            return self;
        };
        if !theirs.sensitive && theirs.references.is_empty() {
            return self;
        }
        if let (None, Some(marks)) = (&self.marks, &other.marks)
            && theirs.span.is_none()
            && theirs.provenance.is_none()
            && theirs.identity.is_none()
            && theirs.pieces.is_none()
        {
            self.marks = Some(marks.clone());
            return self;
        }
        self.edit_marks(|marks| {
            marks.sensitive |= theirs.sensitive;
            marks.references.extend(theirs.references.iter().cloned());
            if marks.references.len() > MAX_REFERENCES {
                let all = std::mem::take(&mut marks.references);
                marks.references = all.iter().map(without_key).collect();
            }
        });
        self
    }
}

/// An address without the key of its instance.
fn without_key(address: &Arc<str>) -> Arc<str> {
    let open = if address.ends_with("\"]") {
        address.rfind("[\"")
    } else {
        address.ends_with(']').then(|| address.rfind('[')).flatten()
    };
    match open.and_then(|open| address.get(..open)) {
        Some(bare) => bare.into(),
        None => address.clone(),
    }
}
