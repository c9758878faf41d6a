//! Deleting hides a row. What others do with it meanwhile is not lost, and no reference ever leads nowhere.

use holdfast_core::ids::RowId;
use holdfast_tests::{
    maker::Maker,
    stand::Stand,
    writes::{create, delete, edit},
};
use serde_json::json;

crate::on_both_stores! {
    a_row_deleted_here_and_edited_there_is_kept_and_a_conflict
    an_edit_that_came_first_survives_a_delete_that_did_not_know_of_it
    a_deleted_row_that_others_refer_to_comes_back_as_a_conflict
    a_row_is_deleted_late_in_the_batch_that_brings_a_reference_to_it
    a_deleted_row_comes_back_with_a_reference_to_it_and_goes_with_it
    rows_that_refer_to_each_other_go_together
    a_deleted_row_can_be_written_again
}

fn row(n: u128) -> RowId {
    RowId(uuid::Uuid::from_u128(n))
}

fn room(department: u128) -> serde_json::Value {
    json!({ "room_number": "1", "department_id": row(department).to_string() })
}

async fn department(stand: &Stand) -> Maker {
    let mut maker = Maker::new(1);
    stand
        .write(
            &mut maker,
            &[create("departments", row(1), &json!({ "name": "Surgery" }))],
        )
        .await;
    maker
}

async fn edited_and_deleted(stand: &Stand, delete_first: bool) {
    let mut anna = department(stand).await;
    let mut bert = Maker::new(2);
    let edits = [edit("departments", row(1), &json!({ "phone": "123" }))];
    let deletes = [delete("departments", row(1))];
    let seen = anna.look(&stand.store, &edits).await;
    let (edits, deletes) = (anna.make_on(&seen, &edits), bert.make_on(&seen, &deletes));
    let (first, second) = if delete_first {
        (deletes, edits)
    } else {
        (edits, deletes)
    };
    stand.take(first).await;
    stand.take(second).await;
    assert_eq!(
        stand.text("SELECT phone FROM departments").await.as_deref(),
        Some("123")
    );
    assert_eq!(stand.conflicts().await, ["deleted departments.* 2"], "{}", stand.name());
}

async fn a_row_deleted_here_and_edited_there_is_kept_and_a_conflict(stand: Stand) {
    edited_and_deleted(&stand, true).await;
}

async fn an_edit_that_came_first_survives_a_delete_that_did_not_know_of_it(stand: Stand) {
    edited_and_deleted(&stand, false).await;
}

async fn a_deleted_row_that_others_refer_to_comes_back_as_a_conflict(stand: Stand) {
    let mut maker = department(&stand).await;
    stand.write(&mut maker, &[create("rooms", row(2), &room(1))]).await;
    stand.write(&mut maker, &[delete("departments", row(1))]).await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 1);
    assert_eq!(stand.conflicts().await, ["deleted departments.* 2"]);
    // Nobody refers to it any more: now it goes.
    stand
        .write(&mut maker, &[edit("rooms", row(2), &json!({ "department_id": null }))])
        .await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 0);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn a_row_is_deleted_late_in_the_batch_that_brings_a_reference_to_it(stand: Stand) {
    let mut maker = department(&stand).await;
    let mut other = Maker::new(2);
    let deletes = [delete("departments", row(1))];
    let seen = other.look(&stand.store, &deletes).await;
    let deletion = other.make_on(&seen, &deletes);
    let mut batch = Vec::new();
    for n in 2..1_000 {
        let mut room = room(1);
        room["room_number"] = json!(n.to_string());
        if n > 2 {
            room["department_id"] = json!(null);
        }
        batch.push(maker.make(&stand.store, &[create("rooms", row(n), &room)]).await);
    }
    batch.push(deletion);
    stand.accept(batch).await;
    assert_eq!(stand.store.count("rooms").await.unwrap(), 998, "{}", stand.name());
    assert_eq!(stand.store.count("departments").await.unwrap(), 1);
    assert_eq!(stand.conflicts().await, ["deleted departments.* 2"]);
}

async fn a_deleted_row_comes_back_with_a_reference_to_it_and_goes_with_it(stand: Stand) {
    let mut maker = department(&stand).await;
    let mut other = Maker::new(2);
    let late = [create("rooms", row(2), &room(1))];
    let seen = other.look(&stand.store, &late).await;
    stand.write(&mut maker, &[delete("departments", row(1))]).await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 0);
    stand.take(other.make_on(&seen, &late)).await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 1);
    assert_eq!(stand.conflicts().await, ["deleted departments.* 2"]);
    stand.write(&mut other, &[delete("rooms", row(2))]).await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 0);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn rows_that_refer_to_each_other_go_together(stand: Stand) {
    let mut maker = department(&stand).await;
    stand.write(&mut maker, &[create("rooms", row(2), &room(1))]).await;
    stand
        .write(&mut maker, &[delete("departments", row(1)), delete("rooms", row(2))])
        .await;
    assert_eq!(stand.store.count("departments").await.unwrap(), 0);
    assert_eq!(stand.store.count("rooms").await.unwrap(), 0);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn a_deleted_row_can_be_written_again(stand: Stand) {
    let mut maker = department(&stand).await;
    stand.write(&mut maker, &[delete("departments", row(1))]).await;
    stand
        .write(&mut maker, &[edit("departments", row(1), &json!({ "phone": "9" }))])
        .await;
    let sql = "SELECT name || ' ' || phone FROM departments";
    let found = stand.texts(sql).await;
    assert_eq!(
        found,
        [Some("Surgery 9".to_owned())],
        "{}: writing to a row revives it",
        stand.name()
    );
}
