//! What a file is by its name: Terraform's, OpenTofu's, a file of values, or one of the tools
//! around them that say what is applied and are not read.

/// Which tool's view of a directory is taken. OpenTofu reads `a.tofu` in the place of `a.tf`;
/// Terraform does not know `.tofu`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    OpenTofu,
    Terraform,
}

/// What a file in a module directory is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Declares,
    Overrides,
}

/// What Terraform makes in `.terraform`.
const MADE: [&str; 3] = ["modules", "plugins", "providers"];

/// Whether a file of this name makes its directory one to evaluate, or one to say something of.
pub fn is_infrastructure(name: &str) -> bool {
    role(name, Flavour::OpenTofu).is_some() || is_values(name) || other_tool(name).is_some()
}

/// Whether the tools made the directory, so that it is not the project. What somebody else put
/// beside their copies is.
pub(super) fn is_made(directory: &str) -> bool {
    let mut parts = directory.split('/');
    while let Some(part) = parts.next() {
        let mut below = parts.clone();
        let made = match part {
            ".terraform" => below.next().is_some_and(|name| MADE.contains(&name)),
            // A copy lies two folders down, each called by a digest.
            ".terragrunt-cache" => below.nth(1).is_some(),
            _ => false,
        };
        if made {
            return true;
        }
    }
    false
}

/// What a file of this name is to a tool; `None` if that reads no such files.
pub(super) fn role(name: &str, flavour: Flavour) -> Option<Role> {
    let stem = stem(name, ".tf").or_else(|| match flavour {
        Flavour::OpenTofu => stem(name, ".tofu"),
        Flavour::Terraform => None,
    })?;
    // Editors leave such files behind; Terraform skips them too.
    let is_backup = name.ends_with('~') || name.starts_with('#') && name.ends_with('#');
    if name.starts_with('.') || is_backup {
        return None;
    }
    if stem == "override" || stem.ends_with("_override") {
        Some(Role::Overrides)
    } else {
        Some(Role::Declares)
    }
}

/// A name without its ending, that of the JSON form included.
fn stem<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    name.strip_suffix(ending)
        .or_else(|| name.strip_suffix(".json")?.strip_suffix(ending))
}

/// The name of the file that OpenTofu would read instead.
pub(super) fn replacement(name: &str) -> Option<String> {
    let (stem, json) = match name.strip_suffix(".json") {
        Some(stem) => (stem, ".json"),
        None => (name, ""),
    };
    Some(format!("{}.tofu{json}", stem.strip_suffix(".tf")?))
}

/// Whether it is a file of values for variables, loaded or not.
pub(super) fn is_values(name: &str) -> bool {
    [".tfvars", ".tofuvars"]
        .iter()
        .any(|ending| stem(name, ending).is_some())
}

/// Whether a root module loads the file of values by itself.
pub(super) fn is_loaded(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    stem == "terraform.tfvars" || stem.ends_with(".auto.tfvars")
}

/// The tool whose file it is, if that decides which modules are applied with which values.
pub(super) fn other_tool(name: &str) -> Option<&'static str> {
    let bare = name.strip_suffix(".json").unwrap_or(name);
    match bare {
        "terragrunt.hcl" | "terragrunt.stack.hcl" | "terragrunt.values.hcl" => Some("Terragrunt"),
        _ if [".tfstack.hcl", ".tfcomponent.hcl", ".tfdeploy.hcl"]
            .iter()
            .any(|ending| bare.ends_with(ending)) =>
        {
            Some("Terraform Stacks")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_read() {
        for name in [
            "a.tf",
            "a.tf.json",
            "a.tofu",
            "a.tofu.json",
            "override.tofu",
        ] {
            assert!(role(name, Flavour::OpenTofu).is_some(), "{name}");
        }
        for name in ["a.tofu", ".a.tf", "a.TF", "a.tf~", "a.tfvars", "a.json"] {
            assert!(role(name, Flavour::Terraform).is_none(), "{name}");
        }
        assert!(role("x_override.tofu.json", Flavour::OpenTofu) == Some(Role::Overrides));
        assert_eq!(replacement("a.tf.json").unwrap(), "a.tofu.json");
        assert_eq!(replacement("a.tofu"), None);
        assert!(is_loaded("x.auto.tfvars.json") && !is_loaded("prod.tfvars"));
        assert!(is_values("terraform.tofuvars") && !is_loaded("terraform.tofuvars"));
        assert!(is_infrastructure("prod.tfvars.json") && is_infrastructure("terragrunt.hcl"));
        assert!(is_made("a/.terraform/modules/b") && !is_made("a/terraform/modules"));
        assert!(is_made("a/.terragrunt-cache/b/c/d"));
        assert!(!is_made(".terragrunt-cache/b") && !is_made(".terraform/app"));
    }
}
