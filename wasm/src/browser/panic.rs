//! A panic becomes an error that the worker can tell: without this the page only sees `unreachable`.

use crate::error::EngineError;

pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        // Thrown past Rust's frames: the engine stays borrowed, so that nothing goes on with a half-changed one.
        wasm_bindgen::throw_val(EngineError::new("crashed", panic.to_string()).into());
    }));
}
