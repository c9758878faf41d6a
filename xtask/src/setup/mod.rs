//! What must be on the machine: found if it is there, installed if it isn't.

pub mod node;
pub mod packages;
pub mod rust;

use std::path::{Path, PathBuf};

/// How a step of setting up or building went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// There was something to do, and it is done.
    Done,
    /// Nothing had to be done.
    UpToDate,
}

impl Outcome {
    /// The words behind the step's name.
    pub fn note(self) -> &'static str {
        match self {
            Self::Done => "",
            Self::UpToDate => "up to date",
        }
    }
}

/// The first of `names` that is a program in `PATH` or in `folders`.
pub fn find_program(names: &[&str], folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).chain(folders.iter().cloned()).collect();
    names.iter().find_map(|name| {
        places
            .iter()
            .map(|place| place.join(name))
            .find(|file| is_program(file))
    })
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_the_first_name_that_exists() {
        let found = find_program(&["no-such-program-here", "sh"], &[]).unwrap();
        assert!(found.ends_with("sh"));
        assert_eq!(find_program(&["no-such-program-here"], &["/bin".into()]), None);
    }
}
