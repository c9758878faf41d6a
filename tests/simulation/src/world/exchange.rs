//! How devices and the server speak: what arrives, what is lost, late, cut or doubled on the way.

use holdfast_store::replica::{HttpRequest, HttpResponse, RequestKind};

use super::{Done, World};
use crate::{
    check::{self, Violation},
    network::Message,
    step::Fate,
};

/// More requests than this in one go are no progress.
const MAX_REQUESTS: usize = 2_000;

impl World {
    /// A device sends its next request. False if there is none, or nothing came of it.
    pub(super) fn exchange(&mut self, device: usize, fate: Fate) -> Result<bool, Violation> {
        let node = &mut self.devices[device];
        node.device().replica.wake();
        self.exchange_next(device, fate)
    }

    pub(super) fn exchange_next(&mut self, device: usize, fate: Fate) -> Result<bool, Violation> {
        let node = &mut self.devices[device];
        let request = node
            .attempt(|device| device.replica.next_request())
            .map_err(Violation::engine)?;
        let Some(request) = request else { return Ok(false) };
        let Some(request) = request.map_err(Violation::engine)? else {
            return Ok(false);
        };
        let server = node.server;
        let token = node.look().replica.token().unwrap_or_default().to_owned();
        let kind = request.kind.clone();
        let fate = if node.line { fate } else { Fate::RequestLost };
        self.tally.add(name(fate));
        let answer = match fate {
            Fate::RequestLost => None,
            Fate::RequestLate => {
                self.network.delay(Message::Request {
                    device,
                    server,
                    token: token.clone(),
                    request: request.clone(),
                });
                None
            }
            _ => self.ask(server, &token, &request)?,
        };
        let Some(response) = answer else {
            return Ok(self.nothing_came(device));
        };
        match fate {
            Fate::AnswerLost => Ok(self.nothing_came(device)),
            Fate::AnswerLate => {
                self.network.delay(Message::Answer { device, kind, response });
                Ok(self.nothing_came(device))
            }
            Fate::AnswerCut(part) => {
                let mut cut = response;
                cut.body.truncate(cut.body.len() * usize::from(part % 1_000) / 1_000);
                self.answer(device, &kind, &cut)?;
                Ok(true)
            }
            Fate::AnswerTwice => {
                self.answer(device, &kind, &response)?;
                self.answer(device, &kind, &response)?;
                Ok(true)
            }
            Fate::RequestTwice => match self.ask(server, &token, &request)? {
                Some(response) => {
                    self.answer(device, &kind, &response)?;
                    Ok(true)
                }
                None => Ok(self.nothing_came(device)),
            },
            _ => {
                self.answer(device, &kind, &response)?;
                Ok(true)
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        server: usize,
        token: &str,
        request: &HttpRequest,
    ) -> Result<Option<HttpResponse>, Violation> {
        let answer = self.servers[server].handle(token, request)?;
        if answer.is_none() {
            self.network.server_restarted(server);
        }
        Ok(answer)
    }

    pub(super) fn nothing_came(&mut self, device: usize) -> bool {
        self.devices[device].device().replica.take_failure("No answer came.");
        false
    }

    fn answer(&mut self, device: usize, kind: &RequestKind, response: &HttpResponse) -> Done {
        let node = &mut self.devices[device];
        let taken = node
            .attempt(|device| device.replica.take_response(kind, response))
            .map_err(Violation::engine)?;
        if let Some(changed) = taken {
            let changed = changed.map_err(Violation::engine)?;
            node.renew(&changed.tables).map_err(Violation::engine)?;
        }
        // What goes wrong would be healed by a new copy: that one was needed is the violation.
        let status = node.look().replica.status().map_err(Violation::engine)?;
        if status.differences > 0 {
            return Err(Violation::new(format!(
                "device {device} came to another checksum than the server"
            )));
        }
        check::nothing_is_shown_that_may_not_be(node)?;
        self.observe(device)
    }

    pub(super) fn sync(&mut self, device: usize) -> Done {
        self.devices[device].device().replica.wake();
        for _ in 0..MAX_REQUESTS {
            if !self.exchange_next(device, Fate::Arrives)? {
                return Ok(());
            }
        }
        Err(Violation::new(format!(
            "device {device} does not come to an end with its exchange"
        )))
    }

    pub(super) fn arrive(&mut self, which: u8) -> Done {
        match self.network.arrive(which) {
            None => Ok(()),
            Some(Message::Request {
                device,
                server,
                token,
                request,
            }) => {
                if let Some(response) = self.ask(server, &token, &request)? {
                    self.network.delay(Message::Answer {
                        device,
                        kind: request.kind,
                        response,
                    });
                }
                Ok(())
            }
            Some(Message::Push { ask }) => self.ask_hospital(&ask).map(drop),
            Some(Message::Answer { device, kind, response }) => self.answer(device, &kind, &response),
        }
    }
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrives => "exchanges",
        Fate::RequestLost => "requests lost",
        Fate::AnswerLost => "answers lost",
        Fate::AnswerCut(_) => "answers cut",
        Fate::AnswerTwice => "answers doubled",
        Fate::RequestTwice => "requests doubled",
        Fate::RequestLate => "requests late",
        Fate::AnswerLate => "answers late",
    }
}
