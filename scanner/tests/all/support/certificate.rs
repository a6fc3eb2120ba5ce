//! Certificates for a server on loopback, made anew for each test (RFC 5280): an authority, and a server
//! that it vouches for.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

/// `ecdsa-with-SHA256`.
const SIGNATURE: [u8; 12] = *b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// `id-ecPublicKey` over `prime256v1`.
const KEY: [u8; 21] =
    *b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/// A certificate with its key.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) key: Vec<u8>,
    name: &'static str,
}

/// One that vouches for others, and by itself.
pub(crate) fn authority(name: &'static str) -> Certificate {
    // basicConstraints, critical: an authority.
    let extension = b"\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff";
    certificate(name, extension, None)
}

/// One of a server at 127.0.0.1.
pub(crate) fn server(by: &Certificate) -> Certificate {
    // subjectAltName: the address.
    let extension = b"\x06\x03\x55\x1d\x11\x04\x08\x30\x06\x87\x04\x7f\x00\x00\x01";
    certificate("server", extension, Some(by))
}

impl Certificate {
    /// As a PEM file.
    pub(crate) fn pem(&self) -> String {
        let text = base64(&self.der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }
}

fn certificate(name: &'static str, extension: &[u8], by: Option<&Certificate>) -> Certificate {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let key = key.as_ref().to_vec();
    let pair = |key: &[u8]| EcdsaKeyPair::from_pkcs8(algorithm, key, &random).unwrap();
    let own = pair(&key);
    let public = [&[0][..], own.public_key().as_ref()].concat();
    let validity = [
        value(0x17, b"200101000000Z"),
        value(0x18, b"21000101000000Z"),
    ];
    let body = [
        value(0xa0, b"\x02\x01\x02"),
        value(2, &[1]),
        SIGNATURE.to_vec(),
        named(by.map_or(name, |by| by.name)),
        value(0x30, &validity.concat()),
        named(name),
        value(0x30, &[&KEY[..], &value(3, &public)].concat()),
        value(0xa3, &value(0x30, &value(0x30, extension))),
    ];
    let body = value(0x30, &body.concat());
    let signer = by.map_or(own, |by| pair(&by.key));
    let signature = signer.sign(&random, &body).unwrap();
    let signature = value(3, &[&[0][..], signature.as_ref()].concat());
    let der = value(0x30, &[&body[..], &SIGNATURE, &signature].concat());
    Certificate { der, key, name }
}

/// A name that is only a common name.
fn named(name: &str) -> Vec<u8> {
    let pair = [
        b"\x06\x03\x55\x04\x03".to_vec(),
        value(0x0c, name.as_bytes()),
    ];
    value(0x30, &value(0x31, &value(0x30, &pair.concat())))
}

/// A value in DER.
fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short @ 0..0x80] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [&head[..], content].concat()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (number, three) in bytes.chunks(3).enumerate() {
        if number > 0 && number % 16 == 0 {
            text.push('\n');
        }
        let bits = three
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for digit in 0..4 {
            if digit > three.len() {
                text.push('=');
            } else {
                text.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
            }
        }
    }
    text
}
