-- A transaction may wait for rows, too: an empty hash stands for the row itself, whichever change brings it. There may be
-- many of them.
DROP INDEX sync.waiting_changes_hash_idx;
CREATE INDEX waiting_changes_hash_row_idx ON sync.waiting_changes (hash, row);
