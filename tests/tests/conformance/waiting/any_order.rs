//! Whatever the order of arrival, the rows are the same in the end.

use holdfast_core::{ids::RowId, row::RowWrite};
use holdfast_tests::{
    contents::{assert_same, replicated},
    dice::Dice,
    maker::Maker,
    stand::Stand,
    writes::{create, edit},
};
use serde_json::json;

use super::{Elsewhere, seq, waiting};

crate::on_both_stores! {
    any_order_of_arrival_gives_the_same_rows
}

/// Three devices, whose transactions build on one another's and refer to one another's rows, arrive in any order, some of
/// them twice.
async fn any_order_of_arrival_gives_the_same_rows(mut stand: Stand) {
    const STEPS: usize = 60;
    for seed in [1, 2, 3] {
        let mut dice = Dice::new(seed);
        let mut elsewhere = Elsewhere::new().await;
        let mut makers: Vec<Maker> = (0..3).map(|n| Maker::new(seed * 100 + n)).collect();
        let (mut rows, mut rooms) = (Vec::new(), Vec::new());
        for n in 0..STEPS {
            let maker = dice.below(makers.len());
            if rows.len() < 4 {
                rows.push(makers[maker].row());
                let write = create(
                    "departments",
                    rows[rows.len() - 1],
                    &json!({ "name": format!("{seed} {n}") }),
                );
                elsewhere.write(&mut makers[maker], write).await;
                continue;
            }
            if dice.once_in(3) {
                let write = room(&mut makers[maker], &mut rooms, &rows, &mut dice);
                elsewhere.write(&mut makers[maker], write).await;
                continue;
            }
            let write = edit("departments", *dice.pick(&rows), &changed(&mut dice));
            // Sometimes two write at the same time.
            let other = (maker + 1 + dice.below(2)) % 3;
            let seen = makers[other]
                .look(&elsewhere.stand.store, std::slice::from_ref(&write))
                .await;
            elsewhere.write(&mut makers[maker], write.clone()).await;
            if dice.once_in(3) {
                let RowWrite { row, .. } = write;
                let write = edit("departments", row, &changed(&mut dice));
                let concurrent = makers[other].make_on(&seen, &[write]);
                elsewhere.stand.take(concurrent.clone()).await;
                elsewhere.made.push(concurrent);
            }
        }
        let mut arrivals = elsewhere.made.clone();
        for _ in 0..STEPS / 4 {
            arrivals.push(dice.pick(&elsewhere.made).clone());
        }
        shuffle(&mut arrivals, &mut dice);
        let mut waited = 0;
        while !arrivals.is_empty() {
            let batch = arrivals.split_off(arrivals.len() - (1 + dice.below(5)).min(arrivals.len()));
            stand.accept(batch).await;
            waited = waited.max(waiting(&stand).await);
        }
        assert!(waited > 5, "seed {seed}: only {waited} ever waited");
        assert_eq!(waiting(&stand).await, 0, "seed {seed}");
        let outcomes = stand.accept(elsewhere.made.clone()).await;
        let mut seqs: Vec<u64> = outcomes.iter().map(seq).collect();
        seqs.sort_unstable();
        assert_eq!(
            seqs,
            (1..=elsewhere.made.len() as u64).collect::<Vec<_>>(),
            "seed {seed}"
        );
        let (there, here) = (
            elsewhere.stand.contents(replicated).await,
            stand.contents(replicated).await,
        );
        assert_same(
            "in causal order",
            &there,
            &format!("{}, seed {seed}", stand.name()),
            &here,
        );
        stand = if stand.name() == "SQLite" {
            Stand::sqlite().await
        } else {
            Stand::postgres().await
        };
    }
}

/// A new room in one of these departments, or one that is moved to it.
fn room(maker: &mut Maker, rooms: &mut Vec<RowId>, departments: &[RowId], dice: &mut Dice) -> RowWrite {
    let department = dice.pick(departments).to_string();
    if !rooms.is_empty() && dice.once_in(2) {
        return edit("rooms", *dice.pick(rooms), &json!({ "department_id": department }));
    }
    rooms.push(maker.row());
    let values = json!({ "room_number": rooms.len().to_string(), "department_id": department });
    create("rooms", rooms[rooms.len() - 1], &values)
}

fn changed(dice: &mut Dice) -> serde_json::Value {
    let column = *dice.pick(&["phone", "description", "email"]);
    json!({ column: format!("w{}", dice.below(9)) })
}

/// Fisher and Yates.
fn shuffle<T>(all: &mut [T], dice: &mut Dice) {
    for end in (1..all.len()).rev() {
        all.swap(end, dice.below(end + 1));
    }
}
