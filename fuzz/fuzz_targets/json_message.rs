//! The messages in JSON. The first byte chooses the kind.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::protocol::{ErrorResponse, SignInRequest, SignInResponse};
use serde_json::{Value as Json, from_slice, to_value};

fn run(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else {
        return;
    };
    let read = |text: &[u8]| -> Option<Json> {
        Some(
            match kind % 3 {
                0 => to_value(from_slice::<SignInRequest>(text).ok()?),
                1 => to_value(from_slice::<SignInResponse>(text).ok()?),
                _ => to_value(from_slice::<ErrorResponse>(text).ok()?),
            }
            .expect("what was read can be written"),
        )
    };
    if let Some(written) = read(text) {
        assert_eq!(
            read(written.to_string().as_bytes()),
            Some(written),
            "it is read as it was written"
        );
    }
}

holdfast_fuzz::target!(run);
