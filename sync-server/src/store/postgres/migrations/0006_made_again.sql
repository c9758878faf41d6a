-- What the transaction's command was first made into, if it was made again. A device's command is in the stream once.
ALTER TABLE sync.log ADD COLUMN first_id uuid;
CREATE UNIQUE INDEX log_first_id ON sync.log (first_id, device) WHERE first_id IS NOT NULL;
