//! Integration tests: one binary, so that the library is linked once. A module per subject.

#[cfg(test)]
mod attached;
#[cfg(test)]
mod bases;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod commit;
#[cfg(test)]
mod distributions;
#[cfg(test)]
mod doubt;
#[cfg(test)]
#[cfg(feature = "registry")]
mod elsewhere;
#[cfg(test)]
mod feeds;
#[cfg(test)]
#[cfg(feature = "registry")]
mod fleet;
#[cfg(test)]
mod images;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod odd_images;
#[cfg(test)]
mod outputs;
#[cfg(test)]
#[cfg(feature = "registry")]
mod partial;
#[cfg(test)]
#[cfg(unix)]
mod robust;
#[cfg(test)]
mod support;
#[cfg(test)]
#[cfg(feature = "registry")]
mod tls;
#[cfg(test)]
#[cfg(unix)]
mod unpacked;
#[cfg(test)]
mod why;
#[cfg(test)]
mod words;
