CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    scoped_identity_id TEXT,
    label TEXT NOT NULL,
    description TEXT,
    hash BLOB NOT NULL UNIQUE,
    display_prefix TEXT NOT NULL,
    last4 TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_keys_of_organization ON api_keys (organization_id, created_at DESC, id DESC);
CREATE TABLE audit_entries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    occurred_at INTEGER NOT NULL,
    action TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_label TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    ip TEXT,
    request_id TEXT,
    outcome TEXT NOT NULL,
    details TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_entries_of_organization ON audit_entries (organization_id, sequence DESC);
CREATE UNIQUE INDEX living_tunnels_by_name ON tunnels (name) WHERE status <> 'deleted';
CREATE INDEX living_tunnels_of_organization ON tunnels (organization_id, created_at DESC, id DESC)
    WHERE status <> 'deleted';
CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_tunnels_by_deadline ON tunnels (restore_deadline_at) WHERE status = 'delete_pending';
CREATE TABLE replays (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    sealed_body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key)
) STRICT;
CREATE INDEX replays_by_time ON replays (created_at);
CREATE TABLE service (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE successes (
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    occurred_at INTEGER NOT NULL
) STRICT;
CREATE INDEX successes_by_time ON successes (occurred_at);
CREATE INDEX successes_of_subject ON successes (action, subject, occurred_at);
CREATE TABLE tunnels (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    identity_id TEXT,
    name TEXT NOT NULL,
    description TEXT,
    metadata TEXT NOT NULL,
    tls_mode TEXT NOT NULL CHECK (tls_mode IN ('edge', 'passthrough')),
    status TEXT NOT NULL CHECK (status IN ('awaiting_cert', 'active', 'delete_pending', 'deleted')),
    restore_deadline_at INTEGER CHECK ((restore_deadline_at IS NULL) = (status <> 'delete_pending')),
    cert_pem TEXT,
    chain_pem TEXT,
    cert_fingerprint TEXT,
    cert_not_before INTEGER,
    cert_not_after INTEGER,
    connect_secret_hash BLOB,
    last_connected_at INTEGER,
    last_connected_address TEXT,
    last_disconnected_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
