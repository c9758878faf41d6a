//! What an import tells people.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use holdfast_server::import::{Incident, Kind, Listener, Reporter, TableSummary};

fn incident(kind: Kind, column: Option<&str>, key: &str, reason: &str) -> Incident {
    Incident {
        kind,
        table: "beds".into(),
        key: key.into(),
        column: column.map(str::to_owned),
        reason: reason.into(),
    }
}

fn report(file: Option<&std::path::Path>) -> String {
    let mut terminal = Vec::new();
    let mut reporter = Reporter::new(&mut terminal, file).unwrap();
    reporter.incident(&incident(Kind::Refused, Some("room_id"), "7", "refers to nothing"));
    reporter.incident(&incident(Kind::Warning, Some("status"), "8", "blocked; kept"));
    reporter.incident(&incident(Kind::Warning, Some("status"), "9", "blocked; kept"));
    let summary = TableSummary {
        table: "beds",
        read: 3,
        imported: 2,
        refused: 1,
        warnings: 2,
        ..TableSummary::default()
    };
    reporter.table(&summary);
    reporter.finish(&[summary]).unwrap();
    String::from_utf8(terminal).unwrap()
}

#[test]
fn refused_rows_stand_alone_and_warnings_are_counted() {
    let told = report(None);
    assert!(
        told.contains("refused  beds.room_id [7]: refers to nothing\n"),
        "{told}"
    );
    assert!(
        told.contains("warning  beds.status: blocked; kept (2 times)\n"),
        "{told}"
    );
    assert!(
        told.contains("beds          3         2         0         0         1         2\n"),
        "{told}"
    );
}

#[test]
fn every_incident_stands_in_the_file() {
    let folder = std::env::temp_dir().join(format!("holdfast_report_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    report(Some(&folder.join("report.csv")));
    let csv = std::fs::read_to_string(folder.join("report.csv")).unwrap();
    assert_eq!(csv.lines().next(), Some("kind,table,key,column,reason"));
    assert_eq!(csv.lines().nth(1), Some("refused,beds,7,room_id,refers to nothing"));
    report(Some(&folder.join("report.jsonl")));
    let json = std::fs::read_to_string(folder.join("report.jsonl")).unwrap();
    assert_eq!((json.lines().count(), csv.lines().count()), (3, 4));
    assert!(json.starts_with("{\"kind\":\"refused\",\"table\":\"beds\""), "{json}");
    std::fs::remove_dir_all(&folder).unwrap();
}
