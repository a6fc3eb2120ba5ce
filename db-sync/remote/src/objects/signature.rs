//! Signatures of requests to S3, "AWS Signature Version 4": a hash of the request, signed with a
//! key of the day, the region and the service that is derived from the secret.
//!
//! Only what is asked here is written in the canonical form: no query, and paths of characters that
//! are written as they are ([`super::place::is_plain`]).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use ureq::http::Method;
use url::{Position, Url};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A login to S3.
pub(super) struct Signer {
    id: String,
    /// `AWS4` and the secret.
    secret: String,
    token: Option<String>,
    region: String,
}

impl Signer {
    pub(super) fn new(id: String, secret: &str, token: Option<String>, region: String) -> Self {
        Self {
            id,
            secret: format!("AWS4{secret}"),
            token,
            region,
        }
    }

    /// The value of `Authorization` for a request; adds the headers that belong to it.
    pub(super) fn sign(
        &self,
        method: &Method,
        url: &Url,
        headers: &mut Vec<(&'static str, String)>,
        body: &[u8],
        now: Timestamp,
    ) -> String {
        let now = now.to_zoned(TimeZone::UTC);
        let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = now.strftime("%Y%m%d").to_string();
        let payload = hex::encode(Sha256::digest(body));
        headers.push(("x-amz-content-sha256", payload.clone()));
        headers.push(("x-amz-date", moment.clone()));
        if let Some(token) = &self.token {
            headers.push(("x-amz-security-token", token.clone()));
        }
        // A port is in it only where it is not that of the scheme, as in the header.
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let mut signed: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.trim()))
            .chain([("host", host)])
            .collect();
        signed.sort_unstable();
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{method}\n{}\n\n", url.path());
        for (name, value) in signed {
            // Writing to a string cannot fail.
            let _ = writeln!(canonical, "{name}:{value}");
        }
        let _ = write!(canonical, "\n{names}\n{payload}");
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let canonical = hex::encode(Sha256::digest(canonical));
        let text = format!("{ALGORITHM}\n{moment}\n{scope}\n{canonical}");
        let parts = [day.as_str(), &self.region, "s3", "aws4_request"];
        let key = parts
            .iter()
            .fold(self.secret.as_bytes().to_vec(), |key, part| {
                keyed(&key, part.as_bytes())
            });
        let signature = hex::encode(keyed(&key, text.as_bytes()));
        format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        )
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    // No length of a key is refused.
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let signed = mac.map(|mac| mac.chain_update(text).finalize().into_bytes());
    signed.map_or_else(|_| Vec::new(), |bytes| bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the vendor's documentation of the signature.
    #[test]
    fn the_published_example_gives_its_signature() {
        let signer = Signer::new(
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
            "us-east-1".to_owned(),
        );
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
        let mut headers = vec![("range", "bytes=0-9".to_owned())];
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let value = signer.sign(&Method::GET, &url, &mut headers, b"", now);
        assert_eq!(
            value,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }
}
