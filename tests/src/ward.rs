//! A ward with a hub of its own between its devices and the hospital's server.
//!
//! ```text
//!  devices ──► hub ──► line ──► the hospital's server
//! ```

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::{
    gate::Gate,
    hospital::Hospital,
    http::{Client, Question},
    server::{Kind, Server},
};

/// How long a ward may take to pass everything on.
const PATIENCE: Duration = Duration::from_mins(1);

/// A ward's hub and its line to the hospital.
pub struct Ward {
    /// The hub.
    pub hub: Server,
    /// The line from the hub to the hospital's server.
    pub line: Gate,
    /// The hub's name at the hospital's server.
    pub name: String,
}

impl Ward {
    /// A running hub that has copied the hospital.
    pub fn open(hospital: &Hospital, name: &str) -> Self {
        let mut ward = Self::prepare(hospital, name);
        ward.hub.start();
        ward
    }

    /// A hub that the hospital's server knows; it does not run yet.
    pub fn prepare(hospital: &Hospital, name: &str) -> Self {
        let token = hospital.server.command(&["hub", "add", name]);
        let line = Gate::to(&hospital.server.address());
        let hub = hub(&line.address(), &token.expect("the hub is added"));
        Self {
            hub,
            line,
            name: name.to_owned(),
        }
    }

    /// Its address for devices.
    pub fn address(&self) -> String {
        self.hub.address()
    }

    /// What its `/ready` says of the hub.
    pub fn state(&self) -> Json {
        state(&self.hub)
    }

    /// How many transactions it relays.
    pub fn relayed(&self) -> u64 {
        self.state()["relayed"].as_u64().expect("/ready counts what is relayed")
    }

    /// Waits until the hub says so.
    pub fn wait(&self, what: &str, is: impl Fn(&Json) -> bool) {
        wait(&self.hub, what, is);
    }

    /// Waits until the hospital has all that the hub relays.
    pub fn wait_until_passed_on(&self) {
        wait_until_passed_on(&self.hub);
    }

    /// Takes the line to the hospital away, and waits until the hub has noticed.
    pub fn cut_off(&self) {
        self.line.cut();
        self.wait("the end of the link", |hub| hub["link"] == "down");
    }
}

/// A hub of the hospital at this address; it does not run yet.
pub fn hub(address: &str, token: &str) -> Server {
    hub_on(Server::prepare(Kind::Sqlite), address, token)
}

/// The same on data that may be there.
pub fn hub_on(mut hub: Server, address: &str, token: &str) -> Server {
    let file = hub.folder().join("token");
    std::fs::write(&file, token).expect("the token is written");
    let file = file.to_str().expect("a path that is text");
    hub.set_arguments(&["--upstream", address, "--upstream-token-file", file]);
    hub
}

/// What a hub's `/ready` says of it.
pub fn state(hub: &Server) -> Json {
    let answer = Client::default().ask(&format!("{}/ready", hub.address()), &Question::default());
    let answer = answer.expect("the hub answers");
    let ready: Json = serde_json::from_slice(&answer.body).expect("/ready is JSON");
    ready["hub"].clone()
}

/// Waits until a hub says so.
pub fn wait(hub: &Server, what: &str, is: impl Fn(&Json) -> bool) {
    let begun = Instant::now();
    while !is(&state(hub)) {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what} does not come: {}\n{}",
            state(hub),
            hub.said()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the hospital has all that a hub relays.
pub fn wait_until_passed_on(hub: &Server) {
    wait(hub, "the end of the relay", |hub| {
        hub["link"] == "up" && hub["relayed"] == 0
    });
}
