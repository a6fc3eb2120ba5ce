//! DEFLATE (RFC 1951) in gzip (RFC 1952), streamed: what nearly every layer is packed in, and most of
//! the time that a scan takes. Ours, because a decoder that may write beyond what it decodes, into a
//! buffer of its own, takes three quarters of the time of one that fills the caller's (BENCHMARKS.md),
//! without `unsafe`.
//!
//! Accepts what zlib accepts: the tests hold both to the same bytes and the same refusals. Any number
//! of members, and zeros behind the last one; anything else there would be read by some engines and
//! not by others, and is an error.

mod block;
mod gzip;
mod input;
mod output;
mod table;
#[cfg(test)]
mod tests;

use std::io;

pub(crate) use gzip::Gzip;

/// The stream is not what it says it is.
fn damaged(cause: &'static str) -> io::Error {
    let cause = format!("the gzip stream is damaged: {cause}");
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

/// The stream stops in the middle.
fn early() -> io::Error {
    let cause = "the gzip stream ends early";
    io::Error::new(io::ErrorKind::UnexpectedEof, cause)
}

/// A buffer that never was on the stack.
#[expect(clippy::unnecessary_box_returns, reason = "it belongs on the heap")]
fn zeros<const N: usize>() -> Box<[u8; N]> {
    let buffer = vec![0; N].into_boxed_slice();
    // It has the length that was asked for.
    buffer.try_into().unwrap_or_else(|_| Box::new([0; N]))
}
