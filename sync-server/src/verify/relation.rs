//! What follows from the log and is compared: the 33 tables and the engine's own, each as rows of texts in the order of their
//! keys, read alike from the fold and from either database.

use holdfast_core::{
    document::Document,
    schema::{Column, Merge, Schema, SqlType, Table},
};
use rusqlite::Connection;

use crate::{hex, validate::session::Dialect};

/// Rows to compare.
#[derive(Debug)]
pub struct Relation {
    /// Its name in reports.
    pub name: &'static str,
    /// Its columns, those of the key first.
    pub columns: Vec<&'static str>,
    /// How many of them are the key.
    pub key: usize,
    /// What its cells mean.
    pub meaning: Meaning,
    /// Reads it from the fold.
    pub expected: String,
    /// Reads it from the store.
    pub found: String,
    /// Which database [`Relation::found`] asks.
    pub dialect: Dialect,
}

/// What a relation's cells mean.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// Rows of one of the 33 tables.
    Rows(&'static Table),
    /// Folded documents.
    Documents,
    /// Changes and the entries that brought them.
    Changes,
    /// Claimed values.
    Claims,
    /// Conflicts.
    Conflicts,
    /// Texts.
    Plain,
}

/// All relations, those first from which the others follow.
pub fn all(dialect: Dialect) -> Vec<Relation> {
    let engine = [changes, documents, claims, conflicts, actors, checksums];
    let engine = engine.map(|relation| own(relation(), dialect));
    let tables = Schema::hospital().tables.iter().map(|table| rows(table, dialect));
    engine.into_iter().chain(tables).collect()
}

/// Those of a ward's hub that follow from the log alone. Conflicts and actors may be those of what was on its way and came to
/// nothing; tables and claims show what is on its way, if something `is_relaying`.
pub fn of_hub(is_relaying: bool) -> Vec<Relation> {
    let dialect = Dialect::Sqlite;
    let engine = [changes, documents, checksums].map(|relation| own(relation(), dialect));
    let mut relations: Vec<Relation> = engine.into_iter().map(as_the_stream_has_it).collect();
    if !is_relaying {
        relations.push(own(claims(), dialect));
        relations.extend(Schema::hospital().tables.iter().map(|table| rows(table, dialect)));
    }
    relations
}

/// Reads it from a hub's store without what is on its way: a document is in the base then, and a change has no place.
fn as_the_stream_has_it(relation: Relation) -> Relation {
    match relation.meaning {
        Meaning::Changes => Relation {
            found: relation
                .found
                .replace("FROM sync_changes", "FROM sync_changes WHERE seq > 0"),
            ..relation
        },
        Meaning::Documents => {
            let read = |from: &str| {
                format!(
                    "SELECT printf('%05d', part), lower(hex(row)), lower(hex(state)) FROM {from} ORDER BY part, row"
                )
            };
            let nothing = hex::encode(&Document::default().to_bytes());
            Relation {
                columns: relation.columns[..3].to_vec(),
                expected: read("sync_documents"),
                found: read(&format!(
                    "(SELECT part, row, state FROM sync_base WHERE state <> x'{nothing}' UNION ALL
                    SELECT part, row, state FROM sync_documents AS d
                    WHERE NOT EXISTS (SELECT 1 FROM sync_base AS b WHERE b.part = d.part AND b.row = d.row))"
                )),
                ..relation
            }
        }
        // The checksums: the stream's, if they were ever other ones.
        Meaning::Plain => Relation {
            found: "SELECT 'all', lower(hex(value)) FROM sync_meta WHERE key IN ('checksums', 'stream_checksums')
                ORDER BY key DESC LIMIT 1"
                .to_owned(),
            ..relation
        },
        Meaning::Rows(_) | Meaning::Claims | Meaning::Conflicts => relation,
    }
}

fn own((name, meaning, columns, key, of): Engine, dialect: Dialect) -> Relation {
    Relation {
        name,
        columns: columns.to_vec(),
        key,
        meaning,
        expected: of(Dialect::Sqlite).replace("'' AS unsure", UNSURE),
        found: of(dialect),
        dialect,
    }
}

/// How many rows the fold has of all of them.
pub fn count(fold: &Connection, relations: &[Relation]) -> rusqlite::Result<u64> {
    relations
        .iter()
        .map(|relation| {
            let sql = format!("SELECT count(*) FROM ({})", relation.expected);
            fold.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|n| n as u64)
        })
        .sum()
}

fn rows(table: &'static Table, dialect: Dialect) -> Relation {
    let key = table.primary_key.iter().map(|id| table.by_id(*id));
    let others = table
        .columns
        .iter()
        .filter(|c| !table.primary_key.contains(&c.id) && c.merge != Merge::Server);
    let columns: Vec<&'static Column> = key.chain(others).collect();
    let sql = |dialect| {
        let texts: Vec<String> = columns.iter().map(|column| text(column, dialect)).collect();
        let (texts, keys) = (texts.join(", "), table.key_names().join(", "));
        format!("SELECT {texts} FROM {} ORDER BY {keys}", table.name)
    };
    Relation {
        name: table.name,
        columns: columns.iter().map(|c| c.name).collect(),
        key: table.primary_key.len(),
        meaning: Meaning::Rows(table),
        expected: sql(Dialect::Sqlite),
        found: sql(dialect),
        dialect,
    }
}

/// A column's value as text.
fn text(column: &Column, dialect: Dialect) -> String {
    let name = column.name;
    match (dialect, column.sql_type) {
        (Dialect::Postgres, _) => format!("\"{name}\"::text"),
        (Dialect::Sqlite, SqlType::Boolean) => {
            format!("CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST({name} AS TEXT) END")
        }
        (Dialect::Sqlite, _) => format!("CAST({name} AS TEXT)"),
    }
}

/// Name, meaning, columns, how many of them are the key, and how each database is asked.
type Engine = (
    &'static str,
    Meaning,
    &'static [&'static str],
    usize,
    fn(Dialect) -> String,
);

fn changes() -> Engine {
    (
        "changes",
        Meaning::Changes,
        &["part", "row", "hash", "seq"],
        3,
        |dialect| {
            match dialect {
                Dialect::Sqlite => {
                    "SELECT printf('%05d', part), lower(hex(row)), lower(hex(hash)), CAST(seq AS TEXT)
                FROM sync_changes ORDER BY part, row, hash"
                }
                Dialect::Postgres => {
                    "SELECT lpad(part::text, 5, '0'), replace(row::text, '-', ''), encode(hash, 'hex'), seq::text
                FROM sync.changes ORDER BY part, row, hash"
                }
            }
            .to_owned()
        },
    )
}

/// Whether a row is shown counts for its main document alone.
fn documents() -> Engine {
    (
        "documents",
        Meaning::Documents,
        &["part", "row", "state", "shown"],
        2,
        |dialect| {
            match dialect {
                Dialect::Sqlite => {
                    "SELECT printf('%05d', part), lower(hex(row)), lower(hex(state)),
                    CASE WHEN part < 256 THEN CASE shown WHEN 0 THEN 'false' ELSE 'true' END END
                FROM sync_documents ORDER BY part, row"
                }
                Dialect::Postgres => {
                    "SELECT lpad(part::text, 5, '0'), replace(row::text, '-', ''), encode(state, 'hex'),
                    CASE WHEN part < 256 THEN shown::text END
                FROM sync.documents ORDER BY part, row"
                }
            }
            .to_owned()
        },
    )
}

/// SQLite's rows, one for each claimant, as one for each value; PostgreSQL's have all in one already.
fn claims() -> Engine {
    (
        "claims",
        Meaning::Claims,
        &["table", "column", "value", "claimants"],
        3,
        |dialect| {
            match dialect {
                Dialect::Sqlite => {
                    "SELECT printf('%05d', tbl), printf('%05d', col), value,
                    group_concat(coalesce(place, '-') || ' ' || time || ' ' || lower(hex(row)), ', '
                        ORDER BY place IS NULL, place, time, row)
                FROM sync_claims GROUP BY tbl, col, value ORDER BY tbl, col, value"
                }
                Dialect::Postgres => {
                    r#"SELECT lpad(part::text, 5, '0'), lpad(col::text, 5, '0'), value, encode(claimants, 'hex')
                FROM sync.claims ORDER BY part, col, value COLLATE "C""#
                }
            }
            .to_owned()
        },
    )
}

/// The fold's knowledge of which conflicts the store may never have written.
const UNSURE: &str = "CAST(id IN (SELECT id FROM replay_unsure) AS TEXT)";

fn conflicts() -> Engine {
    let columns = &[
        "id",
        "kind",
        "table",
        "row",
        "column",
        "task",
        "sides",
        "raised_at",
        "settled_at",
        "",
    ];
    ("conflicts", Meaning::Conflicts, columns, 1, |dialect| {
        match dialect {
            Dialect::Sqlite => {
                "SELECT id, kind, tbl, row, col, task, sides, CAST(raised_at AS TEXT), CAST(settled_at AS TEXT),
                    '' AS unsure
                FROM sync_conflicts ORDER BY id"
            }
            Dialect::Postgres => {
                r#"SELECT id::text, kind, "table", row::text, "column", task, sides::text,
                    (extract(epoch FROM raised_at) * 1000000)::bigint::text,
                    (extract(epoch FROM settled_at) * 1000000)::bigint::text, '' AS unsure
                FROM sync.conflicts ORDER BY id"#
            }
        }
        .to_owned()
    })
}

fn actors() -> Engine {
    ("actors", Meaning::Plain, &["actor", "user"], 1, |dialect| {
        match dialect {
            Dialect::Sqlite => "SELECT lower(hex(actor)), user FROM sync_actors ORDER BY actor",
            Dialect::Postgres => "SELECT encode(actor, 'hex'), user_id::text FROM sync.actors ORDER BY actor",
        }
        .to_owned()
    })
}

/// What devices compare theirs with: over the main documents and over the restricted ones.
fn checksums() -> Engine {
    (
        "checksums",
        Meaning::Plain,
        &["over", "main and restricted"],
        1,
        |dialect| {
            match dialect {
                Dialect::Sqlite => "SELECT 'all', lower(hex(value)) FROM sync_meta WHERE key = 'checksums'",
                Dialect::Postgres => "SELECT 'all', encode(checksums, 'hex') FROM sync.head",
            }
            .to_owned()
        },
    )
}
