-- Transactions that wait for changes that have not come yet, in the order in which they came. `role` is that of the maker
-- at that time; `entry` is the transaction as its device signed it, in CBOR.
CREATE TABLE sync.waiting (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    device uuid NOT NULL,
    role text NOT NULL,
    import boolean NOT NULL,
    since timestamptz NOT NULL,
    entry bytea NOT NULL
);

-- The changes that each waits for, and those that it brings.
CREATE TABLE sync.waiting_changes (
    id uuid NOT NULL REFERENCES sync.waiting (id) ON DELETE CASCADE,
    brings boolean NOT NULL,
    part smallint NOT NULL,
    row uuid NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (id, brings, part, row, hash)
);
CREATE INDEX waiting_changes_hash_idx ON sync.waiting_changes (hash);

-- The changes of transactions that were refused: nothing can wait for them.
CREATE TABLE sync.refused_changes (
    part smallint NOT NULL,
    row uuid NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (part, row, hash)
);
