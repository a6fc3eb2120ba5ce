//! Whether there is a stdout at all. Where a program starts with stdout closed, Rust's runtime
//! puts `/dev/null` in its place before `main`, and a report would go nowhere with exit code 0.
//! So the question is asked before the runtime starts; `>/dev/null` is a stdout like any other.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// An error where the program was started without a stdout.
pub(super) fn check() -> io::Result<()> {
    if CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("it was closed when the program started"));
    }
    Ok(())
}

/// Linux lists the open files of a process; without `/proc` nothing is known, and nothing claimed.
#[cfg(target_os = "linux")]
extern "C" fn look() {
    let files = std::path::Path::new("/proc/self/fd");
    let known = files.is_dir();
    let open = files.join("1").symlink_metadata().is_ok();
    CLOSED.store(known && !open, Ordering::Relaxed);
}

// SAFETY: the loader calls what stands in this section, once and before `main`, as C functions
// without needing their result. `look` has that form, does not unwind, and uses of the standard
// library only what needs no runtime: a heap, system calls and an atomic.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "only code that runs before the runtime can tell a closed stdout; see SAFETY"
)]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;
