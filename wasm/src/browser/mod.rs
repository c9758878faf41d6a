//! What only a browser's worker has.

mod engine;
mod host;
mod panic;
mod storage;
mod thrown;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs when the module is instantiated.
#[wasm_bindgen(start)]
fn start() {
    panic::install();
}
