//! Permission to mount small file systems, which are gone with the process that mounted them.

use std::{io, os::unix::process::CommandExt, process::Command};

/// Set once this process has mounts of its own.
const VARIABLE: &str = "HOLDFAST_OWN_MOUNTS";

/// Runs this program again with mounts of its own, which needs no rights where the system lets everybody have namespaces.
/// Returns only in the process that has them. An error says why there are none here.
pub fn have_own() -> io::Result<()> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    let mut again = Command::new("unshare");
    again.arg("--mount");
    if !crate::cluster::is_root() {
        again.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    again.arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    Err(again.env(VARIABLE, "1").exec())
}
