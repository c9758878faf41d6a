//! Temporary folders, in memory where the machine has room for it: what these tests show needs no disk that keeps its
//! promises through a power cut, only processes that end without warning.

use std::path::Path;

use tempfile::TempDir;

/// A folder that is gone when dropped.
pub fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary folder can be made")
}
