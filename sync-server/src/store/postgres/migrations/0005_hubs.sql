-- The hubs of wards. `token` is the SHA-256 of what a hub holds. Nothing is given to a hub that was revoked.
CREATE TABLE sync.hubs (
    name text PRIMARY KEY,
    token bytea NOT NULL UNIQUE,
    added_at timestamptz NOT NULL,
    seen_at timestamptz,
    revoked_at timestamptz
);
