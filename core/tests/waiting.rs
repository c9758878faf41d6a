//! Who waits for whom: whatever the order of arrival, everybody comes out once, after what he waited for. Transactions have
//! numbers; those with even ones are one device's, the others another's.

use std::collections::BTreeSet;

use holdfast_core::{
    document::DocumentId,
    ids::{ChangeHash, DeviceId, RowId, Timestamp, TransactionId},
    ingest::{
        RowKey,
        waiting::{Awaited, Due, Limits, Load, MAX_WAIT, Unkept, Unmet, Waiter, Waiting, Why},
    },
    schema::TableId,
    transaction::ChangeName,
};
use proptest::prelude::*;
use uuid::Uuid;

/// The change that transaction `n` brings.
fn change(n: usize) -> Awaited {
    Awaited::Change(ChangeName {
        document: DocumentId::main(TableId(1), RowId(Uuid::from_u128(n as u128 % 3))),
        hash: ChangeHash([n as u8; 32]),
    })
}

/// The row that transaction `n` makes.
fn row(n: usize) -> Awaited {
    Awaited::Row(RowKey {
        table: TableId(1),
        row: RowId(Uuid::from_u128(100 + n as u128)),
    })
}

fn device(n: usize) -> DeviceId {
    DeviceId(Uuid::from_u128(n as u128 % 2))
}

fn waiter(n: usize, missing: impl IntoIterator<Item = usize>) -> Waiter {
    Waiter {
        id: TransactionId(Uuid::from_u128(n as u128)),
        device: device(n),
        since: Timestamp(0),
        bytes: 100,
        missing: missing.into_iter().map(change).collect(),
        brings: BTreeSet::from([change(n)]),
    }
}

fn number(waiter: &Waiter) -> usize {
    waiter.id.0.as_u128() as usize
}

/// What a transaction needs of an earlier one: a change to build on, or a row to refer to.
#[derive(Clone, Copy, Debug)]
enum Need {
    Change(usize),
    Row(usize),
}

impl Need {
    fn of(self) -> usize {
        match self {
            Self::Change(n) | Self::Row(n) => n,
        }
    }

    fn awaited(self) -> Awaited {
        match self {
            Self::Change(n) => change(n),
            Self::Row(n) => row(n),
        }
    }
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
    fn arrive(&mut self, n: usize, needs: &[Need]) {
        if self.accepted.contains(&n) || self.refused.contains(&n) {
            return;
        }
        let missing: Vec<Need> = needs
            .iter()
            .copied()
            .filter(|need| !self.accepted.contains(&need.of()))
            .collect();
        let hopeless = |need: &Need| matches!(need, Need::Change(n) if self.refused.contains(n));
        if missing.iter().any(hopeless) {
            self.refuse(n);
        } else if missing.is_empty() {
            self.judge(n);
        } else {
            self.wait(n, &missing);
        }
        self.settle();
    }

    fn wait(&mut self, n: usize, missing: &[Need]) {
        let waiter = Waiter {
            missing: missing.iter().map(|need| need.awaited()).collect(),
            brings: BTreeSet::from([change(n), row(n)]),
            ..waiter(n, [])
        };
        match self.waiting.add(waiter) {
            Ok(_) => {}
            Err(Unkept::Unmet(unmet)) => {
                assert_eq!(unmet.why, Why::Refused, "nothing waits in a circle");
                let own = |need: &Need| unmet.awaited == row(need.of()) && device(need.of()) == device(n);
                assert!(missing.iter().any(own), "{n} is refused for {unmet:?}");
                self.refuse(n);
            }
            Err(Unkept::Full) => panic!("there is room"),
        }
    }

    fn settle(&mut self) {
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
        self.waiting.accepted([change(n), row(n)]);
    }

    fn refuse(&mut self, n: usize) {
        self.refused.push(n);
        self.waiting.refused(device(n), [change(n), row(n)]);
    }
}

/// What each of some transactions needs of earlier ones, which of them are bad, and an order of arrival with repetitions.
fn arrivals() -> impl Strategy<Value = (Vec<Vec<Need>>, BTreeSet<usize>, Vec<usize>)> {
    (1..14usize).prop_flat_map(|n| {
        let needs = (0..n).map(|i| {
            let need =
                (0..i.max(1), any::<bool>()).prop_map(|(n, row)| if row { Need::Row(n) } else { Need::Change(n) });
            proptest::collection::vec(need, if i == 0 { 0..=0 } else { 0..=3 })
        });
        let bad = proptest::collection::btree_set(0..n, 0..=n / 4);
        let order = proptest::collection::vec(0..n, 0..n).prop_flat_map(move |again| {
            let all: Vec<usize> = (0..n).chain(again).collect();
            Just(all).prop_shuffle()
        });
        (needs.collect::<Vec<_>>(), bad, order)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn everybody_comes_out_once_whatever_the_order((needs, bad, order) in arrivals()) {
        let mut server = Server { bad, ..Server::default() };
        for n in order {
            server.arrive(n, &needs[n]);
        }
        // Only a row of another device, which may make it anew, is waited for though it was refused.
        for (n, needs) in needs.iter().enumerate() {
            if server.waiting.missing(waiter(n, []).id).is_some() {
                let hoped = |need: &Need| match need {
                    Need::Row(of) => !server.accepted.contains(of) && device(*of) != device(n),
                    Need::Change(_) => false,
                };
                let held = |need: &Need| server.waiting.missing(waiter(need.of(), []).id).is_some();
                prop_assert!(needs.iter().any(|need| hoped(need) || held(need)), "{} waits for nothing", n);
            }
        }
        server.waiting.expire(Timestamp(MAX_WAIT + 1));
        server.settle();
        prop_assert_eq!(server.waiting.load(), Load::default());
        for (n, needs) in needs.iter().enumerate() {
            let hopeless = server.bad.contains(&n) || needs.iter().any(|need| server.refused.contains(&need.of()));
            let (accepted, refused) = (&server.accepted, &server.refused);
            let times = (accepted.iter().filter(|a| **a == n).count(), refused.iter().filter(|r| **r == n).count());
            prop_assert_eq!(times, if hopeless { (0, 1) } else { (1, 0) }, "transaction {}", n);
        }
        for (at, n) in server.accepted.iter().enumerate() {
            let before = |need: &Need| server.accepted[..at].contains(&need.of());
            prop_assert!(needs[*n].iter().all(before), "{} came before what it needs", n);
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
    let (awaited, why) = (change(3), Why::Circle);
    let circle = waiting.add(waiter(3, [1]));
    assert_eq!(
        circle,
        Err(Unkept::Unmet(Unmet { awaited, why })),
        "3 waits for 1, 1 for 2, 2 for 3"
    );
    waiting.refused(device(3), [change(3)]);
    let out = std::iter::from_fn(|| {
        let (waiter, due) = waiting.next_due()?;
        waiting.refused(waiter.device, waiter.brings.clone());
        Some((number(&waiter), matches!(due, Due::Refuse(_))))
    });
    let out: Vec<_> = out.collect();
    assert_eq!(out, [(2, true), (1, true)], "the others of the circle are answered too");
    assert!(
        matches!(
            waiting.add(waiter(4, [4])),
            Err(Unkept::Unmet(Unmet { why: Why::Circle, .. }))
        ),
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
    let (awaited, why) = (change(9), Why::Expired);
    assert_eq!((number(&out), due), (1, Due::Refuse(Unmet { awaited, why })));
}

/// A row that `n` refers to and a row that it makes.
fn referrer(n: usize, to: usize) -> Waiter {
    Waiter {
        missing: BTreeSet::from([row(to)]),
        brings: BTreeSet::from([change(n), row(n)]),
        ..waiter(n, [])
    }
}

fn next(waiting: &mut Waiting) -> Option<(usize, Due)> {
    waiting.next_due().map(|(waiter, due)| (number(&waiter), due))
}

#[test]
fn a_refused_row_is_not_waited_for_by_its_device_but_by_others_to_whom_it_may_come_anew() {
    let mut waiting = Waiting::default();
    assert_eq!(waiting.add(referrer(3, 1)), Ok(1), "of the device that makes row 1");
    assert_eq!(waiting.add(referrer(4, 1)), Ok(1), "of the other one");
    waiting.refused(device(1), [change(1), row(1)]);
    let (awaited, why) = (row(1), Why::Refused);
    assert_eq!(next(&mut waiting), Some((3, Due::Refuse(Unmet { awaited, why }))));
    assert_eq!(next(&mut waiting), None);
    let late = waiting.add(referrer(5, 1));
    assert_eq!(
        late,
        Err(Unkept::Unmet(Unmet { awaited, why })),
        "what comes behind it too"
    );
    assert_eq!(waiting.add(referrer(6, 1)), Ok(1));
    // The device makes the row anew.
    waiting.accepted([change(11), row(1)]);
    assert_eq!(next(&mut waiting), Some((4, Due::Judge)));
    assert_eq!(next(&mut waiting), Some((6, Due::Judge)));
    assert_eq!(waiting.load(), Load::default());
}

#[test]
fn a_refused_row_that_somebody_else_who_waits_makes_is_waited_for() {
    let mut waiting = Waiting::default();
    let again = Waiter {
        brings: BTreeSet::from([change(7), row(1)]),
        ..waiter(7, [0])
    };
    assert_eq!(waiting.add(again), Ok(1));
    waiting.refused(device(1), [change(1), row(1)]);
    assert_eq!(waiting.add(referrer(3, 1)), Ok(1));
    waiting.accepted([change(0)]);
    assert_eq!(next(&mut waiting), Some((7, Due::Judge)));
    waiting.refused(device(7), [change(7), row(1)]);
    let (awaited, why) = (row(1), Why::Refused);
    assert_eq!(next(&mut waiting), Some((3, Due::Refuse(Unmet { awaited, why }))));
}

#[test]
fn rows_that_refer_to_each_other_across_transactions_are_a_circle() {
    let mut waiting = Waiting::default();
    assert_eq!(waiting.add(referrer(1, 2)), Ok(1));
    let (awaited, why) = (row(2), Why::Circle);
    assert_eq!(waiting.add(referrer(2, 1)), Err(Unkept::Unmet(Unmet { awaited, why })));
}

/// Who only writes to a row does not make it: it may come from elsewhere.
#[test]
fn who_builds_on_a_new_row_and_on_who_refers_to_it_closes_no_circle() {
    let mut waiting = Waiting::default();
    // 2 writes to the row that 1 makes, and to what 3 wrote; 3 refers to that row.
    assert_eq!(waiting.add(waiter(2, [1, 3])), Ok(2));
    assert_eq!(waiting.add(referrer(3, 1)), Ok(1));
    waiting.accepted([change(1), row(1)]);
    assert_eq!(next(&mut waiting), Some((3, Due::Judge)));
    waiting.accepted([change(3), row(3)]);
    assert_eq!(next(&mut waiting), Some((2, Due::Judge)));
}
