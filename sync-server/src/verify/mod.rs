//! Checks in production that a store is what its log says: nobody, and no error, has changed it by other means.
//!
//! ```text
//!  one snapshot of the store ──► log, page by page ──► readable? signed? without gaps? ──► fold from nothing ──┐
//!          │                                                                               (a scratch file)    │
//!          └──────────────► documents, changes, claims, conflicts, actors, 33 tables ──► compared in order ◄───┘
//! ```
//!
//! On a ward's hub documents show, and tables follow from, what is on its way, too. There the fold is held against the
//! documents as the stream has them, and against tables and claims only while nothing is on its way.
//!
//! *Architecture invariants*
//! - Only reads, and sees one state of the store, so that a server may work on it meanwhile.
//! - Memory does not grow with the hospital: the log comes in pages, the fold lives in a file, and both sides of each
//!   comparison are read in the order of their keys and meet row by row.

mod compare;
mod entries;
mod progress;
mod relation;
mod report;
mod signed;

use std::{path::PathBuf, time::Instant};

use holdfast_core::ids::Seq;
use holdfast_store::{Replay, ReplayEntry, ReplayError};

pub use progress::{Phase, Progress};
pub use report::{Difference, Kind, Report};

use crate::{
    store::Location,
    validate::{
        Outcome,
        engine::{self, Presence},
        found,
        session::{Dialect, Session, SessionError},
    },
};
use progress::Meter;
use relation::Relation;
use signed::{Devices, Signed};

/// How to verify.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How many differences of each table are told; the rest are only counted.
    pub limit: usize,
    /// Where the scratch file is made, which grows about as large as the store; the system's folder for temporary files if
    /// not given.
    pub scratch: Option<PathBuf>,
}

/// Why a store could not be verified. It says nothing about the store's contents.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The store could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// It isn't a store of this version.
    #[error("{0}")]
    NotReady(String),
    /// The scratch file could not be written or read.
    #[error("the scratch file: {0}")]
    Scratch(String),
    /// A thread ended.
    #[error("BUG: verifying ended: {0}")]
    Thread(String),
}

/// Verifies a store. `progress` hears how far it is, about twice a second.
pub async fn verify(
    location: &Location,
    options: &Options,
    progress: impl FnMut(Progress),
) -> Result<Report, VerifyError> {
    let started = Instant::now();
    let mut report = Report::new(options.limit);
    match hold_against_log(location, options, &mut report, &mut Meter::new(progress)).await {
        Err(VerifyError::Session(SessionError::Sqlite(error))) if is_damage(&error) => report.file([error.to_string()]),
        other => other?,
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn hold_against_log(
    location: &Location,
    options: &Options,
    report: &mut Report,
    meter: &mut Meter<impl FnMut(Progress)>,
) -> Result<(), VerifyError> {
    let mut session = Session::open(location).await?;
    report.file(file_damage(&mut session).await?);
    if !report.passed() {
        return Ok(());
    }
    snapshot(&mut session).await?;
    let relations = relations(&mut session, report).await?;
    let folder = match &options.scratch {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.map_err(|e| VerifyError::Scratch(e.to_string()))?;
    let replay = Replay::create(&folder.path().join("replay.sqlite")).map_err(|e| scratch(&e))?;
    if let Some(replay) = fold(&mut session, replay, report, meter).await? {
        meter.begin(
            Phase::Compare,
            relation::count(replay.connection(), &relations).map_err(|e| scratch(&e))?,
        );
        for relation in &relations {
            compare::compare(relation, replay.connection(), &mut session, report, meter).await?;
        }
        compare::passwords(&mut session, report).await?;
    }
    Ok(())
}

fn scratch(error: &impl ToString) -> VerifyError {
    VerifyError::Scratch(error.to_string())
}

/// From now on the session sees one state of the store, and cannot write to it.
async fn snapshot(session: &mut Session) -> Result<(), VerifyError> {
    let statements: &[&str] = match session.dialect() {
        Dialect::Sqlite => &["PRAGMA query_only = true", "BEGIN"],
        Dialect::Postgres => &[
            "SET search_path TO public",
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        ],
    };
    for statement in statements {
        session.execute(statement, &[]).await?;
    }
    let found = found::read(session).await?;
    let checks = match engine::check(session, &found).await? {
        Presence::Present(checks) => checks,
        Presence::Absent => return Err(VerifyError::NotReady("there is no Holdfast in this database".into())),
    };
    match checks.into_iter().find(|check| check.outcome == Outcome::Failed) {
        None => Ok(()),
        Some(check) => Err(VerifyError::NotReady(format!(
            "{}: {} (`sync-server validate` tells more)",
            check.name, check.found
        ))),
    }
}

/// How many places of the file SQLite tells of.
const FILE_DAMAGE: &str = "PRAGMA integrity_check(20)";

/// What SQLite says is wrong with its file. PostgreSQL's files are its own matter.
async fn file_damage(session: &mut Session) -> Result<Vec<String>, SessionError> {
    if session.dialect() == Dialect::Postgres {
        return Ok(Vec::new());
    }
    let said = session.rows(FILE_DAMAGE, &[]).await?;
    let said = said.into_iter().flatten().flatten();
    Ok(said.filter(|line| line != "ok").collect())
}

/// True if SQLite cannot read its own file.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// What the fold is held against.
async fn relations(session: &mut Session, report: &mut Report) -> Result<Vec<Relation>, SessionError> {
    let is_hub = "SELECT value FROM sync_meta WHERE key = 'hub_id'";
    if session.dialect() == Dialect::Postgres || session.value(is_hub, &[]).await?.is_none() {
        return Ok(relation::all(session.dialect()));
    }
    let relayed = session
        .value("SELECT CAST(count(*) AS TEXT) FROM sync_relay", &[])
        .await?;
    let relayed = relayed.and_then(|count| count.parse().ok()).unwrap_or(0);
    report.relayed = Some(relayed);
    Ok(relation::of_hub(relayed > 0))
}

/// Folds the log. `None` if it cannot be folded to its end, so that there is nothing to compare with.
///
/// While one page is folded, the signatures of the next are checked and the one after that is read.
async fn fold(
    session: &mut Session,
    mut replay: Replay,
    report: &mut Report,
    meter: &mut Meter<impl FnMut(Progress)>,
) -> Result<Option<Replay>, VerifyError> {
    let devices = Devices::read(session).await?;
    let head = entries::head(session).await?;
    meter.begin(Phase::Fold, head.0);
    let mut page = entries::page(session, Seq(0)).await?;
    let mut signed = Signed::default();
    let mut last = Seq(0);
    while !page.is_empty() || !signed.entries.is_empty() {
        let after = page.last().map(|entry| entry.seq);
        report.entries += page.len() as u64;
        let checking = tokio::task::spawn_blocking({
            let devices = devices.clone();
            move || signed::check(page, last, &devices)
        });
        let folding = tokio::task::spawn_blocking(move || fold_page(replay, &signed.entries));
        page = match after {
            Some(after) => entries::page(session, after).await?,
            None => Vec::new(),
        };
        let (checked, folded) = (joined(checking.await)?, joined(folding.await)?);
        signed = checked;
        last = after.unwrap_or(last);
        report.log(std::mem::take(&mut signed.problems));
        replay = match folded {
            Ok((replay, flaws, folded)) => {
                report.log(flaws);
                meter.add(folded);
                replay
            }
            Err(error) => {
                report.log([(error.seq, error.source.to_string())]);
                return Ok(None);
            }
        };
    }
    if last != head {
        let problem = format!("the stream's head is {head}, and the log ends at {last}");
        report.log([(head.max(last), problem)]);
    }
    Ok(Some(replay))
}

type Folded = (Replay, Vec<(Seq, String)>, u64);

fn fold_page(mut replay: Replay, entries: &[ReplayEntry]) -> Result<Folded, ReplayError> {
    let flaws = replay.fold(entries)?;
    let flaws = flaws.into_iter().map(|(seq, flaw)| (seq, flaw.to_string())).collect();
    Ok((replay, flaws, entries.len() as u64))
}

fn joined<T>(ended: Result<T, tokio::task::JoinError>) -> Result<T, VerifyError> {
    ended.map_err(|e| VerifyError::Thread(e.to_string()))
}
