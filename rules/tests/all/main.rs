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

/// The folders of providers, which have rules below them; everything else of the crate has none.
#[cfg(test)]
fn providers() -> Vec<String> {
    const OWN: [&str; 2] = ["src", "tests"];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(root).unwrap();
    let folders = entries.map(|entry| entry.unwrap()).filter(|entry| {
        let path = entry.path();
        path.is_dir() && !path.join("Cargo.toml").exists()
    });
    let mut names: Vec<String> = folders
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !OWN.contains(&name.as_str()))
        .collect();
    names.sort();
    names
}
