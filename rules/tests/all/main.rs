//! What this crate promises as a whole, as one test binary.

#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod hcl_eval;
#[cfg(test)]
mod index;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod words;
