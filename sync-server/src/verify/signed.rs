//! Whether entries are what devices signed, in an order without gaps.

use std::{collections::HashMap, sync::Arc};

use holdfast_core::{
    ids::{DeviceId, Seq},
    protocol,
    transaction::{Body, DeviceKey, Opened, Signatures, Transaction, TransactionError},
};
use holdfast_store::ReplayEntry;
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use uuid::Uuid;

use super::entries::RawEntry;
use crate::{
    hex,
    validate::session::{Dialect, Session, SessionError},
};

/// The registered devices' public keys.
#[derive(Clone, Debug)]
pub struct Devices(Arc<HashMap<DeviceId, DeviceKey>>);

impl Devices {
    /// Reads them, revoked ones too: what they signed before stays.
    pub async fn read(session: &mut Session) -> Result<Self, SessionError> {
        let sql = match session.dialect() {
            Dialect::Sqlite => "SELECT device, hex(public_key) FROM sync_devices",
            Dialect::Postgres => "SELECT device::text, encode(public_key, 'hex') FROM sync.devices",
        };
        let mut devices = HashMap::new();
        for row in session.rows(sql, &[]).await? {
            let mut cells = row.into_iter().flatten();
            let device = cells.next().and_then(|id| Uuid::try_parse(&id).ok());
            let key = cells.next().and_then(|key| hex::decode(&key));
            if let (Some(device), Some(key)) = (device, key) {
                devices.insert(DeviceId(device), DeviceKey::new(&key));
            }
        }
        Ok(Self(Arc::new(devices)))
    }
}

/// A page, ready to be folded.
#[derive(Debug, Default)]
pub struct Signed {
    /// Those that can be read, whatever else is wrong with them: the store has folded them too.
    pub entries: Vec<ReplayEntry>,
    /// What is wrong, by place.
    pub problems: Vec<(Seq, String)>,
}

/// Checks a page that comes after `last`.
pub fn check(page: Vec<RawEntry>, mut last: Seq, devices: &Devices) -> Signed {
    let mut signed = Signed::default();
    let mut signatures = Signatures::default();
    let mut asked = Vec::new();
    for raw in page {
        let seq = raw.seq;
        if seq != last.next() {
            signed.problems.push((seq, gap(last, seq)));
        }
        last = seq;
        let mut problem = |problem| signed.problems.push((seq, problem));
        let (transaction, opened) = match open(&raw, &mut problem) {
            Ok(read) => read,
            Err(unreadable) => {
                problem(unreadable);
                continue;
            }
        };
        let device = opened.body.device;
        match devices.0.get(&device) {
            None => problem(format!("its device {device} is not registered")),
            Some(key) => match signatures.add(&transaction, &opened.body, key) {
                Ok(_) => asked.push((seq, device)),
                Err(error) => problem(error.to_string()),
            },
        }
        signed.entries.push(ReplayEntry {
            seq,
            accepted_at: raw.accepted_at,
            opened,
        });
    }
    let right = signatures.verify(&mut UnwrapErr(SysRng));
    for ((seq, device), _) in asked.into_iter().zip(right).filter(|(_, right)| !right) {
        signed
            .problems
            .push((seq, TransactionError::Signature(device).to_string()));
    }
    signed.problems.sort_by_key(|(seq, _)| *seq);
    signed
}

fn gap(last: Seq, seq: Seq) -> String {
    match seq.0.saturating_sub(last.0) {
        2 => format!("entry {} before it is missing", last.next()),
        missing => format!(
            "the {} entries before it, from {}, are missing",
            missing.saturating_sub(1),
            last.next()
        ),
    }
}

fn open(raw: &RawEntry, problem: &mut impl FnMut(String)) -> Result<(Transaction, Opened), String> {
    let bytes = hex::decode_all(&raw.entry).ok_or("is no hexadecimal text")?;
    let transaction: Transaction = protocol::decode(&bytes).map_err(|e| format!("cannot be read: {e}"))?;
    let opened = transaction.open().map_err(|e| e.to_string())?;
    if opened.changes.iter().any(Option::is_none) {
        problem("a change is named and not there".to_owned());
    }
    for (name, (said, column)) in ["id", "user", "device", "time", "first id"]
        .iter()
        .zip(said(&opened.body).iter().zip(&raw.columns))
    {
        if said != column {
            problem(format!("its {name} is {said}, and the log's column says {column}"));
        }
    }
    Ok((transaction, opened))
}

/// What the log's columns repeat.
fn said(body: &Body) -> [String; 5] {
    [
        body.id.0.simple().to_string(),
        body.user.to_string(),
        body.device.to_string(),
        body.time.0.to_string(),
        body.first.map(|first| first.0.simple().to_string()).unwrap_or_default(),
    ]
}
