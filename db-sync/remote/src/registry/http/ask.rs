//! One question to a server, and who asks it. What is secret here has no `Debug`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A token.
    Bearer(String),
    /// A name and a password.
    Basic(String, String),
}

impl Authorization {
    pub(super) fn value(&self) -> String {
        match self {
            Self::Bearer(token) => format!("Bearer {token}"),
            Self::Basic(username, password) => {
                format!(
                    "Basic {}",
                    STANDARD.encode(format!("{username}:{password}"))
                )
            }
        }
    }
}

/// One question to a server.
pub struct Ask<'a> {
    /// Whom and what.
    pub url: Url,
    /// The media types that are of use.
    pub accept: &'static str,
    /// Who asks.
    pub authorization: Option<&'a Authorization>,
    /// Sent as a form by POST; otherwise the question is a GET.
    pub form: Option<String>,
}

impl<'a> Ask<'a> {
    /// A GET.
    pub(crate) fn get(
        url: Url,
        accept: &'static str,
        authorization: Option<&'a Authorization>,
    ) -> Self {
        Self {
            url,
            accept,
            authorization,
            form: None,
        }
    }
}
