//! Query-string escaping: a blank is `+`, all but letters, digits and `-_.~` is `%XX`.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// `urlencode(string)`
pub(crate) fn urlencode(args: &Args<'_>) -> Result<Value, FunctionError> {
    // A plus is encoded: each that is here was a blank.
    let parts = args.text(0).split(' ');
    let encoded = parts.map(|part| utf8_percent_encode(part, ENCODED).to_string());
    Ok(encoded.collect::<Vec<_>>().join("+").into())
}

/// `urldecode(string)`
pub(crate) fn urldecode(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut out = Vec::new();
    let mut bytes = args.text(0).bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let code = digit().and_then(|high| Some((high << 4) | digit()?));
                let code = code.and_then(|code| u8::try_from(code).ok());
                out.push(code.ok_or_else(|| argument("not a valid escape"))?);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out)
        .map(Value::from)
        .map_err(|_| argument("the decoded bytes are not UTF-8 text"))
}
