//! Source files of a module: from bytes to blocks and attributes with places.
//!
//! Native syntax and Terraform's JSON syntax end in the same [`Body`]. A file that does not
//! parse as a whole is read block by block, so that one broken block hides only itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use hcl_edit::expr::Expression;

use crate::input::Comment;
use crate::value::Marks;
use crate::{Problem, Span, Value};

mod comments;
mod json;
mod layout;
mod lines;
mod native;
mod rewrite;

pub(super) use json::{parse_json, parse_json_variables};
pub(super) use layout::scan;
pub(super) use lines::Lines;
pub(super) use native::{parse_native, parse_text_expression};

/// Bytes of one source file.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// Bytes of all source files of one run, those read again included: parsing takes time.
pub const MAX_SOURCE_BYTES: usize = 96 << 20;

/// Blocks of all source files that one stack needs, nested ones included; each takes kilobytes.
pub const MAX_BLOCKS: usize = 200_000;

/// Tokens of all source files that one stack needs: each takes about 200 bytes of syntax tree.
pub const MAX_TOKENS: usize = 2_000_000;

/// How many nodes a syntax tree has, roughly: the signs that stand between them.
pub(super) fn tokens(text: &[u8]) -> usize {
    let between = |byte: &&u8| {
        matches!(
            byte,
            b',' | b'='
                | b':'
                | b'['
                | b'('
                | b'{'
                | b'.'
                | b'+'
                | b'-'
                | b'*'
                | b'/'
                | b'%'
                | b'?'
                | b'&'
                | b'|'
                | b'<'
                | b'>'
                | b'!'
        )
    };
    text.iter().filter(between).count()
}

/// Brackets inside brackets in one source file.
pub const MAX_NESTING: usize = 1_000;

/// What the objects of one source file may cost: the sum of the squares of their sizes, since
/// the parser's objects compare each key with all others (300 million take about a second).
pub const MAX_OBJECT_COST: u64 = 300_000_000;

/// An attribute: `name = expression`.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: Arc<str>,
    pub(super) expression: Expression,
    pub(super) span: Span,
    /// The value, where it is a literal: it is then shared by all instances.
    pub(super) constant: Option<Value>,
}

/// A block: `kind "label" { … }`.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: Arc<str>,
    pub(super) labels: Vec<Arc<str>>,
    pub(super) body: Body,
    pub(super) span: Span,
    /// The span as marks, shared by all instances.
    pub(super) marks: Arc<Marks>,
}

/// What stands between the braces of a block, or in a whole file.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
}

/// A file as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) body: Body,
    /// Expressions that were nested too deeply for the parser, by the name put in their place.
    pub(super) hoisted: Vec<(String, Expression)>,
    pub(super) problems: Vec<Problem>,
    /// Comments in which somebody has an interest, in order; the JSON syntax has none.
    pub(super) comments: Vec<Comment>,
}

impl Attribute {
    pub(super) fn new(name: Arc<str>, expression: Expression, span: Span) -> Self {
        let constant = match &expression {
            Expression::Bool(value) => Some(Value::from(*value.value())),
            Expression::String(text) => Some(Value::from(text.as_str())),
            Expression::Number(number) => number.value().as_i64().map(Value::from),
            _ => None,
        };
        Self {
            name,
            expression,
            constant: constant.map(|value| value.with_span(span.clone())),
            span,
        }
    }
}

impl Block {
    pub(super) fn new(kind: Arc<str>, labels: Vec<Arc<str>>, body: Body, span: Span) -> Self {
        Self {
            kind,
            labels,
            body,
            marks: Arc::new(Marks {
                span: Some(span.clone()),
                ..Marks::default()
            }),
            span,
        }
    }

    pub(super) fn label(&self, place: usize) -> Option<&Arc<str>> {
        self.labels.get(place)
    }
}

impl Body {
    /// Blocks, nested ones included.
    pub(super) fn size(&self) -> usize {
        let blocks = self.blocks.iter();
        blocks.fold(0_usize, |size, block| {
            size.saturating_add(block.body.size()).saturating_add(1)
        })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| &*attribute.name == name)
    }

    pub(super) fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }

    /// Merges the body of an override file: attributes replace attributes of the same name,
    /// blocks of a type replace all blocks of that type.
    pub(super) fn merge(&mut self, other: Self) {
        let names: BTreeSet<Arc<str>> = other
            .attributes
            .iter()
            .map(|attribute| attribute.name.clone())
            .collect();
        self.attributes.retain(|own| !names.contains(&own.name));
        self.attributes.extend(other.attributes);
        let kinds: BTreeSet<&str> = other.blocks.iter().map(Block::produces).collect();
        self.blocks.retain(|own| !kinds.contains(own.produces()));
        drop(kinds);
        self.blocks.extend(other.blocks);
    }
}

impl Block {
    /// The type of nested block that it stands for: its own, or what a `dynamic` block makes.
    pub(super) fn produces(&self) -> &str {
        match self.labels.first() {
            Some(label) if &*self.kind == "dynamic" => label,
            _ => &self.kind,
        }
    }
}
