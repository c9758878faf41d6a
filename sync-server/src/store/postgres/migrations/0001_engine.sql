-- The engine's own tables, apart from the hospital's.

-- The stream's end. Its one row is locked first by every transaction that appends, so that seq has no gaps and becomes
-- visible in order: a cursor never skips a transaction.
CREATE TABLE sync.head (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    seq bigint NOT NULL
);
INSERT INTO sync.head (seq) VALUES (0);

-- The stream. `entry` is the transaction as its device signed it, in CBOR.
CREATE TABLE sync.log (
    seq bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    user_id uuid NOT NULL,
    device uuid NOT NULL,
    time timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL,
    entry bytea NOT NULL
);

-- Rows as folded documents. `part` is the table's number, plus 256 for restricted columns. `shown`: the row is in its table.
CREATE TABLE sync.documents (
    part smallint NOT NULL,
    row uuid NOT NULL,
    state bytea NOT NULL,
    shown boolean NOT NULL,
    PRIMARY KEY (part, row)
);

-- The changes in each document's history, and the transaction that brought them.
CREATE TABLE sync.changes (
    part smallint NOT NULL,
    row uuid NOT NULL,
    hash bytea NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (part, row, hash)
);

-- Values that only one row may hold, and the rows that claim them in order (CBOR: place, time, row).
CREATE TABLE sync.claims (
    part smallint NOT NULL,
    col smallint NOT NULL,
    value text NOT NULL,
    claimants bytea NOT NULL,
    PRIMARY KEY (part, col, value)
);

-- What people have to settle, and what they settled.
CREATE TABLE sync.conflicts (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    "table" text NOT NULL,
    row uuid NOT NULL,
    "column" text,
    task text NOT NULL,
    sides jsonb NOT NULL,
    raised_at timestamptz NOT NULL,
    settled_at timestamptz
);
CREATE INDEX conflicts_row_idx ON sync.conflicts (row);

-- For whom an Automerge actor writes.
CREATE TABLE sync.actors (
    actor bytea PRIMARY KEY,
    user_id uuid NOT NULL
);

-- Password hashes (argon2id), apart from `users` so that they survive a deleted and restored user.
CREATE TABLE sync.credentials (
    user_id uuid PRIMARY KEY,
    password_hash text NOT NULL
);

-- `user_id` signed in on it first. Nothing is taken from a device that was revoked.
CREATE TABLE sync.devices (
    device uuid PRIMARY KEY,
    public_key bytea NOT NULL,
    name text NOT NULL,
    user_id uuid NOT NULL,
    registered_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- Who signed in where: a device may speak for these users only.
CREATE TABLE sync.device_users (
    device uuid NOT NULL REFERENCES sync.devices (device),
    user_id uuid NOT NULL,
    PRIMARY KEY (device, user_id)
);

-- `token` is the SHA-256 of what the device holds.
CREATE TABLE sync.sessions (
    token bytea PRIMARY KEY,
    user_id uuid NOT NULL,
    device uuid NOT NULL REFERENCES sync.devices (device),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_device_idx ON sync.sessions (device);

-- Refused transactions, for the auditor. A push that is repeated gets the answer that it had.
CREATE TABLE sync.quarantine (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    device uuid NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    refused_at timestamptz NOT NULL,
    entry bytea NOT NULL
);
CREATE INDEX quarantine_refused_at_idx ON sync.quarantine (refused_at);
