//! A device that only sends: it signs transactions beforehand and pushes them as devices do, so that the time is the
//! server's and not that of a store which in life is on another machine.

use std::{fmt::Write as _, sync::Mutex};

use ed25519_dalek::SigningKey;
use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    document::{Actor, Document, DocumentId},
    ids::{TransactionId, UserId},
    ingest::WorkingSet,
    protocol::{self, PushOutcome, PushRequest, PushResponse, SignInRequest, SignInResponse},
    row::RowWrite,
    transaction::{Opened, Transaction},
};
use holdfast_server::store::{Store, now, random};

use crate::{
    hospital::{ADA, PASSWORD},
    http::{Client, Question, pack},
};

/// How many transactions a device sends at once.
pub const PUSH: usize = 1_000;

/// How many documents are loaded at once.
const LOADED: usize = 5_000;

/// Makes and signs transactions.
pub struct Signer {
    identity: Identity,
}

impl Signer {
    /// A device of its own, of the administrator's.
    pub fn on_new_device() -> Self {
        let key = SigningKey::from_bytes(&random::bytes());
        let mut identity = Identity {
            user: UserId(ADA),
            key,
            actor: Actor::from(Vec::new()),
        };
        identity.actor = Actor::new(identity.device(), 1);
        Self { identity }
    }

    /// Its public key, as a sign-in names it.
    pub fn device_key(&self) -> String {
        let key = self.identity.key.verifying_key().to_bytes();
        let digits = |mut text: String, byte: &u8| {
            write!(text, "{byte:02x}").expect("BUG: a string takes every text");
            text
        };
        key.iter().fold(String::new(), digits)
    }

    /// A transaction on rows that are not there yet.
    pub fn create(&self, writes: &[RowWrite]) -> (Transaction, Opened) {
        let mut set = WorkingSet::default();
        loop {
            match author(&set, writes, header("createRow"), &self.identity) {
                Ok(made) => return made,
                Err(AuthorError::Needs(needs)) => {
                    for document in needs.documents {
                        set.provide_document(document, Document::default());
                    }
                }
                Err(other) => panic!("BUG: a new row can be made: {other:?}"),
            }
        }
    }

    /// A transaction on each of these edits of rows that the store has.
    pub async fn edit(&self, store: &Store, edits: &[RowWrite]) -> Vec<Transaction> {
        let mut made = Vec::with_capacity(edits.len());
        for some in edits.chunks(LOADED) {
            let documents = some.iter().map(|write| DocumentId::main(write.table, write.row));
            let set = store.documents(documents.collect()).await.expect("the store answers");
            for write in some {
                let write = std::slice::from_ref(write);
                let transaction = author(&set, write, header("editRow"), &self.identity);
                made.push(transaction.expect("a row that is there can be edited").0);
            }
        }
        made
    }
}

fn header(command: &str) -> Header {
    Header {
        id: TransactionId(random::new_id()),
        first: None,
        time: now(),
        offline: true,
        command: command.to_owned(),
        entropy: random::bytes(),
    }
}

/// A push as it goes over the network.
pub struct Push {
    body: Vec<u8>,
    /// How many transactions it carries.
    pub transactions: usize,
}

/// Packs transactions as a device does, so many at once.
pub fn pushes(transactions: Vec<Transaction>) -> Vec<Push> {
    let mut rest = transactions.into_iter();
    std::iter::from_fn(|| {
        let transactions: Vec<Transaction> = rest.by_ref().take(PUSH).collect();
        (!transactions.is_empty()).then(|| Push {
            transactions: transactions.len(),
            body: pack(&protocol::encode(&PushRequest { transactions })),
        })
    })
    .collect()
}

/// A signed-in connection to a server.
pub struct Connection {
    client: Client,
    address: String,
    token: String,
}

impl Connection {
    /// Signs the administrator in on a device.
    pub fn open(address: &str, device_key: String) -> Self {
        let client = Client::default();
        let request = SignInRequest {
            username: "ada".to_owned(),
            password: PASSWORD.to_owned(),
            device_key,
            device_name: "measurement".to_owned(),
        };
        let question = Question {
            body: Some(serde_json::to_vec(&request).expect("BUG: it is JSON")),
            content_type: Some("application/json"),
            ..Question::default()
        };
        let answer = client.ask(&format!("{address}/v1/session"), &question);
        let answer = answer.expect("the server answers a sign-in");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let answer: SignInResponse = serde_json::from_slice(&answer.body).expect("the answer to a sign-in");
        Self {
            client,
            address: address.to_owned(),
            token: answer.token,
        }
    }

    /// What goes into `Authorization: Bearer …`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Pushes, and makes sure that all of it was accepted. Comes again if the server says that it is busy.
    pub fn push(&self, push: &Push) {
        let question = Question {
            body: Some(push.body.clone()),
            token: Some(&self.token),
            encoding: Some("gzip"),
            ..Question::default()
        };
        let answer = loop {
            let answer = self.client.ask(&format!("{}/v1/push", self.address), &question);
            let answer = answer.expect("the server answers a push");
            if answer.status != 503 && answer.status != 429 {
                break answer;
            }
            let seconds = answer.retry_after.unwrap_or(1);
            // Not all at the same moment.
            std::thread::sleep(std::time::Duration::from_millis(
                500 * seconds + u64::from(random::bytes::<1>()[0]) * 4,
            ));
        };
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let answer: PushResponse = protocol::decode(&answer.body).expect("an answer to a push");
        let taken = |outcome: &&PushOutcome| matches!(outcome, PushOutcome::Accepted { .. });
        let refused = answer.outcomes.iter().find(|outcome| !taken(outcome));
        assert!(refused.is_none(), "not accepted: {refused:?}");
        assert_eq!(answer.outcomes.len(), push.transactions);
    }

    /// Pushes one after another.
    pub fn push_all(&self, pushes: &[Push]) {
        for push in pushes {
            self.push(push);
        }
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Vec<u8> {
        let question = Question {
            token: Some(&self.token),
            ..Question::default()
        };
        loop {
            let answer = self.client.ask(&format!("{}{path}", self.address), &question);
            let answer = answer.expect("the server answers");
            if answer.status == 200 {
                return answer.body;
            }
            assert!(
                matches!(answer.status, 429 | 503),
                "{path}: {}",
                String::from_utf8_lossy(&answer.body)
            );
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

/// Does something with each item, all at once, and returns the results in the items' order.
pub fn all_at_once<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let begun = |item| {
        let work = &work;
        move || work(item)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.into_iter().map(|item| scope.spawn(begun(item))).collect();
        let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        results
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Does something with each item on two threads, and returns the results in the items' order.
pub fn on_two_threads<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let length = items.len();
    let queue = Mutex::new(items.into_iter().enumerate());
    let mut done: Vec<(usize, R)> = all_at_once(vec![(), ()], |()| {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().expect("no work panicked").next();
            let Some((place, item)) = next else { return done };
            done.push((place, work(item)));
        }
    })
    .into_iter()
    .flatten()
    .collect();
    done.sort_unstable_by_key(|(place, _)| *place);
    assert_eq!(done.len(), length);
    done.into_iter().map(|(_, result)| result).collect()
}
