//! What a manifest says of a layer's table of contents, in the annotations of its descriptor.

use crate::source::digest::Digest;
use crate::source::manifest::Descriptor;

/// The digest of the uncompressed table of an eStargz layer.
const STARGZ: &str = "containerd.io/snapshot/stargz/toc.digest";

/// In front of the annotations of zstd:chunked, new and old.
const ZSTD: [&str; 2] = [
    "io.github.containers.zstd-chunked.",
    "io.containers.zstd-chunked.",
];

/// Where a table is, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The digest is that of the compressed table.
    Zstd {
        digest: Digest,
        start: u64,
        length: u64,
        unpacked: u64,
    },
    /// A footer says where it is; the digest is that of the table.
    Stargz { digest: Digest },
}

/// See the module; the error says what is wrong with the annotations.
pub(crate) type Table = Result<Place, String>;

/// What a descriptor promises; `None` where the layer has no table.
pub(in crate::source) fn of(layer: &Descriptor) -> Option<Table> {
    for prefix in ZSTD {
        let of = |name: &str| layer.annotation(&format!("{prefix}{name}"));
        match (of("manifest-checksum"), of("manifest-position")) {
            (None, None) => {}
            (Some(digest), Some(position)) => return Some(zstd(digest, position)),
            _ => {
                let cause = "the manifest gives only one of its digest and its position";
                return Some(Err(cause.to_owned()));
            }
        }
    }
    let digest = layer.annotation(STARGZ)?;
    Some(Digest::parse(digest).map(|digest| Place::Stargz { digest }))
}

/// `start:length:uncompressed length:type`.
fn zstd(digest: &str, position: &str) -> Table {
    let digest = Digest::parse(digest)?;
    let numbers: Vec<Option<u64>> = position.split(':').map(|part| part.parse().ok()).collect();
    match numbers.as_slice() {
        [Some(start), Some(length), Some(unpacked), Some(1)] => Ok(Place::Zstd {
            digest,
            start: *start,
            length: *length,
            unpacked: *unpacked,
        }),
        _ => Err("its position in the manifest is not one of this format".to_owned()),
    }
}
