//! A device and the person who holds it.

use holdfast_core::command::Command;
use rusqlite::Connection;
use serde_json::{Map, Value as Json};

use super::{Dump, TestServer, dump};
use crate::{
    Replica, StoreError, hex,
    replica::{Changed, HttpRequest, Receipt, ReplicaError},
};

/// A device, and the person who holds it.
pub struct Device {
    /// Its store.
    pub replica: Replica,
}

impl Device {
    /// A new device on which somebody signs in and which copies the hospital.
    pub fn new(server: &mut TestServer, seed: u64, username: &str) -> Result<Self, ReplicaError> {
        let mut device = Self::empty(server, seed)?;
        device.sign_in(server, username)?;
        device.sync(server)?;
        Ok(device)
    }

    /// A new device on which nobody is signed in.
    pub fn empty(server: &TestServer, seed: u64) -> Result<Self, StoreError> {
        let replica = Replica::open(Connection::open_in_memory()?, server.clock.host(seed), None)?;
        Ok(Self { replica })
    }

    /// Somebody signs in.
    pub fn sign_in(&mut self, server: &mut TestServer, username: &str) -> Result<(), ReplicaError> {
        let key = hex::decode(&self.replica.device_key()).and_then(|key| key.try_into().ok());
        let key: [u8; 32] = key.ok_or_else(|| StoreError::corrupt("the device's key"))?;
        let response = server.sign_in(username, &key)?;
        self.replica.begin_session(&response, "https://hospital.test")?;
        Ok(())
    }

    /// Carries out a command, given as the page gives it.
    pub fn run(&mut self, kind: &str, mut command: Json) -> Result<Receipt, ReplicaError> {
        command["type"] = kind.into();
        let command: Command =
            serde_json::from_value(command).map_err(|error| ReplicaError::Query(error.to_string()))?;
        self.replica.run(&command)
    }

    /// Exchanges everything with the server.
    pub fn sync(&mut self, server: &mut TestServer) -> Result<Changed, ReplicaError> {
        self.replica.wake();
        let mut changed = Changed::default();
        while let Some(request) = self.replica.next_request()? {
            let (status, body) = self.send(server, &request)?;
            changed
                .tables
                .extend(self.replica.take_response(&request.kind, status, &body)?.tables);
        }
        Ok(changed)
    }

    /// Sends one request and returns the answer, which the device has not seen yet.
    pub fn send(&self, server: &mut TestServer, request: &HttpRequest) -> Result<(u16, Vec<u8>), StoreError> {
        server.handle(self.replica.token().unwrap_or_default(), request)
    }

    /// Every row of every table.
    pub fn dump(&self) -> Result<Dump, StoreError> {
        dump::check(&self.replica.connection)?;
        dump::dump(&self.replica.connection)
    }

    /// The store is closed and opened again, as after a crash.
    pub fn reopen(self, server: &TestServer, seed: u64) -> Result<Self, StoreError> {
        let replica = Replica::open(self.replica.connection, server.clock.host(seed), None)?;
        Ok(Self { replica })
    }

    /// Rows of a query.
    pub fn rows(&mut self, sql: &str) -> Result<Vec<Map<String, Json>>, ReplicaError> {
        self.replica.query(sql, &[])
    }
}
