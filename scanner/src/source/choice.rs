//! The choice among the platforms of one image.

use super::digest::shorten;
use super::platform::Platform;

/// What to say where no image is for the platform.
pub(super) fn none_for(wanted: Option<&Platform>, available: &[Platform]) -> String {
    let wanted = wanted.cloned().unwrap_or_else(Platform::default_choice);
    format!("no image for {wanted}; there are: {}", list(available))
}

/// Their names, as a text.
fn list(platforms: &[Platform]) -> String {
    let mut names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    shorten(&names.join(", "))
}

/// Which of several platforms to scan.
pub(super) struct Choice {
    pub(super) numbers: Vec<usize>,
    /// Why it may not be what the user meant.
    pub(super) remark: Option<String>,
}

/// Chooses among the platforms of one image. Images whose platform is unknown are scanned, with
/// a remark where a platform was asked for.
pub(super) fn select(platforms: &[Option<Platform>], wanted: Option<&Platform>) -> Choice {
    if wanted.is_some_and(Platform::is_all) {
        return Choice {
            numbers: (0..platforms.len()).collect(),
            remark: None,
        };
    }
    let known: Vec<Platform> = platforms.iter().flatten().cloned().collect();
    if known.is_empty() {
        return Choice {
            numbers: (0..platforms.len()).collect(),
            remark: wanted.map(|wanted| {
                format!(
                    "whether the image is for {wanted} is not known: it does not name its platform"
                )
            }),
        };
    }
    let default = Platform::default_choice();
    let fits = |choice: &Platform| known.iter().any(|platform| choice.takes(platform));
    let (choice, remark) = match wanted {
        Some(wanted) if fits(wanted) => (wanted.clone(), None),
        Some(_) => {
            return Choice {
                numbers: Vec::new(),
                remark: None,
            };
        }
        None if fits(&default) => (default, None),
        None => {
            let linux = known.iter().find(|platform| platform.os == "linux");
            let choice = linux.or(known.first()).cloned().unwrap_or_default();
            let is_only = known.iter().all(|platform| *platform == choice);
            let remark = (!is_only || choice.os != "linux").then(|| {
                format!(
                    "no image for {default}; {choice} was scanned; there are: {}",
                    list(&known)
                )
            });
            (choice, remark)
        }
    };
    // Of several variants one: the one that engines take, else the first.
    let fitting = || {
        platforms
            .iter()
            .flatten()
            .filter(|platform| choice.takes(platform))
    };
    let usual = |platform: &&Platform| match platform.variant.as_deref() {
        None | Some("") => true,
        Some(variant) => matches!(
            (platform.architecture.as_str(), variant),
            ("arm", "v7") | ("arm64", "v8") | ("amd64", "v1")
        ),
    };
    let chosen = fitting().find(usual).or_else(|| fitting().next()).cloned();
    Choice {
        numbers: platforms
            .iter()
            .enumerate()
            // One that does not name its platform may be for any.
            .filter(|(_, platform)| platform.is_none() || **platform == chosen)
            .map(|(number, _)| number)
            .collect(),
        remark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(names: &[&str]) -> Vec<Option<Platform>> {
        names.iter().map(|name| name.parse().ok()).collect()
    }

    #[test]
    fn the_platform_is_the_one_asked_for_or_the_usual_one() {
        let many = platforms(&[
            "linux/arm/v6",
            "linux/arm/v7",
            "linux/amd64",
            "windows/amd64",
        ]);
        let choose = |wanted: Option<&str>| {
            let wanted = wanted.map(|text| text.parse().unwrap());
            select(&many, wanted.as_ref())
        };
        assert_eq!(choose(None).numbers, [2]);
        assert_eq!(choose(Some("linux/arm")).numbers, [1]);
        assert_eq!(choose(Some("linux/arm/v6")).numbers, [0]);
        assert!(choose(Some("linux/s390x")).numbers.is_empty());
        assert_eq!(choose(Some("all")).numbers, [0, 1, 2, 3]);
        let only = select(&platforms(&["linux/arm64"]), None);
        assert!(only.numbers == [0] && only.remark.is_none());
        let mut doubtful = platforms(&["linux/arm64", "linux/amd64"]);
        doubtful.push(None);
        assert_eq!(select(&doubtful, None).numbers, [1, 2]);
        let foreign = select(&platforms(&["windows/amd64"]), None);
        assert!(foreign.numbers == [0] && foreign.remark.unwrap().contains("windows/amd64"));
    }
}
