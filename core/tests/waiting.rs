//! Who waits for whom: whatever the order of arrival, everybody comes out once, after what he waited for.

use std::collections::BTreeSet;

use holdfast_core::{
    document::DocumentId,
    ids::{ChangeHash, DeviceId, RowId, Timestamp, TransactionId},
    ingest::waiting::{Due, Limits, Load, MAX_WAIT, Unkept, Waiter, Waiting},
    schema::TableId,
    transaction::ChangeName,
};
use proptest::prelude::*;
use uuid::Uuid;

/// The change that transaction `n` brings.
fn change(n: usize) -> ChangeName {
    ChangeName {
        document: DocumentId::main(TableId(1), RowId(Uuid::from_u128(n as u128 % 3))),
        hash: ChangeHash([n as u8; 32]),
    }
}

fn waiter(n: usize, missing: impl IntoIterator<Item = usize>) -> Waiter {
    Waiter {
        id: TransactionId(Uuid::from_u128(n as u128)),
        device: DeviceId(Uuid::from_u128(n as u128 % 2)),
        since: Timestamp(0),
        bytes: 100,
        missing: missing.into_iter().map(change).collect(),
        brings: BTreeSet::from([change(n)]),
    }
}

fn number(waiter: &Waiter) -> usize {
    waiter.id.0.as_u128() as usize
}

/// A server that takes transactions in as the stores do. Those in `bad` are refused when they are judged.
#[derive(Default)]
struct Server {
    waiting: Waiting,
    accepted: Vec<usize>,
    refused: Vec<usize>,
    bad: BTreeSet<usize>,
}

impl Server {
    fn arrive(&mut self, n: usize, deps: &[usize]) {
        if self.accepted.contains(&n) || self.refused.contains(&n) {
            return;
        }
        let missing: Vec<usize> = deps.iter().copied().filter(|d| !self.accepted.contains(d)).collect();
        if missing.iter().any(|d| self.refused.contains(d)) {
            self.refuse(n);
        } else if missing.is_empty() {
            self.judge(n);
        } else {
            self.waiting.add(waiter(n, missing)).expect("there is room");
        }
        while let Some((waiter, due)) = self.waiting.next_due() {
            match due {
                Due::Judge => self.judge(number(&waiter)),
                Due::Refuse(_) => self.refuse(number(&waiter)),
            }
        }
    }

    fn judge(&mut self, n: usize) {
        if self.bad.contains(&n) {
            return self.refuse(n);
        }
        self.accepted.push(n);
        self.waiting.accepted([change(n)]);
    }

    fn refuse(&mut self, n: usize) {
        self.refused.push(n);
        self.waiting.refused([change(n)]);
    }
}

/// What each of some transactions builds on (earlier ones), which of them are bad, and an order of arrival with repetitions.
fn arrivals() -> impl Strategy<Value = (Vec<Vec<usize>>, BTreeSet<usize>, Vec<usize>)> {
    (1..14usize).prop_flat_map(|n| {
        let deps = (0..n).map(|i| proptest::sample::subsequence((0..i).collect::<Vec<_>>(), 0..=i.min(3)));
        let bad = proptest::collection::btree_set(0..n, 0..=n / 4);
        let order = proptest::collection::vec(0..n, 0..n).prop_flat_map(move |again| {
            let all: Vec<usize> = (0..n).chain(again).collect();
            Just(all).prop_shuffle()
        });
        (deps.collect::<Vec<_>>(), bad, order)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn everybody_comes_out_once_whatever_the_order((deps, bad, order) in arrivals()) {
        let mut server = Server { bad, ..Server::default() };
        for n in order {
            server.arrive(n, &deps[n]);
        }
        prop_assert_eq!(server.waiting.load(), Load::default());
        for (n, deps) in deps.iter().enumerate() {
            let hopeless = server.bad.contains(&n) || deps.iter().any(|d| server.refused.contains(d));
            let (accepted, refused) = (&server.accepted, &server.refused);
            let times = (accepted.iter().filter(|a| **a == n).count(), refused.iter().filter(|r| **r == n).count());
            prop_assert_eq!(times, if hopeless { (0, 1) } else { (1, 0) }, "transaction {}", n);
        }
        for (at, n) in server.accepted.iter().enumerate() {
            prop_assert!(deps[*n].iter().all(|d| server.accepted[..at].contains(d)), "{} came before what it builds on", n);
        }
    }
}

#[test]
fn those_who_wait_for_the_same_come_out_in_the_order_in_which_they_came() {
    let mut waiting = Waiting::default();
    for n in [5, 3, 4] {
        assert_eq!(waiting.add(waiter(n, [1])), Ok(1));
    }
    assert_eq!(
        waiting.add(waiter(3, [1])),
        Ok(1),
        "one that waits already stays where it is"
    );
    assert_eq!(waiting.accepted([change(0), change(1)]), [change(1)]);
    let out: Vec<_> = std::iter::from_fn(|| waiting.next_due()).collect();
    assert!(out.iter().all(|(_, due)| *due == Due::Judge), "{out:?}");
    assert_eq!(out.iter().map(|(w, _)| number(w)).collect::<Vec<_>>(), [5, 3, 4]);
}

#[test]
fn what_waits_is_restored_as_it_was() {
    let mut waiting = Waiting::default();
    // The last thing before a crash was that it missed nothing any more.
    waiting.restore(waiter(7, []));
    waiting.restore(waiter(8, [1, 2]));
    waiting.accepted([change(2)]);
    assert_eq!(waiting.missing(waiter(8, []).id), Some(1));
    let (first, due) = waiting.next_due().expect("one is due");
    assert_eq!((number(&first), due), (7, Due::Judge));
    assert_eq!(waiting.next_due(), None);
}

#[test]
fn a_circle_is_found_when_its_last_transaction_comes() {
    let mut waiting = Waiting::default();
    assert_eq!(waiting.add(waiter(1, [2])), Ok(1));
    assert_eq!(waiting.add(waiter(2, [3, 9])), Ok(2));
    let Err(Unkept::Circle(rejection)) = waiting.add(waiter(3, [1])) else {
        panic!("3 waits for 1, 1 for 2, 2 for 3");
    };
    assert_eq!(rejection.code, "circular_dependency");
    waiting.refused([change(3)]);
    let out = std::iter::from_fn(|| {
        let (waiter, due) = waiting.next_due()?;
        waiting.refused(waiter.brings.clone());
        Some((number(&waiter), matches!(due, Due::Refuse(_))))
    });
    let out: Vec<_> = out.collect();
    assert_eq!(out, [(2, true), (1, true)], "the others of the circle are answered too");
    assert!(
        matches!(waiting.add(waiter(4, [4])), Err(Unkept::Circle(_))),
        "of one, too"
    );
    assert_eq!(waiting.load(), Load::default());
}

#[test]
fn there_is_no_room_for_more_than_the_limits_say_and_no_device_takes_all() {
    let (two, three) = (
        Load {
            transactions: 2,
            bytes: 250,
            names: 100,
        },
        Load {
            transactions: 3,
            bytes: 1_000,
            names: 6,
        },
    );
    let mut waiting = Waiting::new(Limits {
        all: three,
        device: two,
    });
    // Even numbers are one device's, odd ones the other's.
    assert_eq!(waiting.add(waiter(2, [0])), Ok(1));
    assert_eq!(waiting.add(waiter(4, [0])), Ok(1));
    assert_eq!(
        waiting.add(waiter(6, [0])),
        Err(Unkept::Full),
        "the device has its share"
    );
    assert_eq!(waiting.add(waiter(3, [0, 1])), Err(Unkept::Full), "too many names");
    assert_eq!(waiting.add(waiter(3, [0])), Ok(1), "the other device has room");
    assert_eq!(waiting.add(waiter(5, [0])), Err(Unkept::Full), "all is full");
    waiting.accepted([change(0)]);
    while waiting.next_due().is_some() {}
    let mut large = waiter(8, [9]);
    large.bytes = 251;
    assert_eq!(waiting.add(large), Err(Unkept::Full), "too large");
    assert_eq!(waiting.add(waiter(6, [9])), Ok(1), "there is room again");
}

#[test]
fn who_waits_for_too_long_is_answered() {
    let mut waiting = Waiting::default();
    assert_eq!(waiting.add(waiter(1, [9])), Ok(1));
    waiting.expire(Timestamp(MAX_WAIT));
    assert_eq!(waiting.next_due(), None);
    waiting.expire(Timestamp(MAX_WAIT + 1));
    let (out, due) = waiting.next_due().expect("it is due");
    let Due::Refuse(rejection) = due else {
        panic!("it is not here")
    };
    assert_eq!((number(&out), rejection.code), (1, "unknown_dependency"));
    assert!(rejection.to_string().contains("30 days"), "{rejection}");
}
