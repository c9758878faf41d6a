//! Two server processes on one PostgreSQL database are one hospital.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use holdfast_core::{
    protocol::{PushOutcome, PushRequest, PushResponse, decode, encode},
    transaction::Transaction,
};
use tokio::runtime::Runtime;

use crate::{
    live::listen,
    restart::add_user,
    support::{Database, Device},
};

/// How long a server may take to start, or to go on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Far below the 15 seconds after which a server looks by itself.
const AT_ONCE: Duration = Duration::from_secs(5);

const DEVICES: usize = 4;
const KILLS: usize = 6;

/// A server process.
struct Process {
    child: Child,
    url: String,
    store: Vec<String>,
}

impl Process {
    fn launch(store: &[String]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            child: spawn(store, port),
            url: format!("http://127.0.0.1:{port}"),
            store: store.to_vec(),
        }
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        let agent = agent();
        while !agent
            .get(format!("{}/ready", self.url))
            .call()
            .is_ok_and(|a| a.status() == 200)
        {
            assert!(begun.elapsed() < PATIENCE, "{} is not ready", self.url);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        let port = self.url.rsplit(':').next().unwrap().parse().unwrap();
        self.child = spawn(&self.store, port);
        self.wait_until_ready();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(store: &[String], port: u16) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sync-server"))
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .args(store)
        .env_remove("HOLDFAST_DATABASE")
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(AT_ONCE))
        .build()
        .into()
}

/// Pushes one transaction to a server that may end at any time.
fn try_push(url: &str, token: &str, transaction: &Transaction) -> Option<PushOutcome> {
    let body = encode(&PushRequest {
        transactions: vec![transaction.clone()],
    });
    let mut answer = agent()
        .post(format!("{url}/v1/push"))
        .header("authorization", format!("Bearer {token}"))
        .send(&body)
        .ok()?;
    if answer.status() != 200 {
        return None;
    }
    let bytes = answer.body_mut().read_to_vec().ok()?;
    decode::<PushResponse>(&bytes).ok()?.outcomes.pop()
}

/// A hospital with two servers; both start at once.
fn two_servers(database: &Database) -> [Process; 2] {
    let store = ["--database".to_owned(), database.url()];
    add_user(&store);
    let servers = [Process::launch(&store), Process::launch(&store)];
    servers.iter().for_each(Process::wait_until_ready);
    servers
}

fn sign_in(url: &str) -> Device {
    let mut device = Device::new(url);
    assert_eq!(device.sign_in("ada", "long enough").status, 200);
    device
}

#[test]
fn a_session_begun_at_one_server_is_good_at_the_other_and_pokes_cross() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create());
    let servers = two_servers(&database);
    let mut phone = sign_in(&servers[0].url);
    let mut tablet = sign_in(&servers[0].url);
    tablet.url.clone_from(&servers[1].url);
    let mut told = listen(&tablet);
    let head = told.next().unwrap();
    let mut slowest = Duration::ZERO;
    for n in 1..=5 {
        let (_, made) = phone.new_patient(&format!("P-{n}"));
        assert!(phone.accepted(&made));
        let begun = Instant::now();
        assert_eq!(told.next(), Some(head + n));
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < AT_ONCE, "a poke took {slowest:?}");
    assert_eq!(tablet.pull(head, 10).entries.len(), 5);
    drop(servers);
    runtime.block_on(database.drop_it());
}

#[test]
fn a_killed_server_loses_nothing_and_the_other_goes_on_at_once() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create());
    let [mut mortal, other] = two_servers(&database);
    let urls = [mortal.url.clone(), other.url.clone()];
    let before = sign_in(&urls[1]).pull(0, 1).head.0;
    let devices: Vec<Device> = (0..DEVICES).map(|n| sign_in(&urls[n % 2])).collect();
    let (stop, pushed, interrupted) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));

    let places: Vec<u64> = std::thread::scope(|scope| {
        let (stop, pushed, interrupted, urls) = (&stop, &pushed, &interrupted, &urls);
        let work = |(number, mut device): (usize, Device)| {
            scope.spawn(move || {
                let (mut places, mut at) = (Vec::new(), number);
                while !stop.load(Ordering::Relaxed) {
                    let (_, made) = device.new_patient(&format!("P-{number}-{}", places.len()));
                    // The same transaction goes to the other server when this one does not answer.
                    places.push(loop {
                        match try_push(&urls[at % 2], &device.token, &made.transaction) {
                            Some(PushOutcome::Accepted { seq, .. }) => break seq.0,
                            Some(other) => panic!("not accepted: {other:?}"),
                            None => {
                                interrupted.fetch_add(1, Ordering::Relaxed);
                                at += 1;
                            }
                        }
                    });
                    pushed.fetch_add(1, Ordering::Relaxed);
                }
                places
            })
        };
        let threads: Vec<_> = devices.into_iter().enumerate().map(work).collect();
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(150 + 37 * kill as u64));
            mortal.kill();
            let (then, begun) = (pushed.load(Ordering::Relaxed), Instant::now());
            while pushed.load(Ordering::Relaxed) < then + DEVICES {
                assert!(begun.elapsed() < AT_ONCE, "the other server does not go on");
                std::thread::sleep(Duration::from_millis(5));
            }
            mortal.start_again();
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });

    let interrupted = interrupted.into_inner();
    println!(
        "{KILLS} kills, {} pushed, {interrupted} attempts interrupted",
        places.len()
    );
    assert!(interrupted > 0, "no push was under way when a server was killed");
    let mut counted: BTreeMap<u64, usize> = BTreeMap::new();
    for place in &places {
        *counted.entry(*place).or_default() += 1;
    }
    let expected: Vec<u64> = (before + 1..=before + places.len() as u64).collect();
    assert_eq!(
        counted.keys().copied().collect::<Vec<_>>(),
        expected,
        "one stream without gaps"
    );
    for url in &urls {
        let device = sign_in(url);
        let (mut seen, mut after) = (Vec::new(), before);
        loop {
            let page = device.pull(after, 500);
            seen.extend(page.entries.iter().map(|entry| entry.seq.0));
            if page.cursor == page.head {
                break;
            }
            after = page.cursor.0;
        }
        assert_eq!(seen, expected, "{url} gives the same stream out");
    }
    drop((mortal, other));
    runtime.block_on(database.drop_it());
}
