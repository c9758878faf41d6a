//! What the fuzz targets share. Each target is a program in `fuzz_targets/`, with the inputs that it begins with in
//! `corpus/`; how to run them stands in `docs/architecture.md` under "Tests".
//!
//! Compiled as `cargo fuzz` and `cargo xtask test` do (`--cfg fuzzing`), a target is driven by libFuzzer. Compiled
//! ordinarily it runs once for each file that it is given, which is how a finding is looked at in a debugger.

mod change;
mod check;
mod guard;
mod history;

pub use change::{chunk, contents, packed};
pub use check::check_document;
pub use guard::guarded;
pub use history::{ACTORS, arrival, changes, document, document_id, edit, table};

/// Makes a fuzz target of a function over bytes. The file begins with `#![cfg_attr(fuzzing, no_main)]`.
#[macro_export]
macro_rules! target {
    ($run:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $run(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay($run)
        }
    };
}

/// Runs a target once for each file named on the command line, or in a folder named there.
pub fn replay(run: impl Fn(&[u8])) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1).map(std::path::PathBuf::from) {
        let files = if path.is_dir() {
            std::fs::read_dir(&path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()?
        } else {
            vec![path]
        };
        for file in files {
            println!("{}", file.display());
            run(&std::fs::read(file)?);
        }
    }
    Ok(())
}
