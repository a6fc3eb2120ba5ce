//! Base64 of bytes and of text in other encodings. Standard alphabet, padding required.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, impure};
use crate::functions::limits::text_size;
use crate::value::Type;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 text of these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let mut group = 0_u32;
        for position in 0..3 {
            group = (group << 8) | u32::from(chunk.get(position).copied().unwrap_or_default());
        }
        for position in 0..4_usize {
            let shift = [18, 12, 6, 0].get(position).copied().unwrap_or_default();
            let index = usize::try_from((group >> shift) & 63).unwrap_or_default();
            let letter = ALPHABET.get(index).copied().unwrap_or(b'=');
            out.push(char::from(if position > chunk.len() {
                b'='
            } else {
                letter
            }));
        }
    }
    out
}

/// Bytes of a base64 text; line breaks in it are ignored. `None` if it is none.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let clean: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    if !clean.len().is_multiple_of(4) {
        return None;
    }
    let padding = clean.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let data = clean.get(..clean.len().checked_sub(padding)?)?;
    let mut out = Vec::with_capacity(data.len());
    for chunk in data.chunks(4) {
        let mut group = 0_u32;
        for position in 0..4 {
            let sextet = match chunk.get(position) {
                Some(letter) => sextet(*letter)?,
                None => 0,
            };
            group = (group << 6) | u32::from(sextet);
        }
        let bytes = group.to_be_bytes();
        let kept = chunk.len().checked_sub(1)?;
        out.extend(bytes.iter().skip(1).take(kept));
    }
    Some(out)
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => letter.checked_sub(b'A'),
        b'a'..=b'z' => letter.checked_sub(71),
        b'0'..=b'9' => letter.checked_add(4),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// `base64encode(string)`
pub(crate) fn base64encode(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(encode(args.text(0).as_bytes()).into())
}

/// `base64decode(string)`
pub(crate) fn base64decode(args: &Args<'_>) -> Result<Value, FunctionError> {
    let bytes = decode(args.text(0)).ok_or_else(|| argument("not valid base64"))?;
    String::from_utf8(bytes)
        .map(Value::from)
        .map_err(|_| argument("the decoded bytes are not UTF-8 text"))
}

/// `base64gzip(string)`: which bytes the compressor gives is its own affair.
pub(crate) fn base64gzip(_args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(impure("base64gzip", Type::String))
}

/// `textencodebase64(string, encoding)`; encodings that we do not know give an unknown.
pub(crate) fn textencodebase64(args: &Args<'_>) -> Result<Value, FunctionError> {
    let text = args.text(0);
    let refusal = || argument("a character cannot be written in this encoding");
    let bytes: Vec<u8> = match args.text(1).to_ascii_uppercase().as_str() {
        "UTF-8" => text.into(),
        "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "US-ASCII" if text.is_ascii() => text.into(),
        "US-ASCII" => return Err(refusal()),
        "ISO-8859-1" => text
            .chars()
            .map(|character| u8::try_from(character).map_err(|_| refusal()))
            .collect::<Result<_, _>>()?,
        _ => return Ok(impure("textencodebase64", Type::String)),
    };
    text_size(bytes.len())?;
    Ok(encode(&bytes).into())
}

/// `textdecodebase64(string, encoding)`
pub(crate) fn textdecodebase64(args: &Args<'_>) -> Result<Value, FunctionError> {
    let bytes = decode(args.text(0)).ok_or_else(|| argument("not valid base64"))?;
    let wide = |join: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| join(*pair)).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok())?
    };
    let text = match args.text(1).to_ascii_uppercase().as_str() {
        "UTF-8" => String::from_utf8(bytes).ok(),
        "US-ASCII" => String::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        "UTF-16LE" => wide(u16::from_le_bytes),
        "UTF-16BE" => wide(u16::from_be_bytes),
        "ISO-8859-1" => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        _ => return Ok(impure("textdecodebase64", Type::String)),
    };
    text.map(Value::from)
        .ok_or_else(|| argument("the bytes are no text in this encoding"))
}
