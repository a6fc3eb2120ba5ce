//! Whether a manifest declares a dependency from elsewhere, and whether it is the root of a
//! workspace. One that cannot be read, or is longer than what is looked at, counts as declaring:
//! nothing says that it does not.

use super::content::{text, values};
use super::{CONTENT_BYTES, FileKind};
use document::{Entry, Node, Value};

/// Whether members of a workspace lie below this manifest, whose lockfile is theirs, too.
pub(super) fn is_workspace(kind: &FileKind, first: &[u8]) -> bool {
    match kind.id {
        "package-json" => values(&text(first), "workspaces").next().is_some(),
        "deno-json" => values(&text(first), "workspace").next().is_some(),
        "pyproject" => text(first).contains("[tool.uv.workspace"),
        _ => false,
    }
}

fn read<'a>(
    first: &'a [u8],
    parse: impl FnOnce(&'a str) -> Option<Node<'a>>,
    declares: impl FnOnce(&Node<'_>) -> bool,
) -> bool {
    if first.len() >= CONTENT_BYTES {
        return true;
    }
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let document = std::str::from_utf8(first).ok().and_then(parse);
    document.is_none_or(|document| declares(&document))
}

fn json(first: &[u8], declares: impl FnOnce(&Node<'_>) -> bool) -> bool {
    read(first, |text| document::json(text).ok(), declares)
}

fn toml(first: &[u8], declares: impl FnOnce(&Node<'_>) -> bool) -> bool {
    read(first, |text| document::toml(text).ok(), declares)
}

fn yaml(first: &[u8], declares: impl FnOnce(&Node<'_>) -> bool) -> bool {
    let one = |text| {
        document::yaml(text)
            .ok()
            .and_then(|all| all.into_iter().next())
    };
    read(first, one, declares)
}

/// Whether there is something under a key.
fn any(node: &Node<'_>, key: &str) -> bool {
    node.get(key).is_some_and(|node| match &node.value {
        Value::Null => false,
        Value::List(items) => !items.is_empty(),
        Value::Table(entries) => !entries.is_empty(),
        _ => true,
    })
}

fn lines(first: &[u8], declares: impl Fn(&str) -> bool) -> bool {
    first.len() >= CONTENT_BYTES || text(first).lines().any(|line| declares(line.trim()))
}

fn contains(first: &[u8], words: &[&str]) -> bool {
    let text = text(first);
    first.len() >= CONTENT_BYTES || words.iter().any(|word| text.contains(word))
}

/// npm: anything but folders of the project and members of its workspace.
pub(super) fn package_json(first: &[u8]) -> bool {
    const TABLES: [&str; 4] = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
    ];
    let foreign = |entry: &Entry<'_>| {
        let range = entry.node.text().unwrap_or_default();
        let local = ["workspace:", "link:", "portal:"];
        let archive = [".tgz", ".tar.gz", ".tar"];
        let folder = range.starts_with("file:") && !archive.iter().any(|end| range.ends_with(end));
        !folder && !local.iter().any(|protocol| range.starts_with(protocol))
    };
    json(first, |node| {
        TABLES.iter().any(|table| match node.get(table) {
            None => false,
            Some(table) if table.is_table() => table.entries().iter().any(foreign),
            Some(other) => other.value != Value::Null,
        })
    })
}

/// Deno: imports from a registry or an address.
pub(super) fn deno(first: &[u8]) -> bool {
    let protocols = ["npm:", "jsr:", "http://", "https://"];
    contains(first, &protocols) && contains(first, &["imports", "importMap", "scopes"])
}

/// PEP 621, Poetry, PDM, Flit, Hatch, PEP 735.
pub(super) fn pyproject(first: &[u8]) -> bool {
    let poetry = |node: &Node<'_>| {
        let real = |table: &Node<'_>| table.entries().iter().any(|entry| entry.key != "python");
        let groups = node.get("group").map(Node::entries).unwrap_or_default();
        ["dependencies", "dev-dependencies"]
            .iter()
            .any(|key| node.get(key).is_some_and(real))
            || groups.iter().any(|group| any(&group.node, "dependencies"))
    };
    let hatch = |node: &Node<'_>| {
        let environments = node.get("envs").map(Node::entries).unwrap_or_default();
        environments
            .iter()
            .any(|entry| any(&entry.node, "dependencies") || any(&entry.node, "extra-dependencies"))
    };
    toml(first, |node| {
        let project = node.get("project").is_some_and(|project| {
            let dynamic = project.get("dynamic").map(Node::items).unwrap_or_default();
            any(project, "dependencies")
                || any(project, "optional-dependencies")
                || dynamic
                    .iter()
                    .any(|item| item.text() == Some("dependencies"))
        });
        let tool = node.get("tool").is_some_and(|tool| {
            tool.get("poetry").is_some_and(poetry)
                || tool
                    .get("pdm")
                    .is_some_and(|pdm| any(pdm, "dev-dependencies"))
                || tool.get("uv").is_some_and(|uv| any(uv, "dev-dependencies"))
                || tool
                    .get("flit")
                    .and_then(|flit| flit.get("metadata"))
                    .is_some_and(|flit| any(flit, "requires") || any(flit, "requires-extra"))
                || tool.get("hatch").is_some_and(hatch)
                || tool
                    .get("pixi")
                    .is_some_and(|pixi| any(pixi, "dependencies"))
        });
        project || tool || any(node, "dependency-groups")
    })
}

/// A source package of R that imports others; every one depends on R itself.
pub(super) fn r_description(first: &[u8]) -> bool {
    let text = text(first);
    let begins = |start: &str| text.lines().any(|line| line.starts_with(start));
    let imports = ["Imports:", "Depends:", "LinkingTo:"];
    begins("Package:") && imports.iter().any(|start| begins(start))
}

/// Sums of Go modules.
pub(super) fn go_sum(first: &[u8]) -> bool {
    contains(first, &[" h1:"])
}

/// setuptools' arguments.
pub(super) fn setup_py(first: &[u8]) -> bool {
    let words = [
        "install_requires",
        "setup_requires",
        "tests_require",
        "extras_require",
    ];
    contains(first, &words)
}

/// setuptools' options.
pub(super) fn setup_cfg(first: &[u8]) -> bool {
    contains(first, &["install_requires", "[options.extras_require]"])
}

/// Pipenv.
pub(super) fn pipfile(first: &[u8]) -> bool {
    const OWN: [&str; 4] = ["source", "requires", "scripts", "pipenv"];
    toml(first, |node| {
        let groups = node.entries().iter();
        groups
            .filter(|entry| !OWN.contains(&entry.key.as_ref()))
            .any(|entry| !entry.node.entries().is_empty())
    })
}

/// conda's own environments; many files have such a name.
pub(super) fn conda_environment(first: &[u8]) -> bool {
    values(&text(first), "dependencies").next().is_some()
}

/// Composer: anything but PHP itself and its extensions.
pub(super) fn composer(first: &[u8]) -> bool {
    let real = |entry: &Entry<'_>| entry.key.contains('/');
    json(first, |node| {
        ["require", "require-dev"].iter().any(|key| {
            let table = node.get(key);
            table.is_some_and(|table| table.entries().iter().any(real))
        })
    })
}

/// Cargo: anything that is not found by its path alone.
pub(super) fn cargo(first: &[u8]) -> bool {
    const TABLES: [&str; 5] = [
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
    ];
    let foreign = |entry: &Entry<'_>| entry.node.get("path").is_none();
    let tables = |node: &Node<'_>| {
        TABLES.iter().any(|key| {
            node.get(key)
                .is_some_and(|table| table.entries().iter().any(foreign))
        })
    };
    toml(first, |node| {
        let targets = node.get("target").map(Node::entries).unwrap_or_default();
        tables(node)
            || node.get("workspace").is_some_and(tables)
            || targets.iter().any(|target| tables(&target.node))
    })
}

/// Bundler.
pub(super) fn gemfile(first: &[u8]) -> bool {
    lines(first, |line| {
        line.starts_with("gem ")
            || line.starts_with("gem(")
            || line.starts_with("gemspec")
            || line.starts_with("eval_gemfile")
    })
}

/// `RubyGems`.
pub(super) fn gemspec(first: &[u8]) -> bool {
    contains(first, &["dependency"])
}

/// Maven.
pub(super) fn maven(first: &[u8]) -> bool {
    contains(first, &["<dependency>", "<parent>", "<plugin>"])
}

/// Gradle.
pub(super) fn gradle(first: &[u8]) -> bool {
    contains(first, &["dependencies", "plugins"])
}

/// A script of Gradle of any name, with dependencies of its own.
pub(super) fn gradle_script(first: &[u8]) -> bool {
    contains(first, &["dependencies {", "dependencies{"])
}

/// sbt.
pub(super) fn sbt(first: &[u8]) -> bool {
    contains(first, &["libraryDependencies", "dependencyOverrides"])
}

/// `MSBuild`.
pub(super) fn dotnet(first: &[u8]) -> bool {
    let text = text(first).to_ascii_lowercase();
    let words = [
        "packagereference",
        "packageversion",
        "globalpackagereference",
    ];
    first.len() >= CONTENT_BYTES || words.iter().any(|word| text.contains(word))
}

/// Swift.
pub(super) fn swift(first: &[u8]) -> bool {
    contains(first, &[".package(url", ".package(id", ".package(name"])
}

/// `CocoaPods`.
pub(super) fn podfile(first: &[u8]) -> bool {
    lines(first, |line| {
        line.starts_with("pod ") || line.starts_with("pod(")
    })
}

/// Mix.
pub(super) fn mix(first: &[u8]) -> bool {
    lines(first, |line| {
        line.starts_with("{:") || line.contains("[{:") || line.contains(" {:")
    })
}

/// Rebar.
pub(super) fn rebar(first: &[u8]) -> bool {
    contains(first, &["{deps,", "{ deps", "{deps ,"])
}

/// Dart and Crystal.
pub(super) fn pubspec(first: &[u8]) -> bool {
    const SDK: [&str; 4] = [
        "dependencies",
        "dev_dependencies",
        "development_dependencies",
        "dependency_overrides",
    ];
    let foreign =
        |entry: &Entry<'_>| entry.node.get("sdk").is_none() && entry.node.get("path").is_none();
    yaml(first, |node| {
        SDK.iter().any(|key| {
            node.get(key)
                .is_some_and(|table| table.entries().iter().any(foreign))
        })
    })
}

/// Conan.
pub(super) fn conan(first: &[u8]) -> bool {
    contains(first, &["requires"])
}

/// Julia.
pub(super) fn julia(first: &[u8]) -> bool {
    toml(first, |node| any(node, "deps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_declare_or_do_not() {
        type Declares = fn(&[u8]) -> bool;
        for (declares, text, expected) in [
            (
                package_json as Declares,
                "{\"dependencies\":{\"a\":\"1\"}}",
                true,
            ),
            (package_json, "{\"name\":\"a\",\"dependencies\":{}}", false),
            (
                package_json,
                "{\"dependencies\":{\"a\":\"workspace:*\",\"b\":\"file:../b\"}}",
                false,
            ),
            (
                package_json,
                "{\"dependencies\":{\"b\":\"file:b.tgz\"}}",
                true,
            ),
            (package_json, "{\"dependencies\":[\"a\"]}", true),
            (package_json, "not json", true),
            (
                cargo,
                "[package]\nname='a'\n[dependencies]\nb={path='b'}\n",
                false,
            ),
            (cargo, "[target.'cfg(unix)'.dependencies]\nb='1'\n", true),
            (cargo, "[workspace.dependencies]\nb='1'\n", true),
            (
                pyproject,
                "[build-system]\nrequires=['setuptools']\n",
                false,
            ),
            (pyproject, "[project]\ndependencies=['a']\n", true),
            (pyproject, "[project]\ndynamic=['dependencies']\n", true),
            (pyproject, "[tool.poetry.dependencies]\npython='3'\n", false),
            (
                pyproject,
                "[tool.poetry.group.x.dependencies]\na='3'\n",
                true,
            ),
            (
                composer,
                "{\"require\":{\"php\":\"8\",\"ext-json\":\"*\"}}",
                false,
            ),
            (composer, "{\"require-dev\":{\"a/b\":\"8\"}}", true),
            (
                pipfile,
                "[requires]\npython_version='3'\n[packages]\n",
                false,
            ),
            (pipfile, "[packages]\na='*'\n", true),
            (gemfile, "source 'x'\n", false),
            (gemfile, "  gem 'a'\n", true),
            (dotnet, "<PackageReference Include=\"a\"/>", true),
            (dotnet, "<ProjectReference Include=\"a\"/>", false),
            (
                pubspec,
                "dependencies:\n  flutter:\n    sdk: flutter\n",
                false,
            ),
            (pubspec, "dependencies:\n  http: ^1.0.0\n", true),
        ] {
            assert_eq!(declares(text.as_bytes()), expected, "{text}");
        }
        let mut long = b"{\"name\": \"".to_vec();
        long.resize(CONTENT_BYTES, b'a');
        assert!(package_json(&long));
    }
}
