//! A hub without a store: a list, beside the stream of the hospital's server.

use holdfast_core::{
    ids::{HubId, Seq, Timestamp, TransactionId},
    policy::Role,
    protocol::{
        self, PullResponse, PushOutcome, PushRequest, PushResponse, RelayEvent, RelayList, Relayed, decode, encode,
    },
    transaction::Transaction,
};
use holdfast_store::{
    replica::{HttpRequest, HttpResponse, RequestKind},
    server::Submission,
    testing::{Device, TestServer},
};
use uuid::Uuid;

/// See the module.
pub struct Hub {
    /// The hospital's server, which the hub's stream is as long as, unless it is behind.
    pub server: TestServer,
    pub id: HubId,
    pub list: RelayList,
    /// Places count from 1.
    pub events: Vec<RelayEvent>,
    /// How many events one page has.
    pub page: usize,
    /// The hub's own head.
    pub behind: Option<Seq>,
    /// When it heard from the hospital.
    pub contact: Option<Timestamp>,
    /// It has a link to the hospital.
    pub linked: bool,
    /// What it refuses.
    pub refused: Vec<TransactionId>,
}

impl Hub {
    pub fn new(server: TestServer) -> Self {
        Self {
            contact: Some(server.clock.now()),
            linked: true,
            server,
            id: HubId(Uuid::from_u128(0x99)),
            list: RelayList(7),
            events: Vec::new(),
            page: 100,
            behind: None,
            refused: Vec::new(),
        }
    }

    /// It starts again: a new list with what is still on its way.
    pub fn restart(&mut self) {
        self.list.0 += 1;
        let gone: Vec<_> = self.withdrawn().collect();
        self.events.retain(|event| !gone.contains(&event.id));
    }

    fn withdrawn(&self) -> impl Iterator<Item = TransactionId> {
        let withdrawn = self.events.iter().filter(|event| event.transaction.is_none());
        withdrawn.map(|event| event.id)
    }

    /// The transactions on their way, in order.
    pub fn relayed(&self) -> Vec<Transaction> {
        let gone: Vec<_> = self.withdrawn().collect();
        let still = self.events.iter().filter(|event| !gone.contains(&event.id));
        still.filter_map(|event| event.transaction.clone()).collect()
    }

    pub fn withdraw(&mut self, id: TransactionId) {
        self.refused.push(id);
        self.events.push(RelayEvent { id, transaction: None });
    }

    /// The link is there: the hospital takes all that is on its way.
    pub fn pass_on(&mut self) -> Vec<PushOutcome> {
        let submission = |transaction: Transaction| Submission {
            opened: transaction.open().unwrap(),
            transaction,
            role: Role::Nurse,
            import: false,
            objection: None,
        };
        let all: Vec<_> = self.relayed().into_iter().map(submission).collect();
        let now = self.server.clock.now();
        self.events.clear();
        self.restart();
        self.server.store.accept(&all, now).unwrap()
    }

    /// A device exchanges everything with it.
    pub fn sync(&mut self, device: &mut Device) {
        device.replica.wake();
        let mut requests = 0;
        while let Some(request) = device.replica.next_request().unwrap() {
            let response = self.answer(device, &request);
            device.replica.take_response(&request.kind, &response).unwrap();
            requests += 1;
            assert!(requests < 50, "it does not come to an end");
        }
    }

    /// As [`Hub::sync`], and all went well.
    pub fn settle(&mut self, devices: &mut [&mut Device]) {
        for device in devices {
            self.sync(device);
            let status = device.replica.status().unwrap();
            assert_eq!((status.problem, status.differences), (None, 0));
            device.dump().unwrap();
        }
    }

    pub fn answer(&mut self, device: &Device, request: &HttpRequest) -> HttpResponse {
        let body = match &request.kind {
            RequestKind::Push(_) => encode(&self.push(&request.body)),
            RequestKind::Pull(after, _) => encode(&self.pull(device, request, *after)),
            _ => return device.send(&mut self.server, request).unwrap(),
        };
        self.said(body)
    }

    pub fn said(&self, body: Vec<u8>) -> HttpResponse {
        crate::ward::said(&self.server, 200, body)
    }

    fn push(&mut self, body: &[u8]) -> PushResponse {
        let request: PushRequest = decode(body).unwrap();
        let outcome = |transaction: Transaction| {
            let id = transaction.body().unwrap().id;
            if self.refused.contains(&id) {
                let (code, reason) = ("not_allowed".to_owned(), "the hospital refused it".to_owned());
                return PushOutcome::Rejected { id, code, reason };
            }
            if !self.events.iter().any(|event| event.id == id) {
                self.list(transaction);
            }
            PushOutcome::Relayed { id, hub: self.id }
        };
        PushResponse {
            outcomes: request.transactions.into_iter().map(outcome).collect(),
        }
    }

    /// It is on its way.
    pub fn list(&mut self, transaction: Transaction) {
        let id = transaction.body().unwrap().id;
        let transaction = Some(transaction);
        self.events.push(RelayEvent { id, transaction });
    }

    pub fn pull(&mut self, device: &Device, request: &HttpRequest, after: Seq) -> PullResponse {
        let mut response = if self.behind.is_some_and(|head| head < after) {
            PullResponse {
                entries: Vec::new(),
                cursor: after,
                head: after,
                checksum: None,
                relayed: None,
            }
        } else {
            let answer = device.send(&mut self.server, request).unwrap();
            assert_eq!(answer.status, 200);
            protocol::decode(&answer.body).unwrap()
        };
        if response.cursor == response.head {
            response.relayed = Some(self.since(&request.path));
        }
        response
    }

    fn since(&self, path: &str) -> Relayed {
        let named = path.split('&').find_map(|part| part.strip_prefix("relayed="));
        let place = named.and_then(|place| place.split_once('.'));
        let place = place.map(|(list, place)| (u64::from_str_radix(list, 16).unwrap(), place.parse::<u64>().unwrap()));
        let after = place
            .filter(|(list, _)| *list == self.list.0)
            .map_or(0, |(_, place)| place);
        let rest = &self.events[after as usize..];
        let events: Vec<_> = rest.iter().take(self.page).cloned().collect();
        Relayed {
            hub: self.id,
            list: self.list,
            after,
            place: after + events.len() as u64,
            more: events.len() < rest.len(),
            events,
            contact: self.contact,
            linked: self.linked,
        }
    }
}
