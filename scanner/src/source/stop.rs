//! Why the reading of a layer stopped before its end, and what that means for what was read.

/// Why a layer stream stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A limit; what was read so far is good.
    Limit(String),
    /// The stream is broken.
    Broken(String),
    /// A limit on all layers together: none of them counts.
    Total(String),
    /// The time for the image is over before the layer was verified: it does not count.
    Late,
}

impl Stop {
    /// The sentence that says why.
    pub(crate) fn cause(&self) -> &str {
        match self {
            Self::Limit(cause) | Self::Broken(cause) | Self::Total(cause) => cause,
            Self::Late => "the time for the image is over",
        }
    }
}
