//! Where a store is, and how to log in to it: its address, and the variables of the environment that
//! the vendors' own tools read.
//!
//! Characters that some signature writes in another way than an address does are refused in buckets
//! and prefixes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::signature::Signer;
use super::{BadStore, join};

/// The version of the protocol of Azure's blobs in which all that is used here is defined.
const AZURE_VERSION: &str = "2021-12-02";

/// Where S3 is asked if nothing names a region.
const DEFAULT_REGION: &str = "us-east-1";

/// How a request proves who sends it.
pub(super) enum Login {
    Nobody,
    /// The value of `Authorization`.
    Header(String),
    /// Added to the address: a shared access signature.
    Query(String),
    Aws(Box<Signer>),
}

impl Login {
    /// Whether who reads a request learns something that is good for other requests.
    pub(super) const fn shows_secret(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Query(_))
    }
}

/// How a store is told to write only what is not there.
#[derive(Clone, Copy)]
pub(super) enum Absent {
    /// `If-None-Match: *` (RFC 9110 13.1.2): S3, Azure, http servers.
    NoneMatch,
    /// Google's number of changes.
    Generation,
}

impl Absent {
    pub(super) const fn header(self) -> (&'static str, &'static str) {
        match self {
            Self::NoneMatch => ("if-none-match", "*"),
            Self::Generation => ("x-goog-if-generation-match", "0"),
        }
    }
}

/// See the module.
pub(super) struct Place {
    /// Ends with `/`.
    pub(super) base: Url,
    pub(super) login: Login,
    pub(super) absent: Absent,
    /// Without secrets.
    pub(super) shown: String,
    is_azure: bool,
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Place {
    pub(super) fn parse(address: &str, variable: Variable<'_>) -> Result<Self, BadStore> {
        let (scheme, rest) = address
            .split_once("://")
            .ok_or_else(|| bad("an address begins with s3://, gs://, az:// or https://"))?;
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        match scheme {
            "s3" => s3(rest, &variable),
            "gs" => google(rest, &variable),
            "az" => azure(rest, &variable),
            "https" | "http" => server(address, &variable),
            _ => Err(bad(
                "an address begins with s3://, gs://, az:// or https://",
            )),
        }
    }

    /// The address of an object.
    pub(super) fn object(&self, name: &str) -> Result<Url, String> {
        let mut url = join(&self.base, name)?;
        if let Login::Query(query) = &self.login {
            url.set_query(Some(query));
        }
        Ok(url)
    }

    /// What a store wants to know of every write.
    pub(super) fn on_write(&self) -> Option<(&'static str, String)> {
        self.is_azure
            .then(|| ("x-ms-blob-type", "BlockBlob".to_owned()))
    }

    /// What a store wants to know of every request.
    pub(super) fn version(&self) -> Option<(&'static str, String)> {
        self.is_azure
            .then(|| ("x-ms-version", AZURE_VERSION.to_owned()))
    }
}

fn bad(cause: &str) -> BadStore {
    BadStore(cause.to_owned())
}

/// Characters that every signature and every address writes as they are.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/')
}

/// The first of the names, and the rest with one `/` at its end, or empty.
fn split(rest: &str) -> Result<(&str, String), BadStore> {
    let rest = rest.trim_end_matches('/');
    let (first, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_odd = |part: &str| matches!(part, "" | "." | "..");
    if first.is_empty() || (!prefix.is_empty() && prefix.split('/').any(is_odd)) {
        return Err(bad(
            "the bucket or a part of the prefix is empty, `.` or `..`",
        ));
    }
    if !rest.bytes().all(is_plain) {
        return Err(bad(
            "only letters, digits and `-._~/` may be in the bucket and the prefix",
        ));
    }
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("{prefix}/")
    };
    Ok((first, prefix))
}

fn url(text: &str) -> Result<Url, BadStore> {
    Url::parse(text).map_err(|error| BadStore(error.to_string()))
}

/// A server that is named in the place of the vendor's, with a `/` at its end.
fn endpoint(text: &str, name: &str) -> Result<String, BadStore> {
    let parsed = url(text).map_err(|error| BadStore(format!("{name}: {error}")))?;
    let is_http = matches!(parsed.scheme(), "http" | "https");
    let has_more = parsed.query().is_some() || !parsed.username().is_empty();
    if !is_http || has_more || parsed.host_str().is_none() {
        return Err(BadStore(format!("{name} is not the address of a server")));
    }
    Ok(format!("{}/", parsed.as_str().trim_end_matches('/')))
}

fn s3(rest: &str, variable: Variable<'_>) -> Result<Place, BadStore> {
    let (bucket, prefix) = split(rest)?;
    let region = variable("AWS_REGION")
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .unwrap_or_else(|| DEFAULT_REGION.to_owned());
    if !region
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(bad("AWS_REGION is not the name of a region"));
    }
    let named = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
    let named = named
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)));
    let base = match named {
        Some((name, text)) => format!("{}{bucket}/{prefix}", endpoint(&text, name)?),
        // A name with a dot is not covered by the certificate of the hosts of buckets.
        None if bucket.contains('.') => {
            format!("https://s3.{region}.amazonaws.com/{bucket}/{prefix}")
        }
        None => format!("https://{bucket}.s3.{region}.amazonaws.com/{prefix}"),
    };
    let login = match (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) {
        (Some(id), Some(secret)) => {
            let token = variable("AWS_SESSION_TOKEN");
            Login::Aws(Box::new(Signer::new(id, &secret, token, region)))
        }
        (None, None) => Login::Nobody,
        _ => {
            return Err(bad(
                "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set",
            ));
        }
    };
    Ok(Place {
        base: url(&base)?,
        login,
        absent: Absent::NoneMatch,
        shown: format!("s3://{bucket}/{prefix}"),
        is_azure: false,
    })
}

fn google(rest: &str, variable: Variable<'_>) -> Result<Place, BadStore> {
    let (bucket, prefix) = split(rest)?;
    let server = match variable("STORAGE_EMULATOR_HOST") {
        Some(text) if text.contains("://") => endpoint(&text, "STORAGE_EMULATOR_HOST")?,
        Some(text) => endpoint(&format!("http://{text}"), "STORAGE_EMULATOR_HOST")?,
        None => "https://storage.googleapis.com/".to_owned(),
    };
    let token = ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"];
    let token = token.into_iter().find_map(variable);
    Ok(Place {
        base: url(&format!("{server}{bucket}/{prefix}"))?,
        login: token.map_or(Login::Nobody, |token| {
            Login::Header(format!("Bearer {token}"))
        }),
        absent: Absent::Generation,
        shown: format!("gs://{bucket}/{prefix}"),
        is_azure: false,
    })
}

fn azure(rest: &str, variable: Variable<'_>) -> Result<Place, BadStore> {
    let (account, path) = split(rest)?;
    if path.is_empty() {
        return Err(bad("an address is az://account/container/prefix"));
    }
    let server = match variable("AZURE_STORAGE_ENDPOINT") {
        Some(text) => endpoint(&text, "AZURE_STORAGE_ENDPOINT")?,
        None => format!("https://{account}.blob.core.windows.net/"),
    };
    let signature = variable("AZURE_STORAGE_SAS_TOKEN");
    let login = match signature {
        Some(query) => Login::Query(query.trim_start_matches('?').to_owned()),
        None => Login::Nobody,
    };
    Ok(Place {
        base: url(&format!("{server}{path}"))?,
        login,
        absent: Absent::NoneMatch,
        shown: format!("az://{account}/{path}"),
        is_azure: true,
    })
}

/// A server that knows `GET` and `PUT`. Name and password may be in the address.
fn server(address: &str, variable: Variable<'_>) -> Result<Place, BadStore> {
    let mut base = url(address)?;
    if base.query().is_some() || base.fragment().is_some() || base.host_str().is_none() {
        return Err(bad(
            "an address has a host and a path, and nothing behind it",
        ));
    }
    let login = match (base.username(), base.password()) {
        ("", None) => variable("PORTCULLIS_CACHE_TOKEN").map_or(Login::Nobody, |token| {
            Login::Header(format!("Bearer {token}"))
        }),
        (name, password) => {
            let decoded = |text: &str| {
                percent_encoding::percent_decode_str(text)
                    .decode_utf8()
                    .map(std::borrow::Cow::into_owned)
                    .map_err(|_| bad("name or password is not UTF-8"))
            };
            let both = format!(
                "{}:{}",
                decoded(name)?,
                decoded(password.unwrap_or_default())?
            );
            Login::Header(format!("Basic {}", STANDARD.encode(both)))
        }
    };
    // Cannot fail where there is a host.
    let _ = base.set_username("");
    let _ = base.set_password(None);
    let path = format!("{}/", base.path().trim_end_matches('/'));
    base.set_path(&path);
    Ok(Place {
        shown: crate::printable(base.as_str()),
        base,
        login,
        absent: Absent::NoneMatch,
        is_azure: false,
    })
}
