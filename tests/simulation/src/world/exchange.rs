//! How devices and the server speak: what arrives, what is lost, late, cut or doubled on the way.

use holdfast_store::replica::{HttpResponse, RequestKind};

use super::{Done, MAX_REQUESTS, World, name};
use crate::{check::Violation, network::Message, step::Fate};

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
        let token = node.look().replica.token().unwrap_or_default().to_owned();
        let kind = request.kind.clone();
        let fate = if node.line { fate } else { Fate::RequestLost };
        self.tally.add(name(fate));
        let answer = match fate {
            Fate::RequestLost => None,
            Fate::RequestLate => {
                self.network.delay(Message::Request {
                    device,
                    token: token.clone(),
                    request: request.clone(),
                });
                None
            }
            _ => self.ask(&token, &request)?,
        };
        let Some((status, body)) = answer else {
            return Ok(self.nothing_came(device));
        };
        match fate {
            Fate::AnswerLost => Ok(self.nothing_came(device)),
            Fate::AnswerLate => {
                self.network.delay(Message::Answer {
                    device,
                    kind,
                    status,
                    body,
                });
                Ok(self.nothing_came(device))
            }
            Fate::AnswerCut(part) => {
                let left = body.len() * usize::from(part % 1_000) / 1_000;
                self.answer(device, &kind, status, &body[..left])?;
                Ok(true)
            }
            Fate::AnswerTwice => {
                self.answer(device, &kind, status, &body)?;
                self.answer(device, &kind, status, &body)?;
                Ok(true)
            }
            Fate::RequestTwice => match self.ask(&token, &request)? {
                Some((status, body)) => {
                    self.answer(device, &kind, status, &body)?;
                    Ok(true)
                }
                None => Ok(self.nothing_came(device)),
            },
            _ => {
                self.answer(device, &kind, status, &body)?;
                Ok(true)
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        token: &str,
        request: &holdfast_store::replica::HttpRequest,
    ) -> Result<Option<(u16, Vec<u8>)>, Violation> {
        let answer = self.server.handle(token, request)?;
        if answer.is_none() {
            self.network.server_restarted();
        }
        Ok(answer)
    }

    pub(super) fn nothing_came(&mut self, device: usize) -> bool {
        self.devices[device].device().replica.take_failure("No answer came.");
        false
    }

    pub(super) fn answer(&mut self, device: usize, kind: &RequestKind, status: u16, body: &[u8]) -> Done {
        let response = HttpResponse {
            status,
            hospital: Some(self.server.hospital().map_err(Violation::engine)?),
            body: body.to_vec(),
        };
        let node = &mut self.devices[device];
        let taken = node
            .attempt(|device| device.replica.take_response(kind, &response))
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
            Some(Message::Request { device, token, request }) => {
                if let Some((status, body)) = self.ask(&token, &request)? {
                    self.network.delay(Message::Answer {
                        device,
                        kind: request.kind,
                        status,
                        body,
                    });
                }
                Ok(())
            }
            Some(Message::Answer {
                device,
                kind,
                status,
                body,
            }) => self.answer(device, &kind, status, &body),
        }
    }
}
