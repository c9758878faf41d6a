//! Seconds since some moment, by the surroundings' best clock.

/// The thread's processor time, in which other programs' turns don't count.
#[cfg(not(target_arch = "wasm32"))]
pub fn now() -> f64 {
    use nix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Unix has this clock");
    std::time::Duration::from(time).as_secs_f64()
}

/// A browser has a wall clock only, and a coarse one: 5 µs where the page is isolated from other origins, 100 µs elsewhere.
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
