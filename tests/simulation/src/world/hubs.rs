//! How hubs and the hospital's server speak.

use holdfast_store::testing::{Answer, Ask};

use super::{Done, HOSPITAL, World};
use crate::{
    check::Violation,
    network::Message,
    step::{Errand, Fate},
};

/// More requests than this in one go are no progress.
const MAX_REQUESTS: usize = 2_000;

impl World {
    /// A hub sends a request. `None` if there is none, or nothing came of it; true if the hub is in step now.
    pub(super) fn errand(&mut self, hub: usize, errand: Errand, fate: Fate) -> Result<Option<bool>, Violation> {
        let asked = self.servers[hub].attempt(|server| match errand {
            Errand::Access => Ok(Some(Ask::Access)),
            Errand::Page => server.next_page().map(Some),
            Errand::Push => server.next_push(),
        })?;
        let Some(ask) = asked else {
            self.network.server_restarted(hub);
            return Ok(None);
        };
        let Some(ask) = ask else { return Ok(None) };
        let fate = if self.servers[hub].link {
            fate
        } else {
            Fate::RequestLost
        };
        self.tally.add(name(fate));
        let answer = match fate {
            Fate::RequestLost => None,
            Fate::RequestLate => {
                if let Ask::Push(..) = ask {
                    self.network.delay(Message::Push { ask });
                }
                None
            }
            // A hub sends one request after the other: an answer that comes late or in part is none.
            Fate::AnswerLost | Fate::AnswerLate | Fate::AnswerCut(_) => {
                self.ask_hospital(&ask)?;
                None
            }
            Fate::RequestTwice => {
                self.ask_hospital(&ask)?;
                self.ask_hospital(&ask)?
            }
            Fate::Arrives | Fate::AnswerTwice => self.ask_hospital(&ask)?,
        };
        let Some(answer) = answer else { return Ok(None) };
        if fate == Fate::AnswerTwice {
            self.take_answer(hub, &answer)?;
        }
        self.take_answer(hub, &answer)
    }

    /// The hospital's server answers a hub; `None` if it died meanwhile.
    pub(super) fn ask_hospital(&mut self, ask: &Ask) -> Result<Option<Answer>, Violation> {
        let answer = self.servers[HOSPITAL].answer_hub(ask)?;
        if answer.is_none() {
            self.network.server_restarted(HOSPITAL);
        }
        Ok(answer)
    }

    fn take_answer(&mut self, hub: usize, answer: &Answer) -> Result<Option<bool>, Violation> {
        let taken = self.servers[hub].attempt(|server| server.take_answer(answer))?;
        if taken.is_none() {
            self.network.server_restarted(hub);
        }
        // What goes wrong would be healed by a new copy: that one was needed is the violation.
        if self.servers[hub].look().has_differed().map_err(Violation::engine)? {
            return Err(Violation::new(format!(
                "hub {hub} came to another checksum than the hospital's server"
            )));
        }
        Ok(taken)
    }

    /// A hub exchanges all there is.
    pub(super) fn sync_hub(&mut self, hub: usize) -> Done {
        self.errand(hub, Errand::Access, Fate::Arrives)?;
        self.follow(hub)?;
        for _ in 0..MAX_REQUESTS {
            if self.errand(hub, Errand::Push, Fate::Arrives)?.is_none() {
                return self.follow(hub);
            }
        }
        Err(endless(hub))
    }

    fn follow(&mut self, hub: usize) -> Done {
        for _ in 0..MAX_REQUESTS {
            if self.errand(hub, Errand::Page, Fate::Arrives)? != Some(false) {
                return Ok(());
            }
        }
        Err(endless(hub))
    }

    /// True if hubs and devices are where the hospital's server is, and have nothing else. A device may be ahead of its hub.
    pub(super) fn hubs_are_quiet(&self) -> Result<bool, Violation> {
        if self.hubs().is_empty() {
            return Ok(true);
        }
        let head = self.hospital().look().store.head().map_err(Violation::engine)?;
        for hub in self.hubs() {
            let store = &hub.look().store;
            let relayed = store.relay_count().map_err(Violation::engine)?.transactions;
            if relayed > 0 || store.head().map_err(Violation::engine)? != head {
                return Ok(false);
            }
        }
        for node in self.devices.iter().filter(|node| !node.revoked) {
            let device = node.look();
            if device.relayed().map_err(Violation::engine)? > 0
                || device.cursor().map_err(Violation::engine)? != Some(head)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn endless(hub: usize) -> Violation {
    Violation::new(format!("hub {hub} does not come to an end with its exchange"))
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrives => "hub exchanges",
        Fate::RequestLost => "hub requests lost",
        Fate::RequestLate => "hub requests late",
        Fate::RequestTwice => "hub requests doubled",
        Fate::AnswerTwice => "hub answers doubled",
        Fate::AnswerLost | Fate::AnswerLate | Fate::AnswerCut(_) => "hub answers lost",
    }
}
