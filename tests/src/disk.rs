//! A disk that is soon full: a small file system in memory.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::folder;

/// A small file system. Gone when dropped.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Makes one of this size. An error says why that is not permitted here; [`crate::faults::own`] helps.
    pub fn mount(megabytes: u32) -> Result<Self, String> {
        let folder = folder::temporary();
        let size = format!("size={megabytes}m,mode=0755");
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("the disk takes a file's name");
        for size in [1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
    }

    /// Gives the room back.
    pub fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("the filler is there");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is about to end may still look at it.
        Command::new("umount").arg("--lazy").arg(self.path()).status().ok();
    }
}
