//! A batch of transactions, decided on several threads, with the very result of one after the other.
//!
//! ```text
//!  transactions ─► what each writes ─► groups that share nothing ─► a part of the set for each thread
//!                      ▲                                              │ ingest, in order
//!                      │  wrote or read what another part owns        ▼
//!                      └───────────────────────────────────── all stayed within their part? ─► one set again
//! ```
//!
//! Groups are guessed from what can be seen (rows, claims, who holds them now). That the guess was right is not assumed but
//! watched: a part sees only what it owns and what nobody owns, and what nobody owns nobody may write. If a transaction
//! needs more, all that was done is dropped, and groups are made again with what is known now.
//!
//! A transaction's place in the stream depends on which earlier ones are refused. Each gets a provisional place in the
//! batch's order; where some are refused, the others' places are closed up afterwards. What `ingest` decides depends on the
//! order of places alone, so that it stays as it was.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    thread,
};

use super::{
    Authority, Claim, Needs, Rejection, RowKey, Stop, WorkingSet,
    effects::claim_of,
    ingest,
    project::{facets, shown_value},
    working_set::Owners,
};
use crate::{
    document::{Actor, DocumentId, Facet, Place, codec::OpKey},
    ids::{RowId, Seq, UserId},
    schema::{Column, Schema},
    transaction::Opened,
    value::Value,
};

/// How often groups are made again before the batch is left to be carried out one after the other. It bounds what a device
/// can cost whose transactions always need more than can be seen.
const MAX_ROUNDS: u32 = 4;

/// A transaction of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Entrant<'a> {
    /// The transaction, its signature checked.
    pub opened: &'a Opened,
    /// How much it is trusted.
    pub authority: Authority,
}

/// Transactions that want to be in the stream together. See the module's text.
#[derive(Debug)]
pub struct Batch<'a> {
    entrants: Vec<Entrant<'a>>,
    touched: Vec<Touched>,
    after: Seq,
    threads: usize,
    rounds: u32,
    begun: bool,
}

/// What to do next: see [`Batch::attempt`].
#[derive(Debug)]
pub enum Progress {
    /// Load these into the set and try again.
    Load(Needs),
    /// All is done: for each transaction its place or why it is refused. The set holds what is to be written.
    Done(Vec<Result<Seq, Rejection>>),
    /// It cannot be decided together; the set is as it was. Carry the transactions out one after the other.
    InTurn,
}

/// What a transaction touches, as far as is known.
#[derive(Debug, Default)]
struct Touched {
    /// Rows that it writes.
    rows: Vec<RowKey>,
    /// Values that it claims or releases.
    claims: Vec<Claim>,
    /// Rows that must be there.
    reads: Vec<RowKey>,
}

/// What became of a transaction in its part.
enum Step {
    Accepted(BTreeMap<Actor, UserId>),
    Refused(Rejection),
    /// It needs what its part has not got.
    Stopped(Needs),
    /// It builds on changes that nobody has brought yet.
    Missing,
}

impl<'a> Batch<'a> {
    /// A batch whose first accepted transaction comes after `after`, to be decided on so many threads.
    pub fn new(entrants: Vec<Entrant<'a>>, after: Seq, threads: usize) -> Self {
        Self {
            entrants,
            touched: Vec::new(),
            after,
            threads,
            rounds: 0,
            begun: false,
        }
    }

    /// Decides as far as what is loaded allows. The store loops until there is nothing to load:
    ///
    /// ```text
    /// loop { match batch.attempt(&mut set) { Load(needs) => load(needs), Done(places) => break …, InTurn => break … } }
    /// ```
    ///
    /// What was done to the set before must have been written if rows are deleted, as in [`super::Attempt::Write`]; else
    /// the answer is `InTurn`.
    pub fn attempt(&mut self, set: &mut WorkingSet) -> Progress {
        if self.threads < 2 || self.entrants.len() < 2 {
            return Progress::InTurn;
        }
        if !std::mem::replace(&mut self.begun, true) {
            let needs = self.begin().missing(set);
            if !needs.is_empty() {
                return load(needs, set);
            }
        }
        while self.rounds < MAX_ROUNDS {
            self.rounds += 1;
            let missing = self.foresee(set);
            if !missing.is_empty() {
                return load(missing, set);
            }
            let Some(parts) = self.parts() else { break };
            match self.round(set, &parts) {
                Round::Done(places) => return Progress::Done(places),
                Round::Missing => break,
                Round::Stopped(missing) if !missing.is_empty() => return load(missing, set),
                Round::Stopped(_) => {}
            }
        }
        Progress::InTurn
    }

    /// What can be told from the transactions alone.
    fn begin(&mut self) -> Needs {
        let mut all = Needs::default();
        for entrant in &self.entrants {
            let needs = Needs::of(entrant.opened);
            let mut touched = Touched {
                rows: needs.documents.iter().map(RowKey::of).collect(),
                claims: needs.claims.iter().cloned().collect(),
                reads: needs.presence.iter().copied().collect(),
            };
            touched.rows.dedup();
            self.touched.push(touched);
            all.extend(needs);
        }
        all
    }

    /// Follows what is loaded to what is touched besides: values that are given up, rows that are no longer referenced, and
    /// rows that claim the same. Returns what must be loaded to tell.
    fn foresee(&mut self, set: &WorkingSet) -> Needs {
        let mut needs = Needs::default();
        for (entrant, touched) in self.entrants.iter().zip(&mut self.touched) {
            for (key, column) in replaced(entrant.opened) {
                let Some(document) = set
                    .document(&DocumentId::main(key.table, key.row))
                    .filter(|d| !d.is_empty())
                else {
                    continue;
                };
                let table = Schema::hospital().by_id(key.table);
                if column.claim
                    && let Some((claim, _)) = claim_of(table, key, column, document)
                    && !touched.claims.contains(&claim)
                {
                    touched.claims.push(claim);
                }
                if let (Some(target), Value::Uuid(row)) = (column.references, shown_value(column, key, document, None))
                {
                    needs.documents.insert(DocumentId::main(target, RowId(row)));
                }
            }
            for claim in &touched.claims {
                let Some(claimants) = set.claimants(claim) else {
                    needs.claims.insert(claim.clone());
                    continue;
                };
                let table = Schema::hospital().by_id(claim.table);
                for row in claimants.iter().map(|c| RowKey {
                    table: claim.table,
                    row: c.row,
                }) {
                    if !touched.rows.contains(&row) {
                        touched.rows.push(row);
                        needs.documents.extend(facets(table, row));
                    }
                }
            }
        }
        needs.missing(set)
    }

    /// For each transaction the part that decides it: groups that share nothing, spread over the threads. `None` if all
    /// belong together.
    fn parts(&self) -> Option<Parts> {
        let mut groups = Groups::new(self.touched.len());
        let mut rows: HashMap<RowKey, usize> = HashMap::with_capacity(self.touched.len() * 2);
        let mut claims: HashMap<&Claim, usize> = HashMap::with_capacity(self.touched.len() * 2);
        for (i, touched) in self.touched.iter().enumerate() {
            for key in &touched.rows {
                groups.join(i, *rows.entry(*key).or_insert(i));
            }
            for claim in &touched.claims {
                groups.join(i, *claims.entry(claim).or_insert(i));
            }
        }
        for (i, touched) in self.touched.iter().enumerate() {
            for writer in touched.reads.iter().filter_map(|key| rows.get(key)) {
                groups.join(i, *writer);
            }
        }
        let weights: Vec<usize> = self.entrants.iter().map(weight).collect();
        let parts = groups.spread(&weights, self.threads)?;
        let owners = Owners {
            rows: rows.into_iter().map(|(key, i)| (key, parts[i])).collect(),
            claims: claims.into_iter().map(|(claim, i)| (claim.clone(), parts[i])).collect(),
        };
        Some(Parts {
            of: parts,
            owners: Arc::new(owners),
        })
    }

    fn round(&mut self, set: &mut WorkingSet, parts: &Parts) -> Round {
        let base = Arc::new(std::mem::take(set));
        let run = |part| self.run(part, parts, &base);
        let done: Vec<(WorkingSet, Vec<(usize, Step)>)> = thread::scope(|scope| {
            // Where there are no threads (in a browser, or no more of them) the parts are run in turn.
            let others: Vec<_> = (1..self.threads)
                .map(|part| (part, thread::Builder::new().spawn_scoped(scope, move || run(part))))
                .collect();
            let mut done = vec![run(0)];
            done.extend(others.into_iter().map(|(part, other)| match other {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(_) => run(part),
            }));
            done
        });
        let (mut sets, mut steps) = (Vec::new(), Vec::new());
        for (mut part, of) in done {
            part.leave();
            sets.push(part);
            steps.extend(of);
        }
        *set = Arc::try_unwrap(base).expect("BUG: every part was left");
        steps.sort_unstable_by_key(|(i, _)| *i);
        self.finish(set, sets, steps.into_iter().map(|(_, step)| step).collect())
    }

    /// Decides a part's transactions in their order.
    fn run(&self, part: usize, parts: &Parts, base: &Arc<WorkingSet>) -> (WorkingSet, Vec<(usize, Step)>) {
        let mut set = WorkingSet::part(base, &parts.owners, part);
        let mine = (0..self.entrants.len()).filter(|i| parts.of[*i] == part);
        let steps = mine.map(|i| (i, self.decide(&mut set, i))).collect();
        (set, steps)
    }

    fn decide(&self, set: &mut WorkingSet, i: usize) -> Step {
        let Entrant { opened, authority } = self.entrants[i];
        match ingest(set, opened, self.provisional(i), authority) {
            Ok(mut commit) => {
                let foreign = set.trespass(&commit);
                if !foreign.is_empty() {
                    return Step::Stopped(foreign);
                }
                let actors = std::mem::take(&mut commit.actors);
                set.apply(commit);
                Step::Accepted(actors)
            }
            Err(Stop::Rejected(rejection)) => Step::Refused(rejection),
            Err(Stop::Needs(needs)) => Step::Stopped(needs),
            Err(Stop::Missing(_)) => Step::Missing,
        }
    }

    fn provisional(&self, i: usize) -> Place {
        Place::Stream(Seq(self.after.0 + 1 + i as u64))
    }

    /// Makes one set of the parts, or, if a transaction went beyond its part, takes note of what it touches.
    fn finish(&mut self, set: &mut WorkingSet, parts: Vec<WorkingSet>, mut steps: Vec<Step>) -> Round {
        let mut missing = Needs::default();
        let mut stopped = false;
        for (step, touched) in steps.iter_mut().zip(&mut self.touched) {
            if let Step::Stopped(needs) = step {
                stopped = true;
                missing.extend(touched.learn(std::mem::take(needs), set));
            }
        }
        if stopped {
            return Round::Stopped(missing);
        }
        // Only now: what is missing may have been in a transaction that was stopped.
        if steps.iter().any(|step| matches!(step, Step::Missing)) {
            return Round::Missing;
        }
        let mut seq = self.after;
        let mut numbers = Vec::with_capacity(steps.len());
        let mut outcomes = Vec::with_capacity(steps.len());
        let mut actors = Vec::with_capacity(steps.len());
        for step in steps {
            outcomes.push(match step {
                Step::Refused(rejection) => Err(rejection),
                Step::Accepted(wrote) => {
                    seq = seq.next();
                    actors.push(wrote);
                    Ok(seq)
                }
                Step::Stopped(_) | Step::Missing => unreachable!("BUG: just looked"),
            });
            numbers.push(seq);
        }
        let closed_up = |place| match place {
            Place::Stream(at) if at > self.after => Place::Stream(numbers[(at.0 - self.after.0 - 1) as usize]),
            other => other,
        };
        let refused = outcomes.iter().any(Result::is_err);
        for mut part in parts {
            if refused {
                part.renumber(closed_up);
            }
            set.absorb(part);
        }
        for wrote in actors {
            set.add_actors(wrote);
        }
        Round::Done(outcomes)
    }
}

/// The tables do not tell who references a row while something is still to be written.
fn load(needs: Needs, set: &WorkingSet) -> Progress {
    if !needs.referrers.is_empty() && set.has_effects() {
        return Progress::InTurn;
    }
    Progress::Load(needs)
}

enum Round {
    Done(Vec<Result<Seq, Rejection>>),
    /// What must be loaded before the next one.
    Stopped(Needs),
    Missing,
}

struct Parts {
    of: Vec<usize>,
    owners: Arc<Owners>,
}

impl Touched {
    /// Takes note of what a transaction needed and did not get: what it misses beside what is not loaded, another part
    /// owns.
    fn learn(&mut self, needs: Needs, set: &WorkingSet) -> Needs {
        let missing = needs.clone().missing(set);
        let documents = needs.documents.difference(&missing.documents).map(RowKey::of);
        self.rows.extend(documents.chain(needs.referrers));
        self.reads.extend(needs.presence.difference(&missing.presence));
        self.claims.extend(needs.claims);
        missing
    }
}

/// The rows' columns to which a transaction gives another value, where the one before matters to others.
fn replaced(opened: &Opened) -> impl Iterator<Item = (RowKey, &'static Column)> {
    let changes = opened.body.changes.iter().zip(&opened.changes);
    changes
        .filter(|(name, _)| name.document.facet == Facet::Main)
        .flat_map(|(name, change)| {
            let table = Schema::hospital().get(name.document.table);
            let operations = change.iter().flat_map(|c| c.change.operations());
            let columns = operations.filter_map(move |op| match (op.object, op.key) {
                (None, OpKey::Map(column)) => table?.column(column),
                _ => None,
            });
            let key = RowKey::of(&name.document);
            columns.map(move |column| (key, column))
        })
        .filter(|(_, column)| column.claim || column.references.is_some())
}

/// Roughly how long a transaction takes.
fn weight(entrant: &Entrant<'_>) -> usize {
    let changes = entrant.opened.changes.iter().flatten();
    changes.map(|c| 8 + c.change.operations().len()).sum()
}

/// Sets of transactions that belong together (union by the lower number, with path halving).
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn first(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// Gives each group to the part that has least to do. `None` if one part gets all.
    fn spread(mut self, weights: &[usize], parts: usize) -> Option<Vec<usize>> {
        let mut of_group = vec![0; weights.len()];
        for (i, weight) in weights.iter().enumerate() {
            of_group[self.first(i)] += weight;
        }
        let mut load = vec![0; parts];
        let mut part_of = vec![0; weights.len()];
        for i in 0..weights.len() {
            let first = self.first(i);
            part_of[i] = if first == i {
                let lightest = (0..parts).min_by_key(|part| load[*part]).unwrap_or(0);
                load[lightest] += of_group[i];
                lightest
            } else {
                part_of[first]
            };
        }
        part_of.iter().any(|part| *part != 0).then_some(part_of)
    }
}
