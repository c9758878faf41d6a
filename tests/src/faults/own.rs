//! Permission to mount small file systems and to make networks, which are gone with the process that made them.

use std::{io, os::unix::process::CommandExt, process::Command};

use crate::postgres;

/// Set once this process has its own.
const VARIABLE: &str = "HOLDFAST_OWN_NAMESPACES";

/// True in a process that has its own.
pub fn has() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs this program again with mounts and, if asked for, a network of its own, which needs no rights where the system lets
/// everybody have namespaces. With a network of its own it reaches PostgreSQL by its socket only; a PostgreSQL without one is
/// not reached. Returns only in the process that has them. An error says why there are none here.
pub fn have(network: bool) -> io::Result<()> {
    if has() {
        return Ok(());
    }
    let mut again = unshare(if network { &["--mount", "--net"] } else { &["--mount"] });
    if network && let Ok(url) = postgres::url_of_socket() {
        again.env(postgres::VARIABLE, url);
    }
    again
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, "1");
    Err(again.exec())
}

/// What runs a program with its own of these.
pub(crate) fn unshare(namespaces: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(namespaces);
    if !crate::cluster::is_root() {
        command.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    command
}
