//! Makes minisign keys and signatures, as the program does.

use blake2::Digest as _;
use db_sync::transfer::VerifyKey;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::fs;
use std::path::Path;

pub(super) struct Signer {
    pair: Ed25519KeyPair,
    pub(super) id: [u8; 8],
}

impl Signer {
    pub(super) fn new(seed: u8) -> Self {
        Self::with_id(seed, [seed; 8])
    }

    /// A key that claims an id.
    pub(super) fn with_id(seed: u8, id: [u8; 8]) -> Self {
        Self {
            pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("seed"),
            id,
        }
    }

    /// The public key, by way of a file.
    pub(super) fn key(&self, directory: &Path) -> VerifyKey {
        let path = directory.join(format!("{}.pub", self.id[0]));
        let mut bytes = b"Ed".to_vec();
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(self.pair.public_key().as_ref());
        let line = base64(&bytes);
        fs::write(&path, format!("{line}\n")).expect("write");
        VerifyKey::read(&path).expect("bare key");
        fs::write(&path, format!("untrusted comment: key\n{line}\n")).expect("write");
        VerifyKey::read(&path).expect("key file")
    }

    pub(super) fn sign(&self, content: &[u8]) -> String {
        self.text(*b"ED", &blake2::Blake2b512::digest(content))
    }

    /// The old form: the content itself is signed.
    pub(super) fn sign_legacy(&self, content: &[u8]) -> String {
        self.text(*b"Ed", content)
    }

    fn text(&self, kind: [u8; 2], message: &[u8]) -> String {
        let signature = self.pair.sign(message);
        let mut line = kind.to_vec();
        line.extend_from_slice(&self.id);
        line.extend_from_slice(signature.as_ref());
        let comment = "a test";
        let mut all = signature.as_ref().to_vec();
        all.extend_from_slice(comment.as_bytes());
        let global = self.pair.sign(&all);
        format!(
            "untrusted comment: signature\n{}\ntrusted comment: {comment}\n{}\n",
            base64(&line),
            base64(global.as_ref())
        )
    }
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let group = chunk
                .iter()
                .chain([&0, &0])
                .take(3)
                .fold(0, |all, byte| (all << 8) | usize::from(*byte));
            (0..4).map(move |place| {
                if place > chunk.len() {
                    '='
                } else {
                    char::from(DIGITS[(group >> (18 - 6 * place)) & 63])
                }
            })
        })
        .collect()
}
