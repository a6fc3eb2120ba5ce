//! By what a file on this disk is known again: device, inode, length and times. `None` where the system
//! does not say, or where it was changed a moment ago.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::time::{Duration, SystemTime};

/// A file that was changed so shortly before it was read may be changed again without a new time.
#[cfg(unix)]
const SETTLED: Duration = Duration::from_secs(2);

/// See the module.
pub(in crate::source) fn identity(path: &Path, part: &str) -> Option<String> {
    let data = fs::symlink_metadata(path)
        .ok()
        .filter(fs::Metadata::is_file)?;
    of_data(&data, part)
}

#[cfg(unix)]
fn of_data(data: &fs::Metadata, part: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let changed = u64::try_from(data.ctime()).ok()?;
    let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(changed))?;
    let age = now().duration_since(changed).ok()?;
    (age > SETTLED).then(|| {
        format!(
            "{}:{}:{}:{}.{}:{}.{}:{part}",
            data.dev(),
            data.ino(),
            data.len(),
            data.mtime(),
            data.mtime_nsec(),
            data.ctime(),
            data.ctime_nsec()
        )
    })
}

#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "whether a file may still change is a question to the clock, and no answer of it is in a report"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(not(unix))]
fn of_data(_data: &fs::Metadata, _part: &str) -> Option<String> {
    None
}
