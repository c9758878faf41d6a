//! Values that only one row may hold, and values that people set without knowing of each other.

use holdfast_core::ids::RowId;
use holdfast_tests::{
    maker::Maker,
    stand::Stand,
    writes::{create, delete, edit},
};
use serde_json::{Value as Json, json};

crate::on_both_stores! {
    a_bed_given_twice_is_the_firsts_in_the_stream_and_a_conflict
    a_patient_in_two_beds_lies_in_the_first_and_the_other_is_a_conflict
    a_number_taken_twice_is_the_firsts_and_the_other_row_stays
    a_number_that_is_given_up_goes_to_who_waits_for_it
    unique_values_can_be_swapped_in_one_transaction
    unique_values_can_go_round_in_a_circle
    a_unique_value_can_be_taken_from_a_row_deleted_in_the_same_transaction
    the_same_review_column_set_twice_is_a_conflict_until_somebody_settles_it
    different_columns_set_at_the_same_time_both_stand
}

const ANNA: u128 = 0xa;
const BERT: u128 = 0xb;
const BED_1: u128 = 1;
const BED_2: u128 = 2;

fn row(n: u128) -> RowId {
    RowId(uuid::Uuid::from_u128(n))
}

fn person(number: &str) -> Json {
    json!({ "patient_number": number, "first_name": "A", "last_name": "B", "date_of_birth": "1980-05-05" })
}

/// A room with two beds, two patients.
async fn ward(stand: &Stand) {
    let room = row(100);
    let bed = |number: &str| json!({ "bed_number": number, "room_id": room.to_string(), "status": "available" });
    let writes = [
        create("rooms", room, &json!({ "room_number": "1" })),
        create("beds", row(BED_1), &bed("1")),
        create("beds", row(BED_2), &bed("2")),
        create("patients", row(ANNA), &person("P-1")),
        create("patients", row(BERT), &person("P-2")),
    ];
    stand.write(&mut Maker::new(50), &writes).await;
}

fn admit(bed: u128, patient: u128) -> holdfast_core::row::RowWrite {
    edit(
        "beds",
        row(bed),
        &json!({ "patient_id": row(patient).to_string(), "status": "occupied" }),
    )
}

/// Two people write without knowing of each other; the first one's transaction comes first into the stream.
async fn at_the_same_time(
    stand: &Stand,
    first: &[holdfast_core::row::RowWrite],
    second: &[holdfast_core::row::RowWrite],
) {
    let (mut anna, mut bert) = (Maker::new(1), Maker::new(2));
    let (seen_1, seen_2) = (
        anna.look(&stand.store, first).await,
        bert.look(&stand.store, second).await,
    );
    let (first, second) = (anna.make_on(&seen_1, first), bert.make_on(&seen_2, second));
    stand.take(first).await;
    stand.take(second).await;
}

async fn a_bed_given_twice_is_the_firsts_in_the_stream_and_a_conflict(stand: Stand) {
    ward(&stand).await;
    at_the_same_time(&stand, &[admit(BED_1, BERT)], &[admit(BED_1, ANNA)]).await;
    let holder = stand.text("SELECT patient_id FROM beds WHERE bed_number = '1'").await;
    assert_eq!(holder, Some(row(BERT).to_string()));
    assert_eq!(stand.conflicts().await, ["claim beds.patient_id 2"]);
}

async fn a_patient_in_two_beds_lies_in_the_first_and_the_other_is_a_conflict(stand: Stand) {
    ward(&stand).await;
    at_the_same_time(&stand, &[admit(BED_2, ANNA)], &[admit(BED_1, ANNA)]).await;
    let beds = stand.texts("SELECT patient_id FROM beds ORDER BY bed_number").await;
    assert_eq!(beds, [None, Some(row(ANNA).to_string())]);
    assert_eq!(stand.conflicts().await, ["claim beds.patient_id 2"]);
}

async fn a_number_taken_twice_is_the_firsts_and_the_other_row_stays(stand: Stand) {
    let (first, second) = (row(1), row(2));
    at_the_same_time(
        &stand,
        &[create("patients", first, &person("P-7"))],
        &[create("patients", second, &person("P-7"))],
    )
    .await;
    let numbers = stand.texts("SELECT patient_number FROM patients ORDER BY id").await;
    assert_eq!(numbers[0].as_deref(), Some("P-7"));
    let other = numbers[1].clone().unwrap_or_default();
    assert!(
        other.starts_with("P-7~"),
        "{}: the second has a mark: {other}",
        stand.name()
    );
    assert_eq!(stand.conflicts().await, ["claim patients.patient_number 2"]);
}

async fn a_number_that_is_given_up_goes_to_who_waits_for_it(stand: Stand) {
    a_number_taken_twice(&stand).await;
    let mut maker = Maker::new(3);
    stand
        .write(
            &mut maker,
            &[edit("patients", row(1), &json!({ "patient_number": "P-8" }))],
        )
        .await;
    let numbers = stand.texts("SELECT patient_number FROM patients ORDER BY id").await;
    assert_eq!(numbers, [Some("P-8".to_owned()), Some("P-7".to_owned())]);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn a_number_taken_twice(stand: &Stand) {
    let first = create("patients", row(1), &person("P-7"));
    let second = create("patients", row(2), &person("P-7"));
    at_the_same_time(stand, &[first], &[second]).await;
}

async fn numbers(stand: &Stand, count: u128) -> Vec<String> {
    let mut maker = Maker::new(9);
    let all: Vec<_> = (1..=count)
        .map(|n| create("patients", row(n), &person(&format!("P-{n}"))))
        .collect();
    stand.write(&mut maker, &all).await;
    let round: Vec<_> = (1..=count)
        .map(|n| {
            edit(
                "patients",
                row(n),
                &json!({ "patient_number": format!("P-{}", n % count + 1) }),
            )
        })
        .collect();
    stand.write(&mut maker, &round).await;
    let found = stand.texts("SELECT patient_number FROM patients ORDER BY id").await;
    found.into_iter().flatten().collect()
}

async fn unique_values_can_be_swapped_in_one_transaction(stand: Stand) {
    assert_eq!(numbers(&stand, 2).await, ["P-2", "P-1"]);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn unique_values_can_go_round_in_a_circle(stand: Stand) {
    assert_eq!(numbers(&stand, 5).await, ["P-2", "P-3", "P-4", "P-5", "P-1"]);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn a_unique_value_can_be_taken_from_a_row_deleted_in_the_same_transaction(stand: Stand) {
    let mut maker = Maker::new(9);
    stand
        .write(&mut maker, &[create("patients", row(1), &person("P-1"))])
        .await;
    let writes = [delete("patients", row(1)), create("patients", row(2), &person("P-1"))];
    stand.write(&mut maker, &writes).await;
    let found = stand.texts("SELECT patient_number FROM patients").await;
    assert_eq!(found, [Some("P-1".to_owned())]);
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}

async fn the_same_review_column_set_twice_is_a_conflict_until_somebody_settles_it(stand: Stand) {
    ward(&stand).await;
    let blood = |blood: &str| edit("patients", row(ANNA), &json!({ "blood_type": blood }));
    at_the_same_time(&stand, &[blood("A+")], &[blood("0-")]).await;
    assert_eq!(stand.conflicts().await, ["concurrent patients.blood_type 2"]);
    stand.write(&mut Maker::new(3), &[blood("A-")]).await;
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
    let sql = "SELECT blood_type FROM patients WHERE patient_number = 'P-1'";
    assert_eq!(stand.text(sql).await.as_deref(), Some("A-"));
}

async fn different_columns_set_at_the_same_time_both_stand(stand: Stand) {
    ward(&stand).await;
    let phone = edit("patients", row(ANNA), &json!({ "phone": "123" }));
    let email = edit("patients", row(ANNA), &json!({ "email": "a@example.org" }));
    at_the_same_time(&stand, &[phone], &[email]).await;
    let sql = "SELECT phone || ' ' || email FROM patients WHERE patient_number = 'P-1'";
    assert_eq!(stand.text(sql).await.as_deref(), Some("123 a@example.org"));
    assert_eq!(stand.conflicts().await, Vec::<String>::new());
}
