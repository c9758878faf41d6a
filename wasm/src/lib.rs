//! The engine for browsers: the device's replica on OPFS, for the worker that owns it.
//!
//! ```text
//!  page ── port ──► worker ──► Engine ──► Replica ──► SQLite ──► OPFS
//!                     └─ fetch: sends what `nextRequest` says, gives what came to `takeResponse`
//! ```
//!
//! *Architecture invariants*
//! - Nothing is decided here: each method is one call of the replica's, with JSON or bytes for arguments and answers.
//! - Everything thrown is an `EngineError` of the page's port (`web/src/engine/port.ts`), made in [`error`]. A panic throws
//!   one with the code `crashed`; after it the worker must be thrown away. The store survives: its transactions are SQLite's.
//! - The network, timers and locks belong to the worker's TypeScript; this module only ever waits for OPFS, in `open`.

pub mod error;

#[cfg(target_arch = "wasm32")]
mod browser;
