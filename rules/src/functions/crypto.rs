//! Hashes of strings. What needs a key or is salted (`rsadecrypt`, `bcrypt`) stays unknown.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use sha2::digest::Digest;

use super::FunctionError;
use super::call::{Args, argument, impure};
use super::encoding::base64;
use crate::Value;
use crate::value::Type;

/// The hash of bytes as hexadecimal text.
pub(super) fn hex_of<D: Digest>(bytes: &[u8]) -> Value {
    hex::encode(D::digest(bytes)).into()
}

/// The hash of bytes as base64 text.
pub(super) fn base64_of<D: Digest>(bytes: &[u8]) -> Value {
    base64::encode(&D::digest(bytes)).into()
}

/// `md5(string)` and its like.
pub(super) fn hash<D: Digest>(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(hex_of::<D>(args.text(0).as_bytes()))
}

/// `base64sha256(string)` and its like.
pub(super) fn base64_hash<D: Digest>(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(base64_of::<D>(args.text(0).as_bytes()))
}

/// `bcrypt(string)`: salted anew at each run.
pub(super) fn bcrypt(_args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(impure("bcrypt", Type::String))
}

/// `rsadecrypt(text, key)`: secrets are not our business.
pub(super) fn rsadecrypt(_args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(impure("rsadecrypt", Type::String))
}

/// `uuid()`
pub(super) fn uuid(_args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(impure("uuid", Type::String))
}

/// `uuidv5(namespace, name)`, RFC 9562 section 5.5.
pub(super) fn uuidv5(args: &Args<'_>) -> Result<Value, FunctionError> {
    let namespace = match args.text(0) {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let digits: String = namespace.chars().filter(|digit| *digit != '-').collect();
    let space = u128::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| digits.len() == 32)
        .ok_or_else(|| argument("a namespace name or UUID required"))?;
    let mut hasher = sha1::Sha1::new();
    hasher.update(space.to_be_bytes());
    hasher.update(args.text(1).as_bytes());
    let mut id = 0_u128;
    for byte in hasher.finalize().iter().take(16) {
        id = (id << 8) | u128::from(*byte);
    }
    // Version 5 and the variant of the RFC.
    id = (id & !(0xf << 76)) | (5 << 76);
    id = (id & !(3 << 62)) | (2 << 62);
    let text = format!("{id:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
    .into())
}
