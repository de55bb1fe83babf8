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
, creator_type TEXT NOT NULL DEFAULT 'human'
    CHECK (creator_type IN ('human', 'agent')), rotation_secret_hash BLOB, replaced_by TEXT, scopes TEXT CHECK (scopes <> ''), allowed_ip_ranges TEXT CHECK (allowed_ip_ranges <> '')) STRICT;
CREATE INDEX api_keys_of_organization ON api_keys (organization_id, created_at DESC, id DESC);
CREATE TABLE apps (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    secret_last4 TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    secret_rotated_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX apps_of_organization ON apps (organization_id, created_at DESC, id DESC);
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
CREATE INDEX audit_entries_by_action ON audit_entries (organization_id, action, occurred_at);
CREATE INDEX audit_entries_by_actor ON audit_entries (organization_id, actor_id, occurred_at);
CREATE INDEX audit_entries_by_actor_and_action
    ON audit_entries (organization_id, actor_id, action, occurred_at);
CREATE INDEX audit_entries_by_resource ON audit_entries (organization_id, resource_id, occurred_at);
CREATE INDEX audit_entries_by_time ON audit_entries (organization_id, occurred_at);
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX deliveries_of_webhook ON webhook_deliveries (webhook_id, created_at DESC, id DESC);
CREATE TABLE event_bounds (
    organization_id TEXT PRIMARY KEY REFERENCES organizations (id),
    forgotten_up_to INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    occurred_at INTEGER NOT NULL,
    type TEXT NOT NULL,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    identity_id TEXT,
    tunnel_id TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_organization ON events (organization_id, sequence);
CREATE TABLE expiry_watches (
    tunnel_id TEXT PRIMARY KEY REFERENCES tunnels (id),
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX expiry_watches_by_time ON expiry_watches (due_at);
CREATE TABLE identities (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    handle TEXT NOT NULL,
    display_name TEXT,
    description TEXT,
    sealed_signing_key BLOB,
    signing_key_set_at INTEGER CHECK ((signing_key_set_at IS NULL) = (sealed_signing_key IS NULL)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX living_identities_by_handle ON identities (handle) WHERE deleted_at IS NULL;
CREATE INDEX living_identities_of_organization ON identities (organization_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX living_tunnels_by_name ON tunnels (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX living_tunnels_of_identity ON tunnels (identity_id)
    WHERE status <> 'deleted' AND identity_id IS NOT NULL;
CREATE INDEX living_tunnels_of_organization ON tunnels (organization_id, created_at DESC, id DESC)
    WHERE status <> 'deleted';
CREATE INDEX open_api_keys_by_expiry ON api_keys (expires_at)
    WHERE revoked_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX open_api_keys_of_identity ON api_keys (scoped_identity_id)
    WHERE revoked_at IS NULL AND scoped_identity_id IS NOT NULL;
CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_deliveries_of_webhook ON webhook_deliveries (webhook_id, next_attempt_at)
    WHERE status = 'pending';
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
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    organization_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    identity_id TEXT,
    body TEXT NOT NULL,
    replay_of TEXT,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'exhausted')),
    next_attempt_at INTEGER CHECK ((next_attempt_at IS NOT NULL) = (status = 'pending')),
    ended_at INTEGER CHECK ((ended_at IS NULL) = (status = 'pending')),
    attempt_count INTEGER NOT NULL,
    last_attempt_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    last_milliseconds INTEGER
) STRICT;
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    identity_id TEXT,
    url TEXT NOT NULL,
    event_types TEXT NOT NULL,
    description TEXT,
    sealed_secret BLOB NOT NULL,
    earlier_sealed_secret BLOB,
    earlier_secret_valid_until INTEGER
        CHECK ((earlier_secret_valid_until IS NULL) = (earlier_sealed_secret IS NULL)),
    failing_since INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    next_attempt_at INTEGER
) STRICT;
CREATE INDEX webhooks_by_next_attempt ON webhooks (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhooks_of_organization ON webhooks (organization_id, created_at DESC, id DESC);
