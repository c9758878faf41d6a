//! What can be said of a transaction without the store: it can be read, and it comes from the device that sends it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use holdfast_core::{
    ids::{DeviceId, Timestamp, TransactionId},
    protocol::PushOutcome,
    transaction::{Body, DeviceKey, Opened, Signatures, Transaction, TransactionError, prepare},
};
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use uuid::Uuid;

/// The longest name of a command, in bytes.
const MAX_COMMAND: usize = 100;

/// Why nothing of a device is taken.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum NotTaken {
    /// It is refused for good: code and reason.
    Ever(&'static str, &'static str),
    /// The device is not known, and may be soon.
    Yet,
}

/// A transaction that the device has signed.
#[derive(Debug)]
pub(in crate::http) struct Verified {
    pub(super) transaction: Transaction,
    pub(super) opened: Opened,
}

/// Verifies transactions, in their order, on so many threads. `key` is asked for that of the device that made each.
pub(in crate::http) fn verify_all<'a>(
    transactions: Vec<Transaction>,
    key: &(impl Fn(DeviceId) -> Result<&'a DeviceKey, NotTaken> + Sync),
    threads: usize,
) -> Vec<Result<Verified, PushOutcome>> {
    let opened = prepare(&transactions, threads, |some| verify(some, key));
    let verified = |(transaction, opened): (_, Result<_, _>)| opened.map(|opened| Verified { transaction, opened });
    transactions.into_iter().zip(opened).map(verified).collect()
}

fn verify<'a>(
    some: &[Transaction],
    key: &impl Fn(DeviceId) -> Result<&'a DeviceKey, NotTaken>,
) -> Vec<Result<Opened, PushOutcome>> {
    let mut signatures = Signatures::default();
    let read: Vec<_> = some
        .iter()
        .map(|transaction| read(transaction, key, &mut signatures))
        .collect();
    let right = signatures.verify(&mut UnwrapErr(SysRng));
    let opened = |(transaction, read): (&Transaction, Result<_, _>)| {
        let (body, signature): (Body, usize) = read?;
        open(transaction, body, right[signature])
    };
    some.iter().zip(read).map(opened).collect()
}

/// The body, and which of the signatures is its own.
fn read<'a>(
    transaction: &Transaction,
    key: &impl Fn(DeviceId) -> Result<&'a DeviceKey, NotTaken>,
    signatures: &mut Signatures,
) -> Result<(Body, usize), PushOutcome> {
    let body = transaction
        .body()
        .map_err(|e| rejected(TransactionId(Uuid::nil()), "malformed", e.to_string()))?;
    let key = match key(body.device) {
        Ok(key) => key,
        Err(NotTaken::Ever(code, reason)) => return Err(rejected(body.id, code, reason.to_owned())),
        Err(NotTaken::Yet) => {
            return Err(PushOutcome::Later {
                id: body.id,
                missing: 0,
            });
        }
    };
    let signature = signatures
        .add(transaction, &body, key)
        .map_err(|error| rejected(body.id, code(&error), error.to_string()))?;
    Ok((body, signature))
}

fn open(transaction: &Transaction, body: Body, is_signed: bool) -> Result<Opened, PushOutcome> {
    let id = body.id;
    let reject = |code: &str, reason: &str| Err(rejected(id, code, reason.to_owned()));
    if !is_signed {
        let error = TransactionError::Signature(body.device);
        return reject(code(&error), &error.to_string());
    }
    if let Some((code, reason)) = objection(transaction, &body) {
        return reject(code, reason);
    }
    // What is inside was made by whoever holds the device. The decoder promises not to panic; this makes sure.
    let opened =
        catch_unwind(AssertUnwindSafe(|| transaction.open_with(body).map(Opened::examined))).unwrap_or_else(|_| {
            Err(TransactionError::Malformed(
                "a change brought the decoder to panic".to_owned(),
            ))
        });
    opened.or_else(|error| reject(code(&error), &error.to_string()))
}

/// What is wrong with a body that is signed well.
fn objection(transaction: &Transaction, body: &Body) -> Option<(&'static str, &'static str)> {
    /// 0001-01-01 and 9999-12-31: what the tables' times hold.
    const TIMES: std::ops::RangeInclusive<Timestamp> =
        Timestamp(-62_135_596_800_000_000)..=Timestamp(253_402_300_799_999_999);
    if body.id.0.is_nil() {
        return Some(("malformed", "The transaction has no id."));
    }
    if !TIMES.contains(&body.time) {
        return Some((
            "invalid_time",
            "The transaction's time is not between the years 1 and 9999.",
        ));
    }
    if body.command.len() > MAX_COMMAND || body.command.contains('\0') {
        return Some((
            "malformed",
            "The name of the transaction's command is too long or contains a NUL character.",
        ));
    }
    if body.changes.is_empty() {
        return Some(("empty", "The transaction changes nothing."));
    }
    if transaction.changes.iter().any(Option::is_none) {
        return Some((
            "incomplete",
            "A change is named that does not come with the transaction.",
        ));
    }
    None
}

fn code(error: &TransactionError) -> &'static str {
    match error {
        TransactionError::Malformed(_) | TransactionError::Change { .. } => "malformed",
        TransactionError::TooManyChanges(_) => "too_large",
        TransactionError::WrongHash { .. } => "wrong_hash",
        TransactionError::Signature(_) | TransactionError::Key(_) => "wrong_signature",
    }
}

/// A rejection.
fn rejected(id: TransactionId, code: &str, reason: String) -> PushOutcome {
    PushOutcome::Rejected {
        id,
        code: code.to_owned(),
        reason,
    }
}
