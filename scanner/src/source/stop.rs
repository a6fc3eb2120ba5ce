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
}

impl Stop {
    /// The sentence that says why.
    pub(crate) fn cause(&self) -> &str {
        let (Self::Limit(cause) | Self::Broken(cause) | Self::Total(cause)) = self;
        cause
    }
}
