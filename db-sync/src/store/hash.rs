//! The hash table in the file: key → number, by the first 8 bytes of the key's
//! SHA-256 (which no one can aim at one bucket). It finds candidates; the
//! caller compares the real key.
//!
//! `bits u32 │ count u32 │ bucket starts u32 × (2^bits + 1) │ (hash u32, number u32) × count`

use sha2::{Digest, Sha256};

/// Bytes before the bucket starts.
pub(crate) const HEAD: u64 = 8;

/// The hash of a key's parts, which are separated so that they cannot run
/// into each other.
pub(crate) fn of(parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            hasher.update([0]);
        }
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    u64::from_be_bytes(first)
}

/// The bucket of a hash: its top bits.
pub(crate) fn bucket(hash: u64, bits: u32) -> u64 {
    hash.checked_shr(64_u32.saturating_sub(bits)).unwrap_or(0)
}

/// The part of a hash that is stored with each entry.
pub(crate) fn mark(hash: u64) -> u32 {
    let [_, _, _, _, low @ ..] = hash.to_be_bytes();
    u32::from_be_bytes(low)
}

/// Writes the table for the given hashes; entry `n` has the number `n`.
pub(crate) fn table(hashes: &[u64]) -> Vec<u8> {
    let wanted = (hashes.len() / 2).max(1);
    let bits = wanted.next_power_of_two().trailing_zeros().min(28);
    let mut entries: Vec<(u64, u32)> = hashes.iter().copied().zip(0..).collect();
    entries.sort_unstable();
    let mut out = Vec::new();
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(
        &u32::try_from(hashes.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    let mut next = entries.iter().zip(0_u32..).peekable();
    let mut start = 0_u32;
    for number in 0..=(1_u64 << bits) {
        while let Some((_, position)) = next.next_if(|((hash, _), _)| bucket(*hash, bits) < number)
        {
            start = position.saturating_add(1);
        }
        out.extend_from_slice(&start.to_le_bytes());
    }
    for (hash, number) in &entries {
        out.extend_from_slice(&mark(*hash).to_le_bytes());
        out.extend_from_slice(&number.to_le_bytes());
    }
    out
}
