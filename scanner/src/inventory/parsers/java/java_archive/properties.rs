//! `pom.properties` as Maven's archiver writes it (format of `java.util.Properties`).

/// Group, artifact and version.
pub(super) type Coordinates = (String, String, String);

/// Whether an entry of an archive is one: `META-INF/maven/<group>/<artifact>/pom.properties`, also
/// below the classes of a web application.
pub(super) fn is_name(name: &str) -> bool {
    let mut parts = name.rsplit('/');
    let ends = parts.next() == Some("pom.properties");
    let (_, _) = (parts.next(), parts.next());
    ends && parts.next() == Some("maven") && parts.next() == Some("META-INF")
}

/// The coordinates of a file, or why there are none.
pub(super) fn read(content: &[u8]) -> Result<Coordinates, &'static str> {
    let text = String::from_utf8_lossy(content);
    let (mut group, mut artifact, mut version) = (None, None, None);
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with(['#', '!']) {
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let value = value.trim();
        let place = match key.trim_end() {
            "groupId" => &mut group,
            "artifactId" => &mut artifact,
            "version" => &mut version,
            _ => continue,
        };
        if !value.is_empty() {
            *place = Some(value.to_owned());
        }
    }
    let unresolved = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("${"));
    if [&group, &artifact, &version].into_iter().any(unresolved) {
        return Err("coordinates with a property that was not resolved");
    }
    match (group, artifact, version) {
        (Some(group), Some(artifact), Some(version)) => Ok((group, artifact, version)),
        _ => Err("no groupId, artifactId or version, which every pom.properties has"),
    }
}
