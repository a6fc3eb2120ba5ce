//! Answers a registry's challenge: Basic, or the token flow of the
//! distribution specification (token by GET; by POST with docker's identity
//! token). Credentials are shown to a token server only over a connection
//! that [`may_speak`] allows.

use super::RegistryError;
use super::address::shown;
use super::credentials::Credential;
use super::http::{Ask, Authorization, Http};
use http_auth::parser::ChallengeParser;
use serde::Deserialize;
use url::Url;

/// The longest answer of a token server, in bytes.
const MAX_TOKEN: u64 = 256 << 10;

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A token of a token server.
    Bearer {
        /// The token server.
        realm: Url,
        /// Whom the token is for.
        service: Option<String>,
    },
    /// A name and a password.
    Basic,
}

impl Challenge {
    /// The first usable challenge, a token before a password.
    pub fn choose(headers: &[String]) -> Option<Self> {
        let mut basic = None;
        for challenge in headers
            .iter()
            .flat_map(|header| ChallengeParser::new(header).map_while(Result::ok))
        {
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let value = |wanted: &str| {
                    let (_, value) = challenge
                        .params
                        .iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
                    Some(value.to_unescaped())
                };
                if let Some(realm) = value("realm").and_then(|text| Url::parse(&text).ok()) {
                    return Some(Self::Bearer {
                        realm,
                        service: value("service"),
                    });
                }
            }
        }
        basic
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Turns a challenge into an authorization. `scope` is such as
/// `repository:team/db:pull`.
pub fn answer(
    http: &Http,
    registry: &str,
    challenge: &Challenge,
    credential: Option<&Credential>,
    scope: &str,
) -> Result<Authorization, RegistryError> {
    let refused = |cause: &str| RegistryError::Auth {
        name: registry.to_owned(),
        cause: cause.to_owned(),
    };
    let (realm, service) = match (challenge, credential) {
        (Challenge::Bearer { .. }, Some(Credential::Registry(token))) => {
            return bearer(&token.0)
                .ok_or_else(|| refused("the stored token contains invalid characters"));
        }
        (Challenge::Bearer { realm, service }, _) => (realm, service.as_deref()),
        (Challenge::Basic, Some(Credential::Password(username, password))) => {
            return Ok(Authorization::Basic(username.clone(), password.0.clone()));
        }
        (Challenge::Basic, Some(Credential::Identity(_) | Credential::Registry(_))) => {
            return Err(refused(
                "it asks for a password, but only a token is stored",
            ));
        }
        (Challenge::Basic, None) => {
            return Err(refused("it asks for a name and a password"));
        }
    };
    http.plain.may_speak(realm)?;
    let ask = token_request(realm, service, scope, credential);
    let authorization = match credential {
        Some(Credential::Password(username, password)) => {
            Some(Authorization::Basic(username.clone(), password.0.clone()))
        }
        _ => None,
    };
    let ask = Ask {
        authorization: authorization.as_ref(),
        ..ask
    };
    let answer = match http.bytes(&ask, MAX_TOKEN) {
        Err(RegistryError::Status { status, .. }) if (400..500).contains(&status) => {
            let name = shown(realm);
            return Err(refused(&format!("{name} answered {status}")));
        }
        other => other?,
    };
    let token: Token =
        serde_json::from_slice(&answer).map_err(|_| refused("the token does not parse"))?;
    token
        .token
        .or(token.access_token)
        .and_then(|token| bearer(&token))
        .ok_or_else(|| refused("the token server sent no token"))
}

/// A token that fits into a header.
fn bearer(token: &str) -> Option<Authorization> {
    let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| Authorization::Bearer(token.to_owned()))
}

fn token_request(
    realm: &Url,
    service: Option<&str>,
    scope: &str,
    credential: Option<&Credential>,
) -> Ask<'static> {
    let mut url = realm.clone();
    let mut form = None;
    if let Some(Credential::Identity(token)) = credential {
        // The query of a scratch address has the encoding of a form.
        let mut scratch = realm.clone();
        scratch.set_query(None);
        scratch
            .query_pairs_mut()
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "portcullis")
            .append_pair("service", service.unwrap_or_default())
            .append_pair("scope", scope)
            .append_pair("refresh_token", &token.0);
        form = scratch.query().map(str::to_owned);
    } else {
        let mut query = url.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", scope);
    }
    Ask {
        url,
        accept: "application/json",
        authorization: None,
        form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::credentials::Secret;

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let headers = [
            "Basic realm=\"x\"".to_owned(),
            "Bearer realm=\"https://auth.example/token\",service=\"registry\"".to_owned(),
        ];
        assert_eq!(
            Challenge::choose(&headers),
            Some(Challenge::Bearer {
                realm: Url::parse("https://auth.example/token").expect("url"),
                service: Some("registry".to_owned()),
            })
        );
        assert_eq!(Challenge::choose(&headers[..1]), Some(Challenge::Basic));
        for odd in [
            "",
            "Bearer",
            "Bearer realm=\"no address\"",
            "Bearer realm=\"",
            ",,,",
        ] {
            assert_eq!(Challenge::choose(&[odd.to_owned()]), None, "{odd}");
        }
    }

    #[test]
    fn identity_tokens_go_into_the_body() {
        let realm = Url::parse("https://auth.example/token?x=1").expect("url");
        let credential = Credential::Identity(Secret("a&b".to_owned()));
        let ask = token_request(&realm, Some("s"), "repository:r:pull", Some(&credential));
        assert_eq!(ask.url, realm);
        assert_eq!(
            ask.form.as_deref(),
            Some(
                "grant_type=refresh_token&client_id=portcullis&service=s&scope=repository%3Ar%3Apull&refresh_token=a%26b"
            )
        );
        let ask = token_request(&realm, None, "repository:r:pull", None);
        assert_eq!(ask.url.query(), Some("x=1&scope=repository%3Ar%3Apull"));
    }
}
