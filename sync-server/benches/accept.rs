//! How fast new patients are taken in: `cargo bench -p holdfast-server --bench accept`.
//!
//! PostgreSQL is where `HOLDFAST_TEST_POSTGRES` says; without it only SQLite is measured. Transactions are made first, then
//! read and verified, then accepted in batches, each timed for itself.

use std::{error::Error, time::Instant};

use ed25519_dalek::SigningKey;
use holdfast_core::{
    author::{AuthorError, Header, Identity, author},
    document::{Actor, Document},
    ids::{DeviceId, RowId, TransactionId, UserId},
    ingest::WorkingSet,
    policy::Role,
    protocol::PushOutcome,
    row::{RowAction, RowWrite},
    schema::Schema,
    transaction::{DeviceKey, Transaction, prepare},
    value::Value,
};
use holdfast_server::store::{Location, Store, Submission, now, random};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

const ROWS: u32 = 20_000;

/// As many threads as a server verifies a push on.
const THREADS: usize = 2;

/// As many as a device pushes at once, and as many as go into one database transaction.
const BATCHES: [usize; 2] = [200, 2_000];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure())
}

async fn measure() -> Result<()> {
    for batch in BATCHES {
        let folder = tempfile::tempdir()?;
        run("SQLite", &Location::Folder(folder.path().to_owned()), batch).await?;
        if let Ok(server) = std::env::var("HOLDFAST_TEST_POSTGRES") {
            let name = format!("bench_{}_{batch}", std::process::id());
            let mut connection = PgConnection::connect(&server).await?;
            execute(&mut connection, format!("CREATE DATABASE {name}")).await?;
            let url = server.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            let done = run("PostgreSQL", &Location::Database(format!("{url}/{name}")), batch).await;
            execute(&mut connection, format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            done?;
        }
    }
    Ok(())
}

async fn execute(connection: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

async fn run(name: &str, location: &Location, batch: usize) -> Result<()> {
    let store = Store::open(location).await?;
    let key = SigningKey::from_bytes(&random::bytes());
    let made: Vec<Transaction> = (0..ROWS).map(|number| patient(number, &key)).collect();

    let begun = Instant::now();
    let key_read = DeviceKey::new(&key.verifying_key().to_bytes());
    let mut submissions = Vec::with_capacity(ROWS as usize);
    let opened = prepare(&made, THREADS, |transaction| {
        let body = transaction.body()?;
        transaction.verify(&body, &key_read)?;
        transaction.open_with(body)
    });
    for (transaction, opened) in made.into_iter().zip(opened) {
        submissions.push(Submission {
            opened: opened?,
            transaction,
            role: Role::Nurse,
            import: false,
            objection: None,
        });
    }
    let verified = begun.elapsed();

    let begun = Instant::now();
    for some in submissions.chunks(batch) {
        for outcome in store.accept(some.to_vec(), now()).await? {
            if let PushOutcome::Rejected { reason, .. } = outcome {
                return Err(reason.into());
            }
        }
    }
    let accepted = begun.elapsed();
    println!(
        "{name:10}  batches of {batch:5}  read and verified on {THREADS} threads {:7.0} rows/s  accepted {:7.0} rows/s",
        f64::from(ROWS) / verified.as_secs_f64(),
        f64::from(ROWS) / accepted.as_secs_f64(),
    );
    Ok(())
}

/// A new patient with the columns that a reception fills in.
fn patient(number: u32, key: &SigningKey) -> Transaction {
    let table = Schema::hospital().expect("patients");
    let row = RowId(random::new_id());
    let values = [
        ("id", Value::Uuid(row.0)),
        ("patient_number", format!("B-{number:07}").into()),
        ("first_name", "Annegret".into()),
        ("last_name", format!("Klein-{number}").into()),
        ("date_of_birth", "1961-07-14".into()),
        ("gender", "female".into()),
        ("phone", "+49 30 1234567".into()),
        ("email", format!("p{number}@example.org").into()),
        ("address", "Lange Straße 12, 10243 Berlin".into()),
        ("emergency_contact_name", "Bert Klein".into()),
        ("emergency_contact_phone", "+49 30 7654321".into()),
        ("blood_type", "A+".into()),
        ("allergies", "penicillin".into()),
        ("medical_history", "Appendectomy 1999; hypertension since 2015.".into()),
        ("created_at", Value::Timestamp(now())),
    ];
    let write = RowWrite {
        table: table.id,
        row,
        action: RowAction::Create(values.map(|(name, value)| (table.expect(name).id, value)).to_vec()),
    };
    let device = DeviceId::of_public_key(&key.verifying_key().to_bytes());
    let identity = Identity {
        user: UserId(random::new_id()),
        key: key.clone(),
        actor: Actor::new(device, 1),
    };
    let mut set = WorkingSet::default();
    loop {
        let header = Header {
            id: TransactionId(random::new_id()),
            time: now(),
            offline: true,
            command: "createRow".to_owned(),
            entropy: random::bytes(),
        };
        match author(&set, std::slice::from_ref(&write), header, &identity) {
            Ok((transaction, _)) => return transaction,
            Err(AuthorError::Needs(needs)) => {
                for document in needs.documents {
                    set.provide_document(document, Document::default());
                }
            }
            Err(other) => panic!("BUG: a new patient can be made: {other:?}"),
        }
    }
}
