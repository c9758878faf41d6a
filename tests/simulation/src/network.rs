//! Messages that are still under way when their device has given up waiting for them.

use holdfast_store::{
    replica::{HttpRequest, HttpResponse, RequestKind},
    testing::Ask,
};

use crate::world::HOSPITAL;

/// A message.
#[derive(Debug)]
pub enum Message {
    /// To the server.
    Request {
        /// From this device.
        device: usize,
        /// To this server.
        server: usize,
        /// In this session.
        token: String,
        /// What it asks.
        request: HttpRequest,
    },
    /// To the hospital's server, what a hub relays. The answer will find nobody.
    Push {
        /// What it asks.
        ask: Ask,
    },
    /// To a device.
    Answer {
        /// Which.
        device: usize,
        /// What was asked.
        kind: RequestKind,
        /// What was answered.
        response: HttpResponse,
    },
}

/// The messages under way.
#[derive(Debug, Default)]
pub struct Network {
    under_way: Vec<Message>,
}

impl Network {
    /// It arrives later, if at all.
    pub fn delay(&mut self, message: Message) {
        // The oldest are given up.
        if self.under_way.len() >= 16 {
            self.under_way.remove(0);
        }
        self.under_way.push(message);
    }

    /// One of those under way arrives.
    pub fn arrive(&mut self, which: u8) -> Option<Message> {
        let count = self.under_way.len();
        (count > 0).then(|| self.under_way.remove(usize::from(which) % count))
    }

    /// A server is another process now: its connections are gone.
    pub fn server_restarted(&mut self, which: usize) {
        self.under_way.retain(|message| match message {
            Message::Request { server, .. } => *server != which,
            Message::Push { .. } => which != HOSPITAL,
            Message::Answer { .. } => true,
        });
    }
}
