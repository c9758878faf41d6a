//! An [`EngineError`] as a JavaScript object, the only thing that this module throws.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use crate::error::EngineError;

impl From<EngineError> for JsValue {
    fn from(error: EngineError) -> Self {
        let object = Object::new();
        set(&object, "code", error.code);
        set(&object, "message", &error.message);
        if let Some(field) = &error.field {
            set(&object, "field", field);
        }
        object.into()
    }
}

fn set(object: &Object, key: &str, value: &str) {
    Reflect::set(object, &key.into(), &value.into()).expect("BUG: a new object takes properties");
}

/// What was thrown by the browser, in words.
pub fn words(thrown: &JsValue) -> String {
    match Reflect::get(thrown, &"message".into()).ok().and_then(|m| m.as_string()) {
        Some(message) => message,
        None => format!("{thrown:?}"),
    }
}
