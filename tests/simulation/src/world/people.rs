//! What people do.

use holdfast_core::{
    command::{Command, CommandError},
    ids::TransactionId,
};
use holdfast_store::replica::{Order, ReplicaError};
use uuid::Uuid;

use super::{Done, HOSPITAL, World};
use crate::{
    check::Violation,
    dice::Dice,
    hospital::{self, PEOPLE},
    step::{Errand, Fate},
    versions::{Push, Version},
    work::{self, Work},
};

impl World {
    /// A person gives a command. If the device dies, the page asks once more for the same when it is back.
    pub(super) fn work(&mut self, device: usize, work: Work, pick: u32) -> Done {
        let dice = Dice::new(pick.into());
        let node = &mut self.devices[device];
        let Some(found) = node
            .attempt(|device| work::command(work, device, &dice))
            .map_err(Violation::engine)?
        else {
            return Ok(());
        };
        let command = match found {
            Ok(Some(command)) => command,
            Ok(None) => return Ok(()),
            Err(error) => return expected(error),
        };
        let command: Command = serde_json::from_value(command).map_err(Violation::engine)?;
        let order = Order {
            id: TransactionId(Uuid::from_u64_pair(dice.number(), dice.number())),
            command,
            mends: None,
        };
        let before = node.look().kept().map_err(Violation::engine)?.len();
        let receipt = loop {
            let done = node
                .attempt(|device| device.replica.run_once(&order))
                .map_err(Violation::engine)?;
            match done {
                None => {}
                Some(Ok(receipt)) => break receipt,
                Some(Err(error)) => return expected(error),
            }
        };
        node.renew(&receipt.changed_tables).map_err(Violation::engine)?;
        let kept = node.look().kept().map_err(Violation::engine)?;
        let waits = kept.iter().any(|one| one.id == receipt.transaction_id);
        if kept.len() != before + usize::from(!receipt.transaction_id.0.is_nil())
            || waits == receipt.transaction_id.0.is_nil()
        {
            return Err(Violation::new(format!(
                "the outbox of device {device} has not exactly what was done: {:?}",
                order.command
            )));
        }
        self.tally.add("transactions");
        self.observe(device)
    }

    pub(super) fn sign_in(&mut self, device: usize, person: usize) -> Done {
        let person = if self.personal { device % PEOPLE.len() } else { person };
        let node = &mut self.devices[device];
        if !node.line || node.revoked {
            return Ok(());
        }
        let linked = self.servers[node.server].link;
        let door = if linked { HOSPITAL } else { node.server };
        if !self.servers[door].lets_in(PEOPLE[person].0, node)? {
            return Ok(());
        }
        self.tally.add("sign-ins");
        let server = self.servers[door].quiet_server().map_err(Violation::engine)?;
        let done = node
            .attempt(|device| device.sign_in(server, PEOPLE[person].0))
            .map_err(Violation::engine)?;
        match done {
            None => {}
            Some(Ok(())) => node.person = person,
            Some(Err(error)) => expected(error)?,
        }
        node.load_page().map_err(Violation::engine)?;
        let server = node.server;
        if server != HOSPITAL && linked {
            self.errand(server, Errand::Access, Fate::Arrives)?;
        }
        self.observe(device)
    }

    pub(super) fn sign_out(&mut self, device: usize) -> Done {
        self.tally.add("sign-outs");
        let node = &mut self.devices[device];
        if let Some(done) = node
            .attempt(|device| device.replica.sign_out())
            .map_err(Violation::engine)?
        {
            done.map_err(Violation::engine)?;
        }
        Ok(())
    }

    /// A person gives up the first refused command. If the device dies, it may be gone or not.
    pub(super) fn discard(&mut self, device: usize) -> Done {
        let node = &mut self.devices[device];
        let kept = node.look().kept().map_err(Violation::engine)?;
        let Some(refused) = kept.iter().find(|one| one.state == "rejected") else {
            return Ok(());
        };
        self.tally.add("discards");
        self.ledger.excuse_one(node.id, refused.made_at);
        if let Some(done) = node
            .attempt(|device| device.replica.discard(refused.id))
            .map_err(Violation::engine)?
        {
            done.map_err(Violation::engine)?;
        }
        Ok(())
    }

    /// The office gives one of those who may get another role another one. It is not disturbed in this.
    pub(super) fn role(&mut self, person: u8, role: &str) -> Done {
        self.tally.add("role changes");
        let user = hospital::id(0x10 + u128::from(person) % hospital::CHANGING);
        let server = self.servers[HOSPITAL].quiet_server().map_err(Violation::engine)?;
        server.set_role(user, role).map(drop).map_err(Violation::engine)
    }

    /// A device of another version pushes what it wrote.
    pub(super) fn other_version(&mut self, version: Version, pick: u32) -> Done {
        self.tally.add(match version {
            Version::Newer => "newer devices",
            Version::Older => "older devices",
        });
        let server = self.servers[HOSPITAL].quiet_server().map_err(Violation::engine)?;
        let Some(push) = Push::new(server, version, pick).map_err(Violation::engine)? else {
            return Ok(());
        };
        match self.ask(HOSPITAL, &push.token, &push.request)? {
            Some(answer) => push.check(self.hospital().look(), &answer),
            None => Ok(()),
        }
    }
}

/// What the engine refuses in words is no violation; what fails in its store is.
fn expected(error: ReplicaError) -> Done {
    match error {
        ReplicaError::Store(_) | ReplicaError::Command(CommandError::Read(_)) => Err(Violation::engine(error)),
        _ => Ok(()),
    }
}
