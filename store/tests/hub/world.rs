//! A hospital's server, a hub in the ward, and devices that are everywhere.

use holdfast_core::{ids::TransactionId, policy::Role, protocol::RelayEvent};
use holdfast_store::{
    replica::OutboxEntry,
    server::Submission,
    testing::{Device, State, TestServer},
};

use crate::ward::{hospital, two_nurses};

/// A hospital and its hub, which has copied it; two nurses who are in step with the hospital.
pub fn ward() -> (TestServer, TestServer, Device, Device) {
    let mut centre = hospital();
    let (nora, nils) = two_nurses(&mut centre);
    let mut hub = TestServer::hub(&centre, 500).unwrap();
    hub.exchange(&mut centre).unwrap();
    (centre, hub, nora, nils)
}

/// All exchange everything until nobody has anything new. Then all hold the same: centre, hub and devices, those of the ward
/// and those that are elsewhere; and it is what the log makes.
pub fn settle(
    centre: &mut TestServer,
    hub: &mut TestServer,
    in_ward: &mut [&mut Device],
    elsewhere: &mut [&mut Device],
) {
    for _ in 0..4 {
        for device in &mut *in_ward {
            device.sync(hub).unwrap();
        }
        hub.exchange(centre).unwrap();
        for device in &mut *elsewhere {
            device.sync(centre).unwrap();
        }
    }
    assert_eq!(hub.store.relay_count().unwrap().transactions, 0, "all is in the stream");
    all_equal(
        centre,
        hub,
        in_ward.iter().chain(elsewhere.iter()).map(|device| &**device),
    );
}

/// Centre, hub and devices hold the same, and it is what the log makes.
pub fn all_equal<'a>(centre: &TestServer, hub: &TestServer, devices: impl Iterator<Item = &'a Device>) {
    let expected = centre.state().unwrap();
    same(&hub.state().unwrap(), &expected, "the hub");
    same(&centre.refolded().unwrap(), &expected, "the log");
    let expected = expected.unrestricted();
    for (n, device) in devices.enumerate() {
        let status = device.replica.status().unwrap();
        assert_eq!(status.problem, None);
        assert_eq!(status.differences, 0, "it came to another checksum");
        same(
            &device.state().unwrap().unrestricted(),
            &expected,
            &format!("device {n}"),
        );
    }
}

pub fn same(one: &State, other: &State, who: &str) {
    if let Some(difference) = one.difference(other) {
        panic!("{who} differs in {difference}");
    }
}

/// What the hub tells a device that begins.
pub fn relayed(hub: &TestServer) -> Vec<RelayEvent> {
    hub.store.relayed(None, Role::Admin, 1_000, 1 << 20).unwrap().events
}

/// How often the stream has each of these.
pub fn in_log(server: &TestServer, id: TransactionId) -> usize {
    let log = server.log().unwrap();
    let ids = log.iter().map(|entry| entry.transaction.body().unwrap().id);
    ids.filter(|found| *found == id).count()
}

/// The states of what waits and what was refused.
pub fn states(device: &Device) -> Vec<String> {
    let state = |entry: OutboxEntry| entry.state;
    device.replica.outbox().unwrap().into_iter().map(state).collect()
}

/// What a device would push, as a server takes it.
pub fn submissions(device: &mut Device) -> Vec<Submission> {
    device.replica.wake();
    let request = device.replica.next_request().unwrap().unwrap();
    let push: holdfast_core::protocol::PushRequest = holdfast_core::protocol::decode(&request.body).unwrap();
    let submission = |transaction: holdfast_core::transaction::Transaction| Submission {
        opened: transaction.open().unwrap(),
        transaction,
        role: Role::Nurse,
        import: false,
        objection: None,
    };
    push.transactions.into_iter().map(submission).collect()
}
