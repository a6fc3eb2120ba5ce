//! Where a finding points: the attribute that the check names, the block it judged, or the whole
//! resource, but never outside the resource.

use crate::value::Kind;
use crate::{Span, Value};

/// Follows `path` from `base` as far as it was written and gives the last place on the way.
/// Blocks are lists: the first one is followed.
pub(super) fn find(base: &Value, path: &[String], within: &Span) -> Span {
    let mut place = inside(base.span(), within);
    let mut at = base;
    for name in path {
        let mut node = at;
        while let Kind::List(list) = &node.kind {
            let Some(first) = list.items.first() else {
                break;
            };
            node = first;
        }
        let Some(next) = node.get(name) else { break };
        at = next;
        place = inside(at.span(), within).or(place);
    }
    if let Kind::List(list) = &at.kind
        && at.span().is_none()
    {
        // A block type has no place of its own, its first block has.
        let first = list.items.first().and_then(Value::span);
        place = inside(first, within).or(place);
    }
    place.unwrap_or_else(|| within.clone())
}

fn inside(span: Option<&Span>, within: &Span) -> Option<Span> {
    let span = span?;
    if let (Some(inner), Some(outer)) = (&span.pointer, &within.pointer) {
        let ok = span.file == within.file && inner.starts_with(&**outer);
        return ok.then(|| span.clone());
    }
    let ok = span.file == within.file
        && span.pointer.is_none()
        && (within.start_line, within.start_column) <= (span.start_line, span.start_column)
        && (span.end_line, span.end_column) <= (within.end_line, within.end_column);
    ok.then(|| span.clone())
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::{Span, Value};

    fn span(file: &str, start_line: u32, end_line: u32) -> Span {
        Span {
            file: file.into(),
            start_line,
            start_column: 1,
            end_line,
            end_column: 9,
            pointer: None,
        }
    }

    #[test]
    fn a_finding_points_to_the_deepest_written_place_within_the_resource() {
        let whole = span("a.tf", 1, 9);
        let key = Value::from("x").with_span(span("a.tf", 4, 4));
        let far = Value::from("y").with_span(span("b.tf", 4, 4));
        let block = Value::map([("key".into(), key)]).with_span(span("a.tf", 3, 5));
        let body = Value::map([("block".into(), Value::list([block])), ("far".into(), far)])
            .with_span(whole.clone());
        let at = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|p| (*p).to_owned()).collect();
            find(&body, &path, &whole).start_line
        };
        assert_eq!(at(&["block", "key"]), 4);
        assert_eq!(at(&["block", "absent"]), 3);
        assert_eq!(at(&["block"]), 3);
        assert_eq!(at(&["absent"]), 1);
        assert_eq!(at(&["far"]), 1, "another file is outside");
    }
}
