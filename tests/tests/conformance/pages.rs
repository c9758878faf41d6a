//! What a store gives out: the stream after a cursor, and the snapshot, page by page.

use std::collections::BTreeMap;

use holdfast_core::schema::Schema;
use holdfast_core::{
    document::{DocumentId, Facet},
    ids::Seq,
    policy::Role,
};
use holdfast_tests::{
    maker::Maker,
    sample::{Filling, Sample},
    stand::Stand,
    writes::create,
};
use serde_json::json;

crate::on_both_stores! {
    a_pull_begins_after_the_cursor_and_ends_at_the_limit
    a_pull_is_no_larger_than_asked_but_always_brings_something
    a_pull_beyond_the_end_is_empty_and_tells_the_head
    a_snapshot_has_every_document_once_however_small_the_pages
    a_snapshot_brings_referenced_tables_first
    a_snapshot_keeps_restricted_columns_from_those_who_may_not_see_them
    a_snapshot_token_of_nobody_is_refused
}

async fn fill(stand: &Stand, count: usize) {
    let mut maker = Maker::new(2);
    for n in 0..count {
        let row = maker.row();
        let write = create("departments", row, &json!({ "name": format!("Ward {n}") }));
        stand.write(&mut maker, &[write]).await;
    }
}

async fn fill_all_tables(stand: &Stand) {
    let (mut maker, sample) = (Maker::new(1), Sample::new(1));
    for id in &Schema::hospital().insert_order {
        let table = Schema::hospital().by_id(*id);
        stand
            .write(&mut maker, &[sample.create(table, Filling::Ordinary)])
            .await;
    }
}

async fn a_pull_begins_after_the_cursor_and_ends_at_the_limit(stand: Stand) {
    fill(&stand, 10).await;
    for (after, limit, expected) in [
        (0, 3, vec![1, 2, 3]),
        (3, 3, vec![4, 5, 6]),
        (8, 100, vec![9, 10]),
        (9, 1, vec![10]),
    ] {
        let page = stand.store.pull(Seq(after), limit, 1 << 20).await.unwrap();
        let seqs: Vec<u64> = page.entries.iter().map(|e| e.seq.0).collect();
        assert_eq!(
            (seqs, page.head),
            (expected, Seq(10)),
            "{}: after {after}",
            stand.name()
        );
    }
}

async fn a_pull_is_no_larger_than_asked_but_always_brings_something(stand: Stand) {
    fill(&stand, 6).await;
    let one = stand.store.pull(Seq(0), 100, 1).await.unwrap();
    assert_eq!(one.entries.len(), 1);
    let few = stand.store.pull(Seq(0), 100, 1_200).await.unwrap();
    assert!(
        (2..6).contains(&few.entries.len()),
        "{} entries in 1200 bytes",
        few.entries.len()
    );
}

async fn a_pull_beyond_the_end_is_empty_and_tells_the_head(stand: Stand) {
    fill(&stand, 2).await;
    for after in [2, 3, u64::MAX] {
        let page = stand.store.pull(Seq(after), 10, 1 << 20).await.unwrap();
        assert!(page.entries.is_empty());
        assert_eq!(page.head, Seq(2));
    }
}

/// All pages: documents with their states, in the order they came, and what the first page said.
async fn snapshot(stand: &Stand, limit: usize, role: Role) -> (Vec<(DocumentId, Vec<u8>)>, u64) {
    let (mut all, mut after, mut total) = (Vec::new(), None, None);
    loop {
        let page = stand.store.snapshot(after, limit, role).await.unwrap();
        let page = page.expect("the token of the page before is known");
        assert!(page.documents.len() <= limit, "{}: a page is too long", stand.name());
        total.get_or_insert(page.total);
        all.extend(page.documents.into_iter().map(|d| (d.id, d.state.to_vec())));
        match page.next {
            Some(next) => after = Some(next),
            None => return (all, total.unwrap_or(0)),
        }
    }
}

async fn a_snapshot_has_every_document_once_however_small_the_pages(stand: Stand) {
    fill_all_tables(&stand).await;
    fill(&stand, 20).await;
    let (whole, total) = snapshot(&stand, 10_000, Role::Admin).await;
    // One document for each row, a second one for the salary of staff.
    assert_eq!((whole.len(), total), (33 + 1 + 20, 33 + 1 + 20), "{}", stand.name());
    let by_id: BTreeMap<_, _> = whole.iter().cloned().collect();
    assert_eq!(by_id.len(), whole.len(), "a document comes twice");
    for limit in [1, 7, 54] {
        assert_eq!(snapshot(&stand, limit, Role::Admin).await.0, whole, "pages of {limit}");
    }
}

async fn a_snapshot_brings_referenced_tables_first(stand: Stand) {
    fill_all_tables(&stand).await;
    let (documents, _) = snapshot(&stand, 5, Role::Admin).await;
    let place = |table| documents.iter().position(|(id, _)| id.table == table);
    for table in &Schema::hospital().tables {
        for target in table.columns.iter().filter_map(|c| c.references) {
            assert!(place(target) <= place(table.id), "{} comes too early", table.name);
        }
    }
}

async fn a_snapshot_keeps_restricted_columns_from_those_who_may_not_see_them(stand: Stand) {
    fill_all_tables(&stand).await;
    for (role, salaries) in [
        (Role::Admin, 1),
        (Role::Manager, 1),
        (Role::Nurse, 0),
        (Role::Doctor, 0),
        (Role::Cleaner, 0),
    ] {
        let (documents, total) = snapshot(&stand, 8, role).await;
        let restricted = documents.iter().filter(|(id, _)| id.facet == Facet::Restricted).count();
        assert_eq!(restricted, salaries, "{}: {role:?}", stand.name());
        assert_eq!(
            total,
            documents.len() as u64,
            "{}: {role:?} is told how many",
            stand.name()
        );
    }
}

async fn a_snapshot_token_of_nobody_is_refused(stand: Stand) {
    fill(&stand, 3).await;
    for token in ["", "x", "999:zz:1", "-1.00", "0.0", "99999999999999999999", "1:2:3:4"] {
        let page = stand
            .store
            .snapshot(Some(token.to_owned()), 10, Role::Admin)
            .await
            .unwrap();
        assert!(page.is_none(), "{}: takes the token {token:?}", stand.name());
    }
}
