//! A device whose replica is driven by hand.

use std::collections::BTreeMap;

use holdfast_core::{
    command::Command,
    document::Facet,
    ids::{HubId, Seq, Timestamp, TransactionId},
    protocol,
    transaction::Transaction,
};
use rusqlite::Connection;
use serde_json::{Map, Value as Json};

use super::{Crash, CrashPoint, Disk, Dump, State, TestServer, dump};
use crate::{
    Host, Replica, StoreError, hex, meta,
    replica::{Changed, HttpRequest, HttpResponse, Receipt, ReplicaError},
    sql_value::uuid,
    tables::Tables,
};

/// A device. The name of its store's server is made up.
pub struct Device {
    /// Its replica.
    pub replica: Replica,
}

/// A transaction in a device's outbox.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    /// When the command was given; it stays when the transaction is made again.
    pub made_at: Timestamp,
    /// Its name, which is another when it is made again.
    pub id: TransactionId,
    /// The command as JSON.
    pub command: Json,
    /// `waiting` or `rejected`
    pub state: String,
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
        Self::open(Connection::open_in_memory()?, server.clock.host(seed))
    }

    /// A device with this store.
    fn open(connection: Connection, host: Host) -> Result<Self, StoreError> {
        let replica = Replica::open(connection, host, None)?;
        Ok(Self { replica })
    }

    /// The disk of a device that has not been used yet.
    pub fn blank() -> Result<Disk, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        crate::schema::prepare(&mut connection, holdfast_core::schema::Side::Device, None)?;
        Disk::copy(&connection)
    }

    /// A device that starts with this disk.
    pub fn start(disk: &Disk, host: Host) -> Result<Self, StoreError> {
        Self::open(disk.mount()?, host)
    }

    /// Its disk as it is now.
    pub fn disk(&self) -> Result<Disk, StoreError> {
        Disk::copy(&self.replica.connection)
    }

    /// Lets it die at a point.
    pub fn crash_at(&self, point: CrashPoint) -> Result<Crash, StoreError> {
        Crash::arm(&self.replica.connection, point)
    }

    /// The device starts again, with its disk as it is, after a crash too.
    pub fn restart(self, host: Host) -> Result<Self, StoreError> {
        Crash::clear(&self.replica.connection)?;
        Self::open(self.replica.connection, host)
    }

    /// Somebody signs in.
    pub fn sign_in(&mut self, server: &mut TestServer, username: &str) -> Result<(), ReplicaError> {
        let response = server.sign_in(username, &self.public_key()?)?;
        self.replica.begin_session(&response, "https://hospital.test")?;
        Ok(())
    }

    /// Changes the store behind the replica's back.
    pub fn spoil(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.replica.connection.execute_batch(sql)?)
    }

    /// The device's key.
    pub fn public_key(&self) -> Result<[u8; 32], StoreError> {
        let key = hex::decode(&self.replica.device_key()).and_then(|key| key.try_into().ok());
        key.ok_or_else(|| StoreError::corrupt("the device's key"))
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
            let response = self.send(server, &request)?;
            changed
                .tables
                .extend(self.replica.take_response(&request.kind, &response)?.tables);
        }
        Ok(changed)
    }

    /// Sends one request and returns the answer, which the device has not seen yet.
    pub fn send(&self, server: &mut TestServer, request: &HttpRequest) -> Result<HttpResponse, StoreError> {
        let token = self.replica.token().filter(|_| request.needs_token());
        let (status, body) = server.handle(token.unwrap_or_default(), request)?;
        Ok(HttpResponse {
            status,
            hospital: Some(server.store.hospital_id()?.to_string()),
            body,
        })
    }

    /// What waits and what was refused, in order.
    pub fn kept(&self) -> Result<Vec<Kept>, StoreError> {
        let sql =
            "SELECT made_at, id, command, state FROM sync_outbox WHERE state IN ('waiting', 'rejected') ORDER BY n";
        let mut statement = self.replica.connection.prepare_cached(sql)?;
        let mut found = statement.query([])?;
        let mut kept = Vec::new();
        while let Some(row) = found.next()? {
            kept.push(Kept {
                made_at: Timestamp(row.get(0)?),
                id: TransactionId(uuid(&row.get::<_, Vec<u8>>(1)?)?),
                command: serde_json::from_str(&row.get::<_, String>(2)?).map_err(StoreError::corrupt)?,
                state: row.get(3)?,
            });
        }
        Ok(kept)
    }

    /// What it was told is in the hospital's stream, of what it did last.
    pub fn acknowledged(&self) -> Result<Vec<TransactionId>, StoreError> {
        let mut statement = self.replica.connection.prepare_cached("SELECT id FROM sync_kept")?;
        let ids = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        ids.map(|id| Ok(TransactionId(uuid(&id?)?))).collect()
    }

    /// True if it has columns that only some may see.
    pub fn sees_restricted(&self) -> Result<bool, StoreError> {
        Ok(meta::get(&self.replica.connection, "sees_restricted")?.unwrap_or(false))
    }

    /// True if there is anything of the columns that only some may see.
    pub fn holds_restricted(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM staff WHERE salary IS NOT NULL
            UNION ALL SELECT 1 FROM sync_documents WHERE part >= 256
            UNION ALL SELECT 1 FROM sync_base WHERE part >= 256
            UNION ALL SELECT 1 FROM sync_incoming WHERE part >= 256";
        Ok(self.replica.connection.prepare_cached(sql)?.exists([])? || self.holds_restricted_of_others()?)
    }

    /// True if a hub told it of restricted columns that others wrote.
    fn holds_restricted_of_others(&self) -> Result<bool, StoreError> {
        let sql = "SELECT entry FROM sync_outbox WHERE state IN ('relayed', 'left_out')";
        let mut statement = self.replica.connection.prepare_cached(sql)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let transaction: Transaction = protocol::decode(&row.get::<_, Vec<u8>>(0)?).map_err(StoreError::corrupt)?;
            let body = transaction.body().map_err(StoreError::corrupt)?;
            let mut changes = body.changes.iter().zip(&transaction.changes);
            if changes.any(|(name, bytes)| name.document.facet == Facet::Restricted && bytes.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The transactions of others that it has from this hub.
    pub fn relayed_by(&self, hub: HubId) -> Result<Vec<TransactionId>, StoreError> {
        let sql = "SELECT id FROM sync_outbox WHERE state IN ('relayed', 'left_out') AND hub = ?1";
        let mut statement = self.replica.connection.prepare_cached(sql)?;
        let mut found = statement.query([hub.0.as_bytes()])?;
        let mut ids = Vec::new();
        while let Some(row) = found.next()? {
            ids.push(TransactionId(uuid(&row.get::<_, Vec<u8>>(0)?)?));
        }
        Ok(ids)
    }

    /// How many transactions of others it shows, or leaves out, because a hub relays them.
    pub fn relayed(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM sync_outbox WHERE state IN ('relayed', 'left_out')";
        let count: i64 = self.replica.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// The place in the stream up to which it has everything, once the hospital is copied.
    pub fn cursor(&self) -> Result<Option<Seq>, StoreError> {
        let cursor: Option<i64> = meta::get(&self.replica.connection, "cursor")?;
        Ok(cursor.map(|cursor| Seq(cursor as u64)))
    }

    /// True once the hospital is copied.
    pub fn is_copied(&self) -> Result<bool, StoreError> {
        Ok(self.cursor()?.is_some())
    }

    /// Every row of every table.
    pub fn dump(&self) -> Result<Dump, StoreError> {
        dump::check(&self.replica.connection)?;
        dump::dump(&self.replica.connection)
    }

    /// Every row of a table, by column name.
    pub fn table(&self, name: &str) -> Result<Vec<BTreeMap<&'static str, String>>, StoreError> {
        let table = holdfast_core::schema::Schema::hospital().expect(name);
        let rows = Tables(&self.replica.connection).select(table, &[])?;
        let cells = |row: &holdfast_core::row::Row| {
            let cells = table.columns.iter().zip(&row.values);
            cells.filter_map(|(c, v)| Some((c.name, v.to_sql_text()?))).collect()
        };
        Ok(rows.iter().map(cells).collect())
    }

    /// All that it holds.
    pub fn state(&self) -> Result<State, StoreError> {
        State::read(&self.replica.connection)
    }

    /// The store is closed and opened again, as after a crash.
    pub fn reopen(self, server: &TestServer, seed: u64) -> Result<Self, StoreError> {
        self.restart(server.clock.host(seed))
    }

    /// Rows of a query.
    pub fn rows(&mut self, sql: &str) -> Result<Vec<Map<String, Json>>, ReplicaError> {
        self.replica.query(sql, &[])
    }
}
