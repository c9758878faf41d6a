//! What a row costs: building, folding and opening documents, beside the Automerge library in the same run.
//!
//! One set of jobs ([`jobs::all`]) with two drivers: `cargo bench --package holdfast-document-bench` natively, and
//! `browser` (this crate as a WebAssembly module) in a browser. `cargo xtask bench document` and `document-browser` run them.
//!
//! Both sides start from the same bytes and end with the same: a job that starts from the stored form ends in the stored
//! form on both sides, one that starts from a document in memory leaves it there on both sides. Where the library has
//! several ways, the quickest is taken. Before anything is measured, both sides' results are compared ([`row::agree`]).

pub mod jobs;
pub mod memory;
pub mod row;
pub mod sizes;
pub mod table;
pub mod timing;

#[cfg(target_arch = "wasm32")]
pub mod browser;
mod clock;
