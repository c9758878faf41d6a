//! Supplies and their movements: a stock is the sum of what came in, went out and was counted anew.

use fake::faker::company::en::CompanyName;
use holdfast_core::{
    ids::{RowId, Timestamp},
    value::Value,
};

use super::{
    dice::DAY,
    places::OPENED,
    record::{date, money},
    vocabulary::SUPPLIES,
    world::World,
};

/// How far back movements go.
const BACK: i64 = 180 * DAY;

/// What the movements of one item have come to.
struct Item {
    id: RowId,
    cost: i64,
    least: i64,
    most: i64,
    stock: i64,
}

/// A category with its items.
pub(super) fn make(world: &mut World, unit: usize) {
    let (name, description, items) = SUPPLIES[unit];
    let created = world.dice.ago(OPENED - 30 * DAY, OPENED);
    let category = world.row(
        "supply_categories",
        created,
        vec![("name", name.into()), ("description", description.into())],
    );
    let supplier: String = world.dice.fake(&CompanyName());
    for (at, (name, unit_of_measure, cost, per_100_beds)) in items.iter().enumerate() {
        let least = (world.size.beds as i64 * per_100_beds / 100).max(5);
        let created = world.dice.ago(200 * DAY, OPENED);
        let mut item = Item {
            id: world.dice.id(created),
            cost: *cost,
            least,
            most: least * 5,
            stock: 0,
        };
        let movements = plan(world, &mut item);
        let expires = world.dice.between(30 * DAY, 900 * DAY);
        let values = vec![
            (
                "item_code",
                format!("S{}{:02}{:02}", world.series, unit + 1, at + 1).into(),
            ),
            ("name", (*name).into()),
            ("category_id", category.into()),
            ("description", format!("{name}, one {unit_of_measure}").into()),
            ("unit_of_measure", (*unit_of_measure).into()),
            ("minimum_stock_level", item.least.into()),
            ("maximum_stock_level", item.most.into()),
            ("current_stock", item.stock.into()),
            ("unit_cost", money(item.cost)),
            ("supplier", supplier.as_str().into()),
            ("expiry_date", date(Timestamp(world.now().0 + expires))),
            ("location", format!("Store {}, shelf {}", unit + 1, at + 1).into()),
        ];
        world.row_with("supplies", item.id, created, values);
        for (kind, quantity, time) in movements {
            movement(world, &item, kind, quantity, time);
        }
    }
}

/// Deliveries when little is left, withdrawals, now and then a count; in the order of time.
fn plan(world: &mut World, item: &mut Item) -> Vec<(&'static str, i64, Timestamp)> {
    let number = (world.size.patients / 140).clamp(6, 2_000) as i64;
    let step = BACK / (number + 1);
    let mut movements = Vec::new();
    for at in 0..number {
        let time = Timestamp(world.now().0 - BACK + at * step);
        let time = world.dice.after(time, 0, step);
        let (kind, quantity) = match item.stock {
            _ if at == 0 => ("in", item.most * 4 / 5),
            stock if stock < item.least && world.dice.chance(70) => ("in", item.most - stock),
            stock if stock > 4 && world.dice.chance(4) => ("adjustment", -world.dice.between(1, 3)),
            stock => ("out", world.dice.between(1, (item.most / 8).max(1)).min(stock)),
        };
        if quantity != 0 {
            item.stock += if kind == "out" { -quantity } else { quantity };
            movements.push((kind, quantity, time));
        }
    }
    movements
}

fn movement(world: &mut World, item: &Item, kind: &'static str, quantity: i64, time: Timestamp) {
    let (role, reference) = match kind {
        "in" => (
            "receptionist",
            Some(format!("DN-{}", world.dice.between(10_000, 99_999))),
        ),
        _ => ("nurse", None),
    };
    let by = world.anyone(role);
    let total = item.cost * quantity;
    let sign = if total < 0 { "-" } else { "" };
    let Value::Text(size) = money(total.abs()) else { return };
    let values = vec![
        ("supply_id", item.id.into()),
        ("transaction_type", kind.into()),
        ("quantity", quantity.into()),
        ("unit_cost", money(item.cost)),
        ("total_cost", format!("{sign}{size}").into()),
        ("reference_number", reference.into()),
        ("notes", (kind == "adjustment").then_some("Counted").into()),
        ("performed_by", world.members[by].user.into()),
        ("transaction_date", time.into()),
    ];
    world.row("inventory_transactions", time, values);
}
