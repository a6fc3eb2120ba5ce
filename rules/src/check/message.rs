//! Turns values into text for people: messages with sensitive parts left out, and fixes as HCL.
//! What a user's file contains reaches terminals and reports through here, so control characters
//! are dropped and lengths are bounded.

use hcl_edit::expr::Expression;
use hcl_edit::template::Element;
use rust_decimal::Decimal;

use crate::Value;
use crate::expression::{EvalError, Scope, evaluate};
use crate::value::Kind;

/// Longest message, in characters; the rest is cut.
pub(super) const MAX_MESSAGE: usize = 300;

/// Longest value shown within a message, in characters.
const MAX_SHOWN: usize = 120;

/// Deepest nesting of a value that is shown.
const MAX_DEPTH: usize = 4;

/// Renders the `message` of a check. Each interpolation is shown on its own, so that a sensitive
/// one hides itself and not the sentence around it.
pub(super) fn render(message: &Expression, scope: &dyn Scope) -> Result<String, EvalError> {
    let mut text = String::new();
    match message {
        Expression::String(plain) => text.push_str(plain.as_str()),
        Expression::StringTemplate(template) => {
            for element in template {
                match element {
                    Element::Literal(literal) => text.push_str(literal.as_str()),
                    Element::Interpolation(interpolation) => {
                        let value = evaluate(&interpolation.expr, scope)?;
                        let mut shown = String::new();
                        show(&value, &mut shown, MAX_DEPTH);
                        text.push_str(&cut(&shown, MAX_SHOWN));
                    }
                    Element::Directive(_) => {
                        let message = "a message has no template directives";
                        return Err(EvalError::Type(message.to_owned()));
                    }
                }
            }
        }
        other => {
            let mut shown = String::new();
            show(&evaluate(other, scope)?, &mut shown, MAX_DEPTH);
            text = shown;
        }
    }
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    Ok(cut(&text, MAX_MESSAGE))
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn show(value: &Value, out: &mut String, depth: usize) {
    if value.is_sensitive() {
        out.push_str("(sensitive)");
        return;
    }
    let Some(deeper) = depth.checked_sub(1) else {
        out.push('…');
        return;
    };
    if out.len() > MAX_SHOWN.saturating_mul(4) {
        return;
    }
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number_text(*number)),
        Kind::String(text) => out.push_str(text),
        Kind::Unknown(_) => out.push_str("(unknown)"),
        Kind::List(list) => {
            for (place, item) in list.items.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                show(item, out, deeper);
            }
            if list.rest.is_some() {
                out.push_str(", …");
            }
        }
        Kind::Map(map) => {
            out.push('{');
            for (place, (key, item)) in map.entries.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                out.push_str(key);
                out.push_str(" = ");
                show(item, out, deeper);
            }
            out.push('}');
        }
    }
}

fn number_text(number: Decimal) -> String {
    number.normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, cut, show};
    use crate::Value;
    use crate::value::Origin;

    fn shown(value: &Value) -> String {
        let mut out = String::new();
        show(value, &mut out, super::MAX_DEPTH);
        out
    }

    #[test]
    fn values_are_shown_without_secrets() {
        let mut secret = Value::from("hunter2");
        secret.edit_marks(|marks| marks.sensitive = true);
        let list = Value::list([1_i64.into(), secret.clone(), Value::NULL]);
        assert_eq!(shown(&list), "1, (sensitive), null");
        assert_eq!(crate::literal::write(&list), None);
        let unknown = Value::unknown(Origin::Variable("x".into()));
        assert_eq!(shown(&unknown), "(unknown)");
        let map = Value::map([("a".into(), true.into()), ("b".into(), secret)]);
        assert_eq!(shown(&map), "{a = true, b = (sensitive)}");
        let deep = (0..20).fold(Value::from("x"), |inner, _| Value::list([inner]));
        assert_eq!(shown(&deep), "…");
        assert_eq!(
            cut(&"x".repeat(MAX_SHOWN + 1), MAX_SHOWN).chars().count(),
            MAX_SHOWN + 1
        );
    }

    #[test]
    fn fixes_are_hcl() {
        assert_eq!(
            crate::literal::write(&"a\"${b}\n".into()).unwrap(),
            r#""a\"$${b}\n""#
        );
        assert_eq!(
            crate::literal::write(&Value::list([true.into(), "x".into()])).unwrap(),
            "[true, \"x\"]"
        );
    }
}
