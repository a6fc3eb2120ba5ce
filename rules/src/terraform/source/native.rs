//! Native syntax (`.tf`, `.tfvars`). The parser is hcl-edit's, which refuses more than 64 nested
//! levels: deeper brackets are parsed on their own, and a name stands in their place.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Structure;

use super::comments;
use super::layout::{Group, Layout, scan};
use super::lines::Lines;
use super::rewrite::rewritten;
use super::{Attribute, Block, Body, MAX_NESTING, MAX_OBJECT_COST, Source};
use crate::{Problem, ProblemKind, ProblemSeverity};

/// Levels of brackets that are left to the parser at once; conditionals between them count
/// there too.
const LEVELS_AT_ONCE: usize = 16;

/// Broken items of one file that are reported one by one.
const MAX_SYNTAX_PROBLEMS: usize = 20;

/// Reads one expression on its own, such as the value of an environment variable.
pub(in crate::terraform) fn parse_text_expression(text: &str) -> Option<Expression> {
    if scan(text, false).depth > LEVELS_AT_ONCE {
        return None;
    }
    hcl_edit::parser::parse_expr(text.trim()).ok()
}

/// Reads a file. `number` tells the names of this file's hoisted expressions from others'.
pub(in crate::terraform) fn parse_native(
    path: &str,
    text: &str,
    number: usize,
    comment_words: &[&str],
) -> Source {
    let lines = Lines::new(path, text);
    let layout = scan(text, false);
    let mut source = parse(&lines, number, &layout);
    source.comments = comments::wanted(&lines, &layout.comments, comment_words, &source.body);
    source
}

fn parse(lines: &Lines<'_>, number: usize, layout: &Layout) -> Source {
    let text = lines.text();
    let mut reader = Reader {
        lines,
        number,
        object_cost: 0,
        source: Source::default(),
    };
    if layout.depth > MAX_NESTING {
        reader.problem(
            0,
            ProblemKind::Limit,
            ProblemSeverity::Warning,
            format!("brackets are nested more than {MAX_NESTING} levels deep"),
        );
        return reader.source;
    }
    if reader.item(0..text.len(), &layout.groups).is_ok() {
        return reader.source;
    }
    // Something is broken: read item by item.
    reader.source = Source::default();
    reader.object_cost = 0;
    let layout = scan(text, true);
    let mut broken = 0_usize;
    for item in layout.items {
        let Err(Broken {
            offset,
            kind,
            cause,
        }) = reader.item(item, &layout.groups)
        else {
            continue;
        };
        broken = broken.saturating_add(1);
        if broken <= MAX_SYNTAX_PROBLEMS {
            let severity = match kind {
                ProblemKind::Limit => ProblemSeverity::Warning,
                _ => ProblemSeverity::Error,
            };
            reader.problem(offset, kind, severity, cause);
        }
    }
    if broken == 0 {
        // Each item for itself is fine: an attribute or name twice, or two items on one line.
        reader.problem(
            0,
            ProblemKind::Syntax,
            ProblemSeverity::Error,
            "the file does not parse as a whole".to_owned(),
        );
    }
    reader.source
}

struct Reader<'a> {
    lines: &'a Lines<'a>,
    number: usize,
    object_cost: u64,
    source: Source,
}

/// Why a part of a file cannot be read.
struct Broken {
    offset: usize,
    kind: ProblemKind,
    cause: String,
}

impl Broken {
    fn new(base: usize, error: &hcl_edit::parser::Error) -> Self {
        let message = error.message();
        // The parser's own limits on nested levels and chained operators.
        let is_limit = message.contains("at most");
        Self {
            offset: base.saturating_add(error.location().offset()),
            kind: if is_limit {
                ProblemKind::Limit
            } else {
                ProblemKind::Syntax
            },
            cause: message.replace('\n', "; "),
        }
    }
}

impl Reader<'_> {
    /// Terraform refuses a file of which any part is broken; what is left of it is judged, and
    /// the file as such is not.
    fn problem(
        &mut self,
        offset: usize,
        kind: ProblemKind,
        severity: ProblemSeverity,
        cause: String,
    ) {
        let (file, line) = (self.lines.file().clone(), self.lines.place(offset).0);
        let problem = Problem {
            severity,
            ..Problem::error(kind, file, Some(line), cause)
        };
        self.source.problems.push(problem.whole());
    }

    /// Parses a part of the file and adds its attributes and blocks.
    fn item(&mut self, range: Range<usize>, groups: &[Group]) -> Result<(), Broken> {
        let start = range.start;
        // Groups are sorted by their end.
        let from = groups.partition_point(|group| group.range.end <= range.start);
        let to = groups.partition_point(|group| group.range.end <= range.end);
        let inside = groups.get(from..to).unwrap_or_default().iter();
        let inside: Vec<&Group> = inside
            .filter(|group| range.start <= group.range.start)
            .collect();
        for group in inside.iter().filter(|group| group.operand) {
            let cost = group.entries.saturating_mul(group.entries);
            self.object_cost = self.object_cost.saturating_add(cost);
            if self.object_cost > MAX_OBJECT_COST {
                return Err(Broken {
                    offset: group.range.start,
                    kind: ProblemKind::Limit,
                    cause: "the objects of the file have too many entries".to_owned(),
                });
            }
        }
        let (text, hoisted) = self.hoist(range, &inside)?;
        let body = match hcl_edit::parser::parse_body(&text) {
            Ok(body) => body,
            Err(error) => rewritten(&text)
                .and_then(|text| hcl_edit::parser::parse_body(&text).ok())
                .ok_or_else(|| Broken::new(start, &error))?,
        };
        let body = self.body(body, start);
        self.source.body.attributes.extend(body.attributes);
        self.source.body.blocks.extend(body.blocks);
        self.source.hoisted.extend(hoisted);
        Ok(())
    }

    /// Parses deep operands on their own, from the inside out, and puts a name of the same
    /// length into the text, so that all places stay right.
    fn hoist(
        &mut self,
        range: Range<usize>,
        groups: &[&Group],
    ) -> Result<(String, Vec<(String, Expression)>), Broken> {
        let mut text = self
            .lines
            .text()
            .get(range.clone())
            .unwrap_or_default()
            .to_owned();
        let mut hoisted = Vec::new();
        if groups.iter().all(|group| group.depth <= LEVELS_AT_ONCE) {
            return Ok((text, hoisted));
        }
        // Groups are in the order in which they end: inner before outer. A group is taken out
        // once it holds enough levels that were not taken out with a group inside it.
        let mut taken: Vec<(Range<usize>, usize)> = Vec::new();
        for group in groups.iter().filter(|group| group.operand) {
            let below = taken
                .iter()
                .rev()
                .take_while(|(inner, _)| inner.start >= group.range.start)
                .map(|(_, height)| *height)
                .max()
                .unwrap_or_default();
            if group.height.saturating_sub(below) < LEVELS_AT_ONCE {
                continue;
            }
            let place = group.range.start.saturating_sub(range.start)
                ..group.range.end.saturating_sub(range.start);
            let inner = text.get(place.clone()).unwrap_or_default();
            let expression = hcl_edit::parser::parse_expr(inner);
            let expression = expression.map_err(|error| Broken::new(group.range.start, &error))?;
            let index = self.source.hoisted.len().saturating_add(hoisted.len());
            let name = format!("__deep_{}_{index}", self.number);
            let Some(padding) = inner.len().checked_sub(name.len()) else {
                continue;
            };
            text.replace_range(place, &format!("{name}{}", " ".repeat(padding)));
            hoisted.push((name, expression));
            while taken
                .last()
                .is_some_and(|(inner, _)| inner.start >= group.range.start)
            {
                taken.pop();
            }
            taken.push((group.range.clone(), group.height));
        }
        Ok((text, hoisted))
    }

    fn body(&self, body: hcl_edit::structure::Body, base: usize) -> Body {
        let mut result = Body::default();
        for structure in body {
            let range = structure.span().unwrap_or_default();
            let range = range.start.saturating_add(base)..range.end.saturating_add(base);
            let span = self.lines.span(range);
            match structure {
                Structure::Attribute(attribute) => {
                    let name: Arc<str> = attribute.key.as_str().into();
                    result
                        .attributes
                        .push(Attribute::new(name, attribute.value, span));
                }
                Structure::Block(block) => {
                    let labels = block.labels.iter().map(|label| label.as_str().into());
                    result.blocks.push(Block::new(
                        block.ident.as_str().into(),
                        labels.collect(),
                        self.body(block.body, base),
                        span,
                    ));
                }
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_block_hides_only_itself() {
        let text = "variable \"a\" {}\n\nresource \"x\" \"y\" {\n  z = = 1\n}\n\nvariable \"b\" {\n  default = 1\n}\n";
        let source = parse_native("m.tf", text, 0, &[]);
        assert_eq!(source.problems.len(), 1);
        assert_eq!(source.problems[0].line, Some(4));
        assert_eq!(source.body.blocks.len(), 2);
        assert_eq!(source.body.blocks[1].span.start_line, 7);
        assert_eq!(source.body.blocks[1].body.attributes[0].span.start_line, 8);
    }

    #[test]
    fn deep_brackets_are_hoisted() {
        let text = format!("a = {}1{}\n", "(".repeat(300), ")".repeat(300));
        let source = parse_native("m.tf", &text, 3, &[]);
        assert_eq!(source.problems, []);
        assert!(!source.hoisted.is_empty());
        let text = format!("a = {}1{}\n", "(".repeat(2000), ")".repeat(2000));
        let source = parse_native("m.tf", &text, 3, &[]);
        assert_eq!(source.problems[0].kind, ProblemKind::Limit);
    }
}
