//! What the project allows. Each exception says why.

/// Licences that ask for no more than a notice, and of which any may be taken into a product that isn't free.
pub const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// Packages under other licences, each with its licence and why it is all right.
pub const LICENCE_EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "lightningcss",
        "MPL-2.0",
        "a build tool of the app; no line of it is shipped",
    ),
    (
        "libfuzzer-sys",
        "(MIT OR Apache-2.0) AND NCSA",
        "NCSA is as permissive as BSD, and no line of it is shipped",
    ),
];

/// The most lines that a source file has; more of them are two ideas.
pub const LONGEST_FILE: usize = 500;

/// Longer files, each with its reason.
pub const LONG_FILES: &[(&str, &str)] = &[];

/// Folders whose files are made by `cargo xtask generate`.
pub const GENERATED: &[&str] = &["web/src/engine/generated/"];

/// Endings of files that are held to a length.
pub const MEASURED: &[&str] = &[".rs", ".ts", ".svelte", ".mjs", ".js"];

/// Marks of work that somebody meant to do later. Written in parts, so that this file passes.
pub const LEFTOVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("db", "g!("),
];

/// Package registries: named in lock files, where machines put them, and nowhere else.
pub const REGISTRIES: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("deb.", "debian.org"),
];

/// Files in which registries may be named.
pub const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];
