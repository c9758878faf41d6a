//! Seconds since some moment, by the surroundings' steady clock.

#[cfg(not(target_arch = "wasm32"))]
pub fn now() -> f64 {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// A browser's clock is coarse: 5 µs where the page is isolated from other origins, 100 µs elsewhere.
#[cfg(target_arch = "wasm32")]
pub fn now() -> f64 {
    performance_now() / 1_000.0
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}
