//! `kill -9` of the server while several devices push.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use holdfast_core::ids::TransactionId;
use holdfast_tests::{
    contents::{Contents, assert_same, replicated},
    device::{Device, Step},
    dice::Dice,
    hospital::{GLOVES, Hospital},
};
use serde_json::json;

crate::on_both_databases! {
    nothing_acknowledged_is_lost_and_nothing_is_doubled_when_the_server_is_killed
}

const KILLS: usize = 22;
const DEVICES: usize = 4;

/// A device and what it made.
struct Worker {
    device: Device,
    made: Vec<TransactionId>,
}

fn nothing_acknowledged_is_lost_and_nothing_is_doubled_when_the_server_is_killed(mut hospital: Hospital) {
    let workers: Vec<Worker> = (0..DEVICES)
        .map(|_| Worker {
            device: hospital.device("ada"),
            made: Vec::new(),
        })
        .collect();
    let (stop, interrupted) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut workers: Vec<Worker> = std::thread::scope(|scope| {
        let work = |(number, worker)| {
            let (stop, interrupted) = (&stop, &interrupted);
            scope.spawn(move || work(worker, number, stop, interrupted))
        };
        let threads: Vec<_> = workers.into_iter().enumerate().map(work).collect();
        let mut dice = Dice::new(9);
        for kill in 1..=KILLS {
            std::thread::sleep(Duration::from_millis(10 + dice.below(240) as u64));
            hospital.server.kill();
            // After the last one nobody asks again before the server's data has been looked at.
            if kill < KILLS {
                hospital.server.start();
            }
        }
        stop.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .map(|t| t.join().expect("the device goes on"))
            .collect()
    });

    let acknowledged: Vec<TransactionId> = workers.iter().flat_map(Worker::acknowledged).collect();
    let logged = hospital.server.logged();
    let unique: BTreeSet<_> = logged.iter().collect();
    let lost = acknowledged.iter().filter(|id| !unique.contains(id)).count();
    let doubled = logged.len() - unique.len();
    let interrupted = interrupted.into_inner();
    println!(
        "{KILLS} kills, {interrupted} pushes interrupted, acknowledged {}, lost {lost}, doubled {doubled}",
        acknowledged.len()
    );
    assert_eq!((lost, doubled), (0, 0));
    assert!(
        acknowledged.len() > KILLS,
        "hardly a push was acknowledged: the test shows nothing"
    );
    assert!(
        interrupted > 0,
        "no push was under way when the server was killed: the test shows nothing"
    );

    hospital.server.start();
    assert_all_arrives_once(&hospital, &mut workers);
}

/// Makes and pushes until told to stop.
fn work(mut worker: Worker, number: usize, stop: &AtomicBool, interrupted: &AtomicUsize) -> Worker {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..5 {
            worker.make(number, count);
            count += 1;
        }
        while let Some(request) = worker.device.next_request() {
            let pushes = request.path.contains("/push");
            if worker.device.exchange(&request).is_err() {
                interrupted.fetch_add(usize::from(pushes), Ordering::Relaxed);
                // Work goes on while the server is away.
                worker.make(number, count);
                count += 1;
                std::thread::sleep(Duration::from_millis(5));
                break;
            }
        }
    }
    worker
}

impl Worker {
    fn make(&mut self, number: usize, count: usize) {
        let receipt = if count.is_multiple_of(2) {
            let values = json!({ "patient_number": format!("K{number}-{count}"), "first_name": "A", "last_name": "B",
                "date_of_birth": "1980-05-05" });
            self.device
                .run("createRow", json!({ "table": "patients", "values": values }))
        } else {
            let command = json!({ "table": "supplies", "id": GLOVES.to_string(), "values": {},
                "add": { "current_stock": -1 } });
            self.device.run("editRow", command)
        };
        self.made.push(receipt.transaction_id);
    }

    /// What the server has acknowledged: it waits no more.
    fn acknowledged(&self) -> Vec<TransactionId> {
        let outbox = self.device.replica.outbox().expect("the outbox can be read");
        let rejected: Vec<_> = outbox.iter().filter(|e| e.state != "waiting").collect();
        assert!(rejected.is_empty(), "something was refused: {rejected:#?}");
        let waiting: BTreeSet<_> = outbox.iter().map(|e| e.transaction_id).collect();
        self.made.iter().copied().filter(|id| !waiting.contains(id)).collect()
    }
}

fn assert_all_arrives_once(hospital: &Hospital, workers: &mut [Worker]) {
    for _ in 0..2 {
        for worker in workers.iter_mut() {
            worker.device.sync();
            assert_eq!(worker.device.step(), Ok(Step::Idle));
        }
    }
    let made: BTreeSet<TransactionId> = workers.iter().flat_map(|w| w.made.iter().copied()).collect();
    let logged = hospital.server.logged();
    let arrived = logged.iter().filter(|id| made.contains(id)).count();
    let patients = workers.iter().map(|w| w.made.len().div_ceil(2)).sum::<usize>();
    let taken = made.len() - patients;
    println!("made {}, arrived {arrived}", made.len());
    assert_eq!(arrived, made.len(), "every transaction is in the log once");
    let device = &mut workers[0].device;
    let numbers =
        "SELECT count(*) || ' ' || count(DISTINCT patient_number) AS n FROM patients WHERE patient_number LIKE 'K%'";
    assert_eq!(
        device.text(numbers),
        format!("{patients} {patients}"),
        "every row is there once"
    );
    let stock = format!("SELECT current_stock FROM supplies WHERE id = '{GLOVES}'");
    assert_eq!(
        device.text(&stock),
        (100 - taken as i64).to_string(),
        "every count is there once"
    );
    let server = hospital.server.contents(replicated);
    for worker in workers {
        let contents = Contents::of_sqlite(worker.device.file(), replicated);
        assert_same("the server", &server, "a device", &contents);
    }
}
