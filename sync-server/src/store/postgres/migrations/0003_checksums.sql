-- The checksums over all documents as they are at `seq`: 64 bytes, null until the server has counted them once.
ALTER TABLE sync.head ADD COLUMN checksums bytea;
