//! The demo hospital in both stores.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use holdfast_server::{
    demo::{self, DemoError, Options, Size},
    sign_in::password,
    store::{Location, Store},
    validate::{Outcome, validate},
};
use support::{Database, Folder, block_on};

const OPTIONS: Options = Options {
    size: Size {
        beds: 40,
        patients: 150,
    },
    seed: 7,
    add: false,
};

async fn rows(store: &Store) -> Vec<(&'static str, u64)> {
    let mut out = Vec::new();
    for table in &holdfast_core::schema::Schema::hospital().tables {
        out.push((table.name, store.count(table.name).await.unwrap()));
    }
    out
}

async fn a_demo_hospital_fills_all_tables_and_passes_the_check(location: &Location) {
    let store = Store::open(location).await.unwrap();
    let filled = demo::fill(&store, OPTIONS, |_| ()).await.unwrap();
    let counts = rows(&store).await;
    assert!(counts.iter().all(|(_, rows)| *rows > 0), "{counts:?}");
    assert_eq!(
        counts.iter().map(|(_, rows)| *rows as usize).sum::<usize>(),
        filled.rows
    );

    assert_eq!(filled.sign_ins.len(), 7);
    for (name, role) in &filled.sign_ins {
        assert_eq!(name, role);
        let account = store.account_by_username(name).await.unwrap().unwrap();
        assert_eq!(&account.role, role);
        assert!(password::verify(demo::PASSWORD, account.password_hash.as_deref()));
    }
    let report = validate(location).await;
    assert!(report.passed(), "{}", report.to_table());
    assert!(
        report.checks.iter().all(|check| check.outcome == Outcome::Passed),
        "{}",
        report.to_table()
    );

    let again = demo::fill(&store, OPTIONS, |_| ()).await;
    assert!(matches!(again, Err(DemoError::NotEmpty(_))), "{again:?}");
    assert_eq!(rows(&store).await, counts, "a refusal changes nothing");

    let added = demo::fill(&store, Options { add: true, ..OPTIONS }, |_| ())
        .await
        .unwrap();
    assert!(
        added
            .sign_ins
            .iter()
            .all(|(name, role)| name.starts_with(&format!("{role}-"))),
        "{added:?}"
    );
    let report = validate(location).await;
    assert!(report.passed(), "{}", report.to_table());
}

#[test]
fn a_demo_hospital_fills_all_tables_and_passes_the_check_on_sqlite() {
    let folder = Folder::create();
    block_on(a_demo_hospital_fills_all_tables_and_passes_the_check(
        &folder.location(),
    ));
}

#[test]
fn a_demo_hospital_fills_all_tables_and_passes_the_check_on_postgres() {
    let database = Database::create();
    block_on(a_demo_hospital_fills_all_tables_and_passes_the_check(
        &database.location(),
    ));
}

#[test]
fn a_hospital_too_small_for_all_tables_is_refused() {
    let folder = Folder::create();
    let result = block_on(async {
        let store = Store::open(&folder.location()).await.unwrap();
        let size = Size { beds: 3, patients: 5 };
        demo::fill(&store, Options { size, ..OPTIONS }, |_| ()).await
    });
    assert!(matches!(result, Err(DemoError::TooSmall)), "{result:?}");
}
