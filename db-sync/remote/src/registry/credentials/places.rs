//! Where docker and podman keep credentials. A file that the user named comes before one that lies
//! where it always does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The files to look into, in order.
pub(super) fn files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let in_home = || {
        let home = set("HOME").or_else(|| set("USERPROFILE"))?;
        Some(Path::new(&home).join(".docker").join("config.json"))
    };
    let in_session = || {
        let session = set("XDG_RUNTIME_DIR")?;
        Some(Path::new(&session).join("containers").join("auth.json"))
    };
    let docker = set("DOCKER_CONFIG").map(|folder| Path::new(&folder).join("config.json"));
    let podman = set("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let mut usual = Vec::new();
    if docker.is_none() {
        usual.extend(in_home());
    }
    if podman.is_none() {
        usual.extend(in_session());
    }
    docker.into_iter().chain(podman).chain(usual).collect()
}

#[cfg(test)]
mod tests {
    use super::files;
    use std::path::PathBuf;

    #[test]
    fn named_files_come_before_usual_ones() {
        let all = [
            ("DOCKER_CONFIG", "d"),
            ("REGISTRY_AUTH_FILE", "r.json"),
            ("HOME", "h"),
            ("XDG_RUNTIME_DIR", "x"),
        ];
        let found = |variables: &[(&str, &str)]| -> Vec<PathBuf> {
            files(|name| {
                let mut known = variables.iter().filter(|(known, _)| *known == name);
                known.next().map(|(_, value)| value.into())
            })
        };
        let paths = |texts: &[&str]| texts.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(found(&all), paths(&["d/config.json", "r.json"]));
        assert_eq!(
            found(&all[1..]),
            paths(&["r.json", "h/.docker/config.json"])
        );
        assert_eq!(
            found(&all[2..]),
            paths(&["h/.docker/config.json", "x/containers/auth.json"])
        );
        assert_eq!(
            found(&[("DOCKER_CONFIG", ""), ("USERPROFILE", "u")]),
            paths(&["u/.docker/config.json"])
        );
        assert_eq!(found(&[]), paths(&[]));
    }
}
