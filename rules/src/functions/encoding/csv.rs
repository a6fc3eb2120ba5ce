//! CSV as in RFC 4180, first line is the header; each row becomes an object of strings.

use std::sync::Arc;

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};
use crate::functions::limits::MAX_DOCUMENT;

/// `csvdecode(string)`
pub(crate) fn csvdecode(args: &Args<'_>) -> Result<Value, FunctionError> {
    args.document("csv", decode)
}

fn decode(text: &str) -> Result<Value, FunctionError> {
    let mut rows = rows(text)?.into_iter();
    let header: Vec<Arc<str>> = rows
        .next()
        .ok_or_else(|| argument("a header line required"))?
        .into_iter()
        .map(Arc::from)
        .collect();
    let mut names = header.clone();
    names.sort();
    names.dedup();
    if names.len() != header.len() {
        return Err(argument("a column name occurs twice"));
    }
    let mut out = Vec::new();
    for row in rows {
        if row.len() != header.len() {
            return Err(argument(
                "a row has another number of fields than the header",
            ));
        }
        let fields = header.iter().cloned().zip(row.into_iter().map(Value::from));
        out.push(Value::map(fields));
    }
    Ok(Value::list(out))
}

/// Splits into rows of fields; blank lines are skipped.
fn rows(text: &str) -> Result<Vec<Vec<String>>, FunctionError> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut rest = text.chars().peekable();
    let mut fields = 0_usize;
    while rest.peek().is_some() {
        let mut field = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next() {
                    Some('"') if rest.next_if_eq(&'"').is_none() => break,
                    Some(character) => field.push(character),
                    None => return Err(argument("a quoted field does not end")),
                }
            }
        } else {
            while let Some(character) = rest.next_if(|next| !",\n".contains(*next)) {
                if character == '"' {
                    return Err(argument("a quote inside an unquoted field"));
                }
                field.push(character);
            }
            if rest.peek() != Some(&',') && field.ends_with('\r') {
                field.pop();
            }
        }
        rest.next_if_eq(&'\r');
        let blank = row.is_empty() && field.is_empty();
        fields = fields.saturating_add(1);
        if fields > MAX_DOCUMENT {
            return Err(FunctionError::Limit(format!(
                "more than {MAX_DOCUMENT} fields"
            )));
        }
        row.push(field);
        match rest.next() {
            Some(',') => {
                if rest.peek().is_none() {
                    row.push(String::new());
                    rows.push(std::mem::take(&mut row));
                }
            }
            Some('\n') | None => {
                let finished = std::mem::take(&mut row);
                if !blank {
                    rows.push(finished);
                }
            }
            Some(_) => return Err(argument("text after a quoted field")),
        }
    }
    Ok(rows)
}
