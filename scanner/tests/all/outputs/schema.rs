//! The part of JSON Schema 2020-12 that `docs/report.schema.json` uses. A keyword that is not
//! known here fails the check, so that none can be used in vain.

use serde_json::Value;

/// Where and how a value breaks the schema; empty: it holds.
pub(crate) fn check(schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    Checker { root: schema }.visit(schema, value, "", &mut problems);
    problems
}

struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn visit(&self, schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        let Some(keywords) = schema.as_object() else {
            problems.push(format!("{path}: schema is not an object"));
            return;
        };
        for (keyword, rule) in keywords {
            let number = || rule.as_f64().unwrap_or(f64::NAN);
            let least = || {
                rule.as_u64()
                    .map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX))
            };
            let holds = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" => true,
                "$ref" => {
                    let pointer = rule.as_str().unwrap_or_default().trim_start_matches('#');
                    match self.root.pointer(pointer) {
                        Some(target) => {
                            self.visit(target, value, path, problems);
                            true
                        }
                        None => false,
                    }
                }
                "type" => match rule {
                    Value::Array(kinds) => kinds.iter().any(|kind| is(value, kind)),
                    kind => is(value, kind),
                },
                "const" => value == rule,
                "enum" => rule.as_array().is_some_and(|words| words.contains(value)),
                "minimum" => value.as_f64().is_none_or(|v| v >= number()),
                "maximum" => value.as_f64().is_none_or(|v| v <= number()),
                "minLength" => value.as_str().is_none_or(|s| s.chars().count() >= least()),
                "minItems" => value.as_array().is_none_or(|a| a.len() >= least()),
                "pattern" => value.as_str().is_none_or(|text| matches(rule, text)),
                "anyOf" => rule.as_array().is_some_and(|forms| {
                    forms.iter().any(|form| {
                        let mut inner = Vec::new();
                        self.visit(form, value, path, &mut inner);
                        inner.is_empty()
                    })
                }),
                "required" => value.as_object().is_none_or(|object| {
                    rule.as_array().is_some_and(|names| {
                        names
                            .iter()
                            .all(|n| n.as_str().is_some_and(|n| object.contains_key(n)))
                    })
                }),
                "properties" | "items" => {
                    self.children(keyword, rule, value, path, problems);
                    true
                }
                "additionalProperties" if rule.is_object() => {
                    for (name, child) in value.as_object().into_iter().flatten() {
                        self.visit(rule, child, &format!("{path}/{name}"), problems);
                    }
                    // Without `properties`: every member is a further one.
                    !keywords.contains_key("properties")
                }
                "propertyNames" => {
                    for name in value
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name)
                    {
                        self.visit(rule, &Value::from(name.as_str()), path, problems);
                    }
                    true
                }
                "additionalProperties" => {
                    let known = keywords.get("properties").and_then(Value::as_object);
                    rule == &Value::Bool(false)
                        && value.as_object().is_none_or(|object| {
                            object
                                .keys()
                                .all(|key| known.is_some_and(|k| k.contains_key(key)))
                        })
                }
                _ => false,
            };
            if !holds {
                problems.push(format!(
                    "{path}: {keyword} {rule} does not hold for {value}"
                ));
            }
        }
    }

    fn children(
        &self,
        keyword: &str,
        rule: &Value,
        value: &Value,
        path: &str,
        problems: &mut Vec<String>,
    ) {
        if keyword == "items" {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                self.visit(rule, item, &format!("{path}/{index}"), problems);
            }
        } else if let (Some(rules), Some(object)) = (rule.as_object(), value.as_object()) {
            for (name, rule) in rules {
                if let Some(child) = object.get(name) {
                    self.visit(rule, child, &format!("{path}/{name}"), problems);
                }
            }
        }
    }
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

/// The few patterns of the schema, by hand: a regex engine for three would be much.
fn matches(pattern: &Value, text: &str) -> bool {
    match pattern.as_str() {
        Some("^pkg:") => text.starts_with("pkg:"),
        Some("^v[0-9]+:") => text
            .strip_prefix('v')
            .and_then(|rest| rest.split_once(':'))
            .is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())),
        Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$") => {
            text.len() == 10
                && text.bytes().enumerate().all(|(i, b)| match i {
                    4 | 7 => b == b'-',
                    _ => b.is_ascii_digit(),
                })
        }
        _ => false,
    }
}
