//! SQLite in a browser without Holdfast: the same library, cipher, settings, tables and files on OPFS as the engine has
//! (`wasm/src/browser/storage.rs`, `store/src/schema`), and nothing else. `cargo xtask bench` links it into a module and holds
//! the app's times against its.

#[cfg(target_arch = "wasm32")]
pub mod browser;
