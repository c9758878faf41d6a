//! `wire`: bytes that go over the network, beside gzip of the same values as JSON.

use serde_json::{Value as Json, json};

use super::{
    Plan,
    counter::Counter,
    load::{close, load},
    report::{Report, Sample},
    rows::{Made, Rows, TABLES, edited},
    sender::{Connection, Signer, pushes},
};
use crate::{
    hospital::Hospital,
    http::pack,
    postgres::block_on,
    server::{Kind, Server},
};
use holdfast_server::store::Store;

/// How many rows and edits unless told otherwise.
const ROWS: usize = 10_000;

const JSON: &str = "gzip of the same values as JSON, no heads of requests";

/// Measures.
pub fn measure(plan: &Plan) -> Report {
    let count = plan.rows.unwrap_or(ROWS);
    let mut report = Report::new(format!(
        "{count} rows; both ways, with the heads of HTTP requests and answers, gzip as browsers use it. An edit carries its \
         signature, the hash of its change, who, where and when; JSON here carries id, column and value"
    ));
    let on_disk = tempfile::tempdir().expect("a temporary folder");
    let mut hospital = Hospital::open_on(Server::prepare_in(Kind::Postgres, on_disk));
    let made = load(&hospital.server, Rows::new(0, 1).take(count));
    let counter = Counter::before(&hospital.server.address());
    let signer = Signer::on_new_device();
    let connection = Connection::open(&counter.address(), signer.device_key());

    let bytes = edit(&hospital, &counter, &connection, &signer, &made[..1]);
    report.add(Sample::new("a one-column edit, pushed alone", "B", bytes).beside(JSON, packed(&edits(&made[..1]))));
    let bytes = edit(&hospital, &counter, &connection, &signer, &made);
    let each = |bytes: f64| bytes / made.len() as f64;
    let what = format!("each of {count} one-column edits, pushed 200 at a time");
    report.add(Sample::new(what, "B", each(bytes)).beside(JSON, each(packed(&edits(&made)))));

    let before = counter.bytes();
    let mut newcomer = hospital.new_device();
    newcomer.server = counter.address();
    newcomer
        .sign_in("ada", crate::hospital::PASSWORD)
        .expect("the administrator can sign in");
    newcomer.sync();
    let copied = (counter.bytes() - before) as f64;
    let rows = |table: &str| {
        Json::from_iter([(
            table.to_owned(),
            json!(newcomer.rows(&format!("SELECT * FROM {table}"))),
        )])
    };
    let rows: Vec<Json> = TABLES.map(rows).into();
    let sample = Sample::new("each row of a snapshot for a new device", "B", each(copied));
    report.add(sample.beside(JSON, each(packed(&json!(rows)))));
    report.explain(
        "each row of a snapshot for a new device",
        "all that its first sync takes, by the rows",
    );
    report
}

/// Pushes an edit of each row. Returns the bytes that it took.
fn edit(hospital: &Hospital, counter: &Counter, connection: &Connection, signer: &Signer, made: &[Made]) -> f64 {
    let edits: Vec<_> = made
        .iter()
        .enumerate()
        .map(|(round, made)| made.edit(round + made_up(made)))
        .collect();
    let transactions = block_on(async {
        let store = Store::open(&hospital.server.location()).await.expect("the store opens");
        let transactions = signer.edit(&store, &edits).await;
        close(store).await;
        transactions
    });
    let requests = pushes(transactions);
    let before = counter.bytes();
    connection.push_all(&requests);
    (counter.bytes() - before) as f64
}

/// A number of the row's own, so that values differ as they do in life.
fn made_up(made: &Made) -> usize {
    made.row.0.as_u128() as usize % 1_000_000
}

/// The same edits as somebody would write them in JSON.
fn edits(made: &[Made]) -> Json {
    let edit = |(round, made): (usize, &Made)| {
        let values = edited(made.table, round + made_up(made));
        json!({ "table": made.table, "id": made.row.0.to_string(), "set": values })
    };
    made.iter().enumerate().map(edit).collect()
}

fn packed(json: &Json) -> f64 {
    pack(json.to_string().as_bytes()).len() as f64
}
