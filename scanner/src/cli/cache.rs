//! Where layers that were read are kept: a folder of the user, and a store that machines share where one
//! is named.

use std::env;

use portcullis::source::LayerCache;
use portcullis::source::cache::MAX_BYTES;

use super::args::ScanArguments;
use super::failure::Failure;
use super::paths;

/// The shortest key that signs entries: a guess must not be worth trying.
const KEY_BYTES: usize = 16;

/// The cache of a run; `None` where it is off, or nothing says where it could be.
pub(super) fn of(arguments: &ScanArguments) -> Result<Option<LayerCache>, Failure> {
    if arguments.no_cache {
        return Ok(None);
    }
    let folder = paths::layers(arguments.cache_dir.as_deref());
    let folder = folder.map(|folder| LayerCache::new(folder, MAX_BYTES));
    let key = variable("PORTCULLIS_CACHE_KEY");
    if key.as_ref().is_some_and(|key| key.len() < KEY_BYTES) {
        let cause = format!("PORTCULLIS_CACHE_KEY has fewer than {KEY_BYTES} bytes");
        return Err(Failure::new(cause).hint("make one: openssl rand -hex 32"));
    }
    let address = arguments.shared_cache.clone();
    let address = address.or_else(|| variable("PORTCULLIS_SHARED_CACHE"));
    let mut cache = match (folder, address) {
        (None, None) => return Ok(None),
        (folder, None) => folder.unwrap_or_default(),
        (folder, Some(address)) => shared(folder.unwrap_or_default(), &address, key.is_some())?,
    };
    if let Some(key) = key {
        cache = cache.signed(&key);
    }
    if arguments.verify {
        cache = cache.verifying();
    }
    Ok(Some(cache))
}

#[cfg(feature = "registry")]
fn shared(cache: LayerCache, address: &str, is_signed: bool) -> Result<LayerCache, Failure> {
    use portcullis::source::cache::Shared;
    use remote::objects::{Access, Store, Times};

    let access = Access {
        variable: &variable,
        plain_http: is_signed,
        times: Times::default(),
    };
    let store = Store::open(address, &access).map_err(|error| {
        // The address may hold a password.
        Failure::new(format!("the shared cache cannot be used: {error}"))
    })?;
    Ok(cache.shared(Shared::new(Box::new(store))))
}

#[cfg(not(feature = "registry"))]
fn shared(_: LayerCache, _: &str, _: bool) -> Result<LayerCache, Failure> {
    Err(Failure::new(
        "this program was built without what a shared cache needs (feature `registry`)",
    ))
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
