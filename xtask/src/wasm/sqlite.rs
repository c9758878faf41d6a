//! How SQLite is compiled for browsers. `sqlite-wasm-rs` compiles it with nearly everything it has; what the engine does not use
//! is left out, as nobody should wait for its download. The compiler takes these flags after the package's own.

/// `SQLite3` Multiple Ciphers brings seven ciphers; a store is encrypted with ChaCha20-Poly1305, its default.
const OTHER_CIPHERS: [&str; 6] = ["AES_128_CBC", "AES_256_CBC", "SQLCIPHER", "RC4", "ASCON128", "AEGIS"];

/// What the package turns on (<https://sqlite.org/compile.html>) and no statement of the engine or of a page uses.
const UNUSED: [&str; 14] = [
    // rusqlite checks what it passes to SQLite.
    "API_ARMOR",
    "BYTECODE_VTAB",
    "COLUMN_METADATA",
    "DBPAGE_VTAB",
    "DBSTAT_VTAB",
    "FTS5",
    "MATH_FUNCTIONS",
    "OFFSET_SQL_FUNC",
    "PREUPDATE_HOOK",
    "RTREE",
    "SESSION",
    "STMTVTAB",
    "UNKNOWN_SQL_FUNCTION",
    "UNLOCK_NOTIFY",
];

/// What every SQLite has unless told otherwise, of that which may be left out of the amalgamation. The app works with
/// JSON in TypeScript.
const OMITTED: [&str; 7] = [
    "-DSQLITE_OMIT_AUTOVACUUM",
    "-DSQLITE_OMIT_COMPILEOPTION_DIAGS",
    "-DSQLITE_OMIT_DESERIALIZE",
    "-DSQLITE_OMIT_JSON",
    "-DSQLITE_OMIT_TCL_VARIABLE",
    "-DSQLITE_OMIT_TRACE",
    "-DSQLITE_UNTESTABLE",
];

/// What every browser has since 2021, and the compiler uses only if told: a copy is one instruction.
const FEATURES: [&str; 2] = ["-mbulk-memory", "-mnontrapping-fptoint"];

/// The flags for the C compiler.
pub fn flags() -> String {
    let ciphers = OTHER_CIPHERS.iter().map(|name| format!("-DHAVE_CIPHER_{name}=0"));
    let unused = UNUSED.iter().map(|name| format!("-USQLITE_ENABLE_{name}"));
    let others = OMITTED.iter().chain(&FEATURES).map(ToString::to_string);
    ciphers.chain(unused).chain(others).collect::<Vec<_>>().join(" ")
}
