//! The elements of a list or text, in order.
//!
//! Placed by RGA as Automerge does it: an element stands after the one it names, behind later-numbered elements inserted at
//! the same place. Source: Roh et al., Replicated abstract data types, 2011.

use super::{ActorClock, FoldError, OpId, fold::Work, op::Ops};

/// How many elements a list or text can have, deleted ones too.
pub(super) const MAX_ELEMENTS: usize = 1_000_000;

/// An element of a list or text.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// The operation that inserted it.
    pub id: OpId,
    /// Its live operations; none if it is deleted.
    pub live: Ops,
}

/// Elements in order, deleted ones among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    elements: Vec<Element>,
    /// Inserted elements that are not in `elements` yet: they follow one another at `place`.
    run: Vec<Element>,
    place: usize,
    /// Where the last operation was: the next one is mostly there or behind it.
    hint: usize,
}

impl Sequence {
    pub(super) fn of_elements(elements: Vec<Element>) -> Self {
        Self {
            elements,
            ..Self::default()
        }
    }

    pub(super) fn elements(&self) -> &[Element] {
        debug_assert!(self.run.is_empty(), "BUG: a run was not settled");
        &self.elements
    }

    /// Inserts an element after another, or at the start. Elements that follow one another are moved in together, when
    /// something else is done to the sequence or it is settled.
    pub(super) fn insert(
        &mut self,
        after: Option<OpId>,
        element: Element,
        actors: &[ActorClock],
        work: &mut Work,
    ) -> Result<(), FoldError> {
        if self.elements.len() + self.run.len() >= MAX_ELEMENTS {
            return Err(FoldError::TooMuchWork);
        }
        if after.is_some() && self.run.last().map(|e| e.id) == after {
            // Nothing can stand between: what stands behind the last one was numbered lower than it was.
            self.run.push(element);
            return Ok(());
        }
        self.settle(work)?;
        let order = |id: OpId| (id.counter, &actors[id.actor as usize].actor);
        let mut place = match after {
            None => 0,
            Some(after) => self.find(after, work)? + 1,
        };
        let start = place;
        while self
            .elements
            .get(place)
            .is_some_and(|e| order(e.id) > order(element.id))
        {
            place += 1;
        }
        work.charge(place - start)?;
        self.place = place;
        self.run.push(element);
        Ok(())
    }

    /// The live operations of an element.
    pub(super) fn live(&mut self, id: OpId, work: &mut Work) -> Result<&mut Ops, FoldError> {
        if !self.run.is_empty() {
            self.settle(work)?;
        }
        let place = self.find(id, work)?;
        self.hint = place + 1;
        Ok(&mut self.elements[place].live)
    }

    /// Moves the last run in.
    pub(super) fn settle(&mut self, work: &mut Work) -> Result<(), FoldError> {
        if self.run.is_empty() {
            return Ok(());
        }
        work.charge((self.elements.len() - self.place) / 2)?;
        self.hint = self.place + self.run.len();
        self.elements.splice(self.place..self.place, self.run.drain(..));
        self.run = Vec::new();
        Ok(())
    }

    fn find(&self, id: OpId, work: &mut Work) -> Result<usize, FoldError> {
        let near = self.hint.saturating_sub(2)..(self.hint + 2).min(self.elements.len());
        if let Some(place) = near.clone().find(|i| self.elements[*i].id == id) {
            return Ok(place);
        }
        work.charge(self.elements.len())?;
        let found = self.elements.iter().rposition(|e| e.id == id);
        found.ok_or(FoldError::UnknownReference)
    }

    /// Changes every operation's value.
    pub(super) fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.elements.iter_mut()
    }
}
