//! Parts of benchmarks that are JavaScript: in a browser, or another engine. Each prints one JSON object.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value as Json;

use crate::server::Server;

/// Runs `tests/browser/bench/NAME` with Node.js.
pub fn run(name: &str, arguments: &[&str]) -> Json {
    let script = tests().join("browser/bench").join(name);
    let mut command = Command::new("node");
    answer(command.arg(script).args(arguments))
}

/// Runs a program; what it says on its way shows, what it prints is JSON.
pub fn answer(command: &mut Command) -> Json {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(output.status.success(), "{command:?}: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command:?} prints no JSON ({error}): {text}"))
}

/// A number of what a program printed.
pub fn number(json: &Json, name: &str) -> f64 {
    let number = json[name].as_f64();
    number.unwrap_or_else(|| panic!("there is no number {name} in {json}"))
}

/// Another server on a PostgreSQL server's database, which hands out the ward app too.
pub fn app_server(server: &Server) -> Server {
    let app = std::env::var_os("HOLDFAST_WEB_DIST").map_or_else(|| tests().join("../web/dist"), PathBuf::from);
    let app = app.to_str().expect("the app's folder has a name in UTF-8");
    let mut beside = server.beside();
    beside.set_arguments(&["--app", app]);
    beside.start();
    beside
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
