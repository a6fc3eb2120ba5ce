//! Opens files that the user names besides the targets: values for variables, VEX statements,
//! reports. A pipe that is open already (`/dev/fd/63` of a shell's `<(…)`, `/dev/stdin`) is read; a
//! FIFO lying somewhere may have nobody who writes to it, and a device may have no end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Where the files are that this process has open.
const OPEN: [&str; 4] = [
    "/dev/fd",
    "/dev/stdin",
    "/proc/self/fd",
    "/proc/thread-self/fd",
];

/// Opens a regular file, or what is open already.
pub fn open(path: &Path) -> io::Result<File> {
    let is_open = OPEN.iter().any(|place| path.starts_with(place));
    if !is_open && !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    File::open(path)
}

/// The whole content of what [`open`] opens, up to `limit` bytes; more is an error.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    whole(&mut open(path)?, limit)
}

/// The whole content up to `limit` bytes; more is an error.
pub fn whole(reader: &mut dyn Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let cause = format!("it is larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, cause));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        let refused = |path: &Path, limit| read(path, limit).unwrap_err().to_string();
        assert_eq!(refused(&file, 4), "it is larger than 4 bytes");
        assert_eq!(refused(folder.path(), 5), "it is not a regular file");
        #[cfg(unix)]
        {
            assert_eq!(
                refused(Path::new("/dev/zero"), 5),
                "it is not a regular file"
            );
            let socket = folder.path().join("socket");
            let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
            assert_eq!(refused(&socket, 5), "it is not a regular file");
        }
    }
}
