//! The engine's own tables. Users and devices are named by UUIDs in text, as in the 33 tables; documents' rows and
//! transactions by their 16 bytes; times are microseconds since 1970.

use holdfast_core::schema::Side;

/// The statements that make them.
pub(super) fn tables(side: Side) -> Vec<String> {
    let own = match side {
        Side::Server => SERVER,
        Side::Device => DEVICE,
    };
    SHARED.iter().chain(own).map(ToString::to_string).collect()
}

const SHARED: &[&str] = &[
    "CREATE TABLE sync_meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT",
    // `part` is table and facet: see core's `DocumentId::part`. `shown` tells of a main document whether its row stands in
    // its table.
    "CREATE TABLE sync_documents (
        part INTEGER NOT NULL, row BLOB NOT NULL, state BLOB NOT NULL, shown INTEGER NOT NULL,
        PRIMARY KEY (part, row)) STRICT, WITHOUT ROWID",
    // `place` is null for a claim of this device that has no place in the stream yet.
    "CREATE TABLE sync_claims (
        tbl INTEGER NOT NULL, col INTEGER NOT NULL, value TEXT NOT NULL, row BLOB NOT NULL,
        place INTEGER, time INTEGER NOT NULL,
        PRIMARY KEY (tbl, col, value, row)) STRICT, WITHOUT ROWID",
    // Open while `settled_at` is null.
    "CREATE TABLE sync_conflicts (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, tbl TEXT NOT NULL, row TEXT NOT NULL, col TEXT, task TEXT NOT NULL,
        sides TEXT NOT NULL, raised_at INTEGER NOT NULL, settled_at INTEGER) STRICT",
    "CREATE INDEX sync_conflicts_open ON sync_conflicts (raised_at) WHERE settled_at IS NULL",
    "CREATE TABLE sync_actors (actor BLOB PRIMARY KEY, user TEXT NOT NULL) STRICT, WITHOUT ROWID",
];

const SERVER: &[&str] = &[
    "CREATE TABLE sync_log (
        seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, user TEXT NOT NULL, device TEXT NOT NULL,
        time INTEGER NOT NULL, accepted_at INTEGER NOT NULL, entry BLOB NOT NULL) STRICT",
    // Which transaction brought a change into a document's history.
    "CREATE TABLE sync_changes (
        part INTEGER NOT NULL, row BLOB NOT NULL, hash BLOB NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (part, row, hash)) STRICT, WITHOUT ROWID",
    "CREATE TABLE sync_quarantine (
        id BLOB PRIMARY KEY, user TEXT NOT NULL, device TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
        refused_at INTEGER NOT NULL, entry BLOB NOT NULL) STRICT",
    "CREATE TABLE sync_credentials (user TEXT PRIMARY KEY, password_hash TEXT NOT NULL) STRICT",
    "CREATE TABLE sync_devices (
        device TEXT PRIMARY KEY, public_key BLOB NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
        registered_at INTEGER NOT NULL, revoked_at INTEGER) STRICT",
    // Who has ever signed in where.
    "CREATE TABLE sync_device_users (
        device TEXT NOT NULL REFERENCES sync_devices, user TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (device, user)) STRICT, WITHOUT ROWID",
    "CREATE TABLE sync_sessions (
        token_hash BLOB PRIMARY KEY, user TEXT NOT NULL, device TEXT NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
];

const DEVICE: &[&str] = &[
    // `new_ids` are the UUIDs that the command was given, in order: made again, it makes the same rows.
    "CREATE TABLE sync_outbox (
        n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, entry BLOB NOT NULL, command TEXT NOT NULL,
        name TEXT NOT NULL, summary TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, new_ids BLOB NOT NULL,
        made_at INTEGER NOT NULL, offline INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'rejected')), code TEXT, reason TEXT) STRICT",
    // The documents that each waiting transaction writes to.
    "CREATE TABLE sync_touched (
        part INTEGER NOT NULL, row BLOB NOT NULL, n INTEGER NOT NULL REFERENCES sync_outbox ON DELETE CASCADE,
        PRIMARY KEY (part, row, n)) STRICT, WITHOUT ROWID",
    "CREATE INDEX sync_touched_n ON sync_touched (n)",
    // Those documents as the server last acknowledged them; what it refuses is taken back to here.
    "CREATE TABLE sync_base (
        part INTEGER NOT NULL, row BLOB NOT NULL, state BLOB NOT NULL, PRIMARY KEY (part, row)) STRICT, WITHOUT ROWID",
];

/// Since format 2, on devices.
pub(super) const ANSWERS: &[&str] = &[
    // What was answered to the last commands, by the names that the page gave them: asked again, they are not done again.
    "CREATE TABLE sync_answers (
        n INTEGER PRIMARY KEY AUTOINCREMENT, command BLOB NOT NULL UNIQUE, receipt TEXT NOT NULL) STRICT",
    // When what was refused was done in another way.
    "ALTER TABLE sync_outbox ADD COLUMN mended_at INTEGER",
];

/// On servers: what waits for changes that have not come yet.
pub(super) const WAITING_SERVER: &[&str] = &[
    // In the order in which they came. `role` is that of its maker at that time.
    "CREATE TABLE sync_waiting (
        n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, device TEXT NOT NULL, role TEXT NOT NULL,
        import INTEGER NOT NULL, since INTEGER NOT NULL, entry BLOB NOT NULL) STRICT",
    // The changes that each waits for, and those that it `brings`.
    "CREATE TABLE sync_waiting_changes (
        n INTEGER NOT NULL REFERENCES sync_waiting ON DELETE CASCADE, brings INTEGER NOT NULL,
        part INTEGER NOT NULL, row BLOB NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (n, brings, part, row, hash)) STRICT, WITHOUT ROWID",
    "CREATE INDEX sync_waiting_changes_hash ON sync_waiting_changes (hash)",
    // The changes of transactions that were refused: nothing can wait for them.
    "CREATE TABLE sync_refused_changes (
        part INTEGER NOT NULL, row BLOB NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (part, row, hash)) STRICT, WITHOUT ROWID",
];

/// On servers, in `sync_waiting_changes`: an empty hash stands for the row itself, whichever change brings it. There may be
/// many of them.
pub(super) const WAITING_FOR_ROWS: &[&str] = &[
    "DROP INDEX sync_waiting_changes_hash",
    "CREATE INDEX sync_waiting_changes_hash_row ON sync_waiting_changes (hash, row)",
];

/// On devices: when the server is asked again about a transaction that it cannot take in yet. Null: it is to be sent.
pub(super) const WAITING_DEVICE: &[&str] = &["ALTER TABLE sync_outbox ADD COLUMN ask_again INTEGER"];

/// On devices: what a server that was put back to a backup needs.
pub(super) const RESTORED: &[&str] = &[
    // What was done here and is in the stream, the newest of it, with its place as the server said; `doubtful` if the
    // server may have lost it.
    "CREATE TABLE sync_kept (
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, entry BLOB NOT NULL, command TEXT NOT NULL,
        name TEXT NOT NULL, summary TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, new_ids BLOB NOT NULL,
        made_at INTEGER NOT NULL, offline INTEGER NOT NULL, seq INTEGER,
        doubtful INTEGER NOT NULL) STRICT",
    "CREATE INDEX sync_kept_seq ON sync_kept (seq)",
    // A new copy of the hospital on its way, in the order in which it came.
    "CREATE TABLE sync_incoming (
        n INTEGER PRIMARY KEY, part INTEGER NOT NULL, row BLOB NOT NULL, state BLOB NOT NULL) STRICT",
];

/// On servers: the hubs of a hospital's server, and what a hub knows of sessions.
pub(super) const HUBS: &[&str] = &[
    "CREATE TABLE sync_hubs (
        name TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, added_at INTEGER NOT NULL, seen_at INTEGER,
        revoked_at INTEGER) STRICT, WITHOUT ROWID",
    // On a hub: the hospital's server does not know of this session.
    "ALTER TABLE sync_sessions ADD COLUMN own INTEGER NOT NULL DEFAULT 0",
    // On a hub: sessions that ended here; the hospital's server has not been told yet.
    "CREATE TABLE sync_ended_sessions (token_hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
];

/// On devices: `sync_outbox` made anew, for what a hub relays too.
pub(super) const RELAYED: &[&str] = &[
    "ALTER TABLE sync_outbox RENAME TO sync_outbox_before",
    "ALTER TABLE sync_touched RENAME TO sync_touched_before",
    // In the order in which all came here. `waiting` and `rejected` are this device's; `relayed` are others' that a hub
    // passes on, `left_out` such that do not fit here. `given` if a server may have it. `hub` keeps or relays it; `listed` while that hub's list is read
    // anew: it was in it. `ask_again` of what others did: it falls away then. `first_id` is the name under which the page
    // knows it, if it was made again.
    "CREATE TABLE sync_outbox (
        n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, entry BLOB NOT NULL, command TEXT NOT NULL,
        name TEXT NOT NULL, summary TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, new_ids BLOB NOT NULL,
        made_at INTEGER NOT NULL, offline INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'rejected', 'relayed', 'left_out')), code TEXT, reason TEXT,
        mended_at INTEGER, ask_again INTEGER, given INTEGER NOT NULL DEFAULT 0, hub BLOB, listed INTEGER NOT NULL DEFAULT 0, first_id BLOB) STRICT",
    "INSERT INTO sync_outbox (n, id, entry, command, name, summary, user, role, new_ids, made_at, offline, state, code,
            reason, mended_at, ask_again, given)
        SELECT n, id, entry, command, name, summary, user, role, new_ids, made_at, offline, state, code,
            reason, mended_at, ask_again, ask_again IS NOT NULL FROM sync_outbox_before",
    // No number is given twice: what is kept has its own.
    "DELETE FROM sqlite_sequence WHERE name = 'sync_outbox'",
    "UPDATE sqlite_sequence SET name = 'sync_outbox' WHERE name = 'sync_outbox_before'",
];

/// On devices: what refers to `sync_outbox` when that was made anew, and its indexes.
pub(super) const OUTBOX_IN_PLACE: &[&str] = &[
    "CREATE TABLE sync_touched (
        part INTEGER NOT NULL, row BLOB NOT NULL, n INTEGER NOT NULL REFERENCES sync_outbox ON DELETE CASCADE,
        PRIMARY KEY (part, row, n)) STRICT, WITHOUT ROWID",
    "INSERT INTO sync_touched SELECT part, row, n FROM sync_touched_before",
    "DROP TABLE sync_touched_before",
    "DROP TABLE sync_outbox_before",
    "CREATE INDEX sync_touched_n ON sync_touched (n)",
    "CREATE INDEX sync_outbox_state ON sync_outbox (state)",
    "CREATE INDEX sync_outbox_hub ON sync_outbox (hub) WHERE hub IS NOT NULL",
    "CREATE INDEX sync_outbox_first_id ON sync_outbox (first_id) WHERE first_id IS NOT NULL",
];

/// On devices: what is kept has two names, too.
pub(super) const RELAYED_KEPT: &[&str] = &[
    "ALTER TABLE sync_kept ADD COLUMN first_id BLOB",
    "CREATE INDEX sync_kept_first_id ON sync_kept (first_id) WHERE first_id IS NOT NULL",
];

/// On servers that are a ward's hub: what is relayed, and the base under it.
pub(super) const RELAYING: &[&str] = &[
    // What the hub took and the stream does not have yet, in the order in which it came. `role` is that of its maker at that
    // time. `place` is the place in the list that devices are told; null: it does not fit the documents as they are and is
    // in none. `accepted` is the place in the stream that the hospital's server has given it. Before `ask_again` it is not
    // pushed again.
    "CREATE TABLE sync_relay (
        n INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, device TEXT NOT NULL, role TEXT NOT NULL,
        since INTEGER NOT NULL, entry BLOB NOT NULL, place INTEGER UNIQUE, accepted INTEGER, ask_again INTEGER) STRICT",
    // What fell out of the list that devices are told, and when.
    "CREATE TABLE sync_withdrawn (place INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT",
    "CREATE TABLE sync_touched (
        part INTEGER NOT NULL, row BLOB NOT NULL, n INTEGER NOT NULL REFERENCES sync_relay ON DELETE CASCADE,
        PRIMARY KEY (part, row, n)) STRICT, WITHOUT ROWID",
    "CREATE INDEX sync_touched_n ON sync_touched (n)",
    "CREATE TABLE sync_base (
        part INTEGER NOT NULL, row BLOB NOT NULL, state BLOB NOT NULL, PRIMARY KEY (part, row)) STRICT, WITHOUT ROWID",
];

/// On servers, in the log: what the transaction's command was first made into, if it was made again. A device's command is in it
/// once.
pub(super) const MADE_AGAIN: &[&str] = &[
    "ALTER TABLE sync_log ADD COLUMN first_id BLOB",
    "CREATE UNIQUE INDEX sync_log_first_id ON sync_log (first_id, device) WHERE first_id IS NOT NULL",
];

/// On devices: patients are looked for by any part of a name or number, in the order of names. All that the search reads is
/// in here, so that it passes over a tenth of the table's pages.
pub(super) const PATIENTS_BY_NAME: &[&str] =
    &["CREATE INDEX sync_patients_by_name ON patients (last_name, first_name, id, patient_number)"];

/// On devices: a command changes two pages less, each of which is encrypted and written whole. Numbers are counted in
/// `sync_meta`, which every command changes anyway, and answers need no index beside their table. For `sync_outbox` see
/// [`RELAYED`].
pub(super) const FEWER_PAGES: &[&str] = &[
    // No number is given twice: what is kept has its own.
    "INSERT INTO sync_meta (key, value)
        SELECT 'last_number', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'sync_outbox'), 0)",
    "INSERT INTO sync_meta (key, value)
        SELECT 'last_answer', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'sync_answers'), 0)",
    "ALTER TABLE sync_answers RENAME TO sync_answers_before",
    "CREATE TABLE sync_answers (
        command BLOB PRIMARY KEY, n INTEGER NOT NULL, receipt TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO sync_answers SELECT command, n, receipt FROM sync_answers_before",
    "DROP TABLE sync_answers_before",
    "ALTER TABLE sync_outbox RENAME TO sync_outbox_before",
    "ALTER TABLE sync_touched RENAME TO sync_touched_before",
    "CREATE TABLE sync_outbox (
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, entry BLOB NOT NULL, command TEXT NOT NULL,
        name TEXT NOT NULL, summary TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, new_ids BLOB NOT NULL,
        made_at INTEGER NOT NULL, offline INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'rejected', 'relayed', 'left_out')), code TEXT, reason TEXT,
        mended_at INTEGER, ask_again INTEGER, given INTEGER NOT NULL DEFAULT 0, hub BLOB,
        listed INTEGER NOT NULL DEFAULT 0, first_id BLOB) STRICT",
    "INSERT INTO sync_outbox SELECT * FROM sync_outbox_before",
];

/// The base says itself what is pending on its documents: two pages less for each command.
pub(super) const PENDING_IN_BASE: &[&str] = &[
    // The numbers of the transactions, with commas around each: `,3,7,`.
    "ALTER TABLE sync_base ADD COLUMN pending TEXT NOT NULL DEFAULT ','",
    "UPDATE sync_base AS b SET pending =
        (SELECT ',' || group_concat(n || ',', '') FROM sync_touched AS t WHERE t.part = b.part AND t.row = b.row)
        WHERE EXISTS (SELECT 1 FROM sync_touched AS t WHERE t.part = b.part AND t.row = b.row)",
    "DROP TABLE sync_touched",
];

/// On devices: what a command was answered stands beside its transaction, which has the name that the page gave the command.
/// Another page less for each command. Numbers are counted by what is there.
pub(super) const RECEIPTS: &[&str] = &[
    "ALTER TABLE sync_outbox ADD COLUMN receipt TEXT",
    "ALTER TABLE sync_kept ADD COLUMN receipt TEXT",
    "DROP TABLE sync_answers",
    "DELETE FROM sync_meta WHERE key IN ('last_number', 'last_answer')",
];
