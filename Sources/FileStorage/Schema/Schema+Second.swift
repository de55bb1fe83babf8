extension Schema {
    /// Identities, apps, the event log and webhooks; one constant for each.
    static let second = identities + apps + audit + events + webhooks

    /// A deleted identity's row stays, as a deleted tunnel's does, so lists and look-ups have indexes without them.
    private static let identities = """
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
        CREATE UNIQUE INDEX living_tunnels_of_identity ON tunnels (identity_id)
            WHERE status <> 'deleted' AND identity_id IS NOT NULL;

        ALTER TABLE api_keys ADD COLUMN creator_type TEXT NOT NULL DEFAULT 'human'
            CHECK (creator_type IN ('human', 'agent'));
        ALTER TABLE api_keys ADD COLUMN rotation_secret_hash BLOB;
        ALTER TABLE api_keys ADD COLUMN replaced_by TEXT;
        CREATE INDEX open_api_keys_of_identity ON api_keys (scoped_identity_id)
            WHERE revoked_at IS NULL AND scoped_identity_id IS NOT NULL;
        CREATE INDEX open_api_keys_by_expiry ON api_keys (expires_at)
            WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

        """

    /// Machine clients. A deleted one is gone from here; the audit trail remembers it.
    private static let apps = """
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

        """

    /// What `GET /audit-events` can be asked for; the rowid, which is the sequence, stands at the end of every index by itself.
    /// The head is sealed: it tells what the newest line was to whoever has the key.
    private static let audit = """
        DROP INDEX audit_entries_of_organization;
        CREATE INDEX audit_entries_by_time ON audit_entries (organization_id, occurred_at);
        CREATE INDEX audit_entries_by_actor ON audit_entries (organization_id, actor_id, occurred_at);
        CREATE INDEX audit_entries_by_action ON audit_entries (organization_id, action, occurred_at);
        CREATE INDEX audit_entries_by_actor_and_action
            ON audit_entries (organization_id, actor_id, action, occurred_at);
        CREATE INDEX audit_entries_by_resource ON audit_entries (organization_id, resource_id, occurred_at);
        CREATE TABLE audit_head (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            sealed BLOB NOT NULL
        ) STRICT;

        """

    /// What `GET /events` and webhooks are fed from. The numbers rise for ever: a client that resumes may have seen rows that
    /// are forgotten by now. `event_bounds` says up to where; `expiry_watches` when to look at a tunnel's certificate.
    private static let events = """
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

        CREATE TABLE event_bounds (
            organization_id TEXT PRIMARY KEY REFERENCES organizations (id),
            forgotten_up_to INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE expiry_watches (
            tunnel_id TEXT PRIMARY KEY REFERENCES tunnels (id),
            due_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX expiry_watches_by_time ON expiry_watches (due_at);
        INSERT INTO expiry_watches (tunnel_id, due_at)
            SELECT id, cert_not_before + (cert_not_after - cert_not_before) / 3 * 2 FROM tunnels
            WHERE cert_not_after IS NOT NULL AND status <> 'deleted';

        """

    /// `next_attempt_at` is the earliest of the webhook's pending deliveries, so that what is due is found without looking at
    /// every one. Deliveries hold the bytes that are sent: the event itself may be forgotten before they end.
    private static let webhooks = """
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
        CREATE INDEX webhooks_of_organization ON webhooks (organization_id, created_at DESC, id DESC);
        CREATE INDEX webhooks_by_next_attempt ON webhooks (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

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
        CREATE INDEX deliveries_of_webhook ON webhook_deliveries (webhook_id, created_at DESC, id DESC);
        CREATE INDEX pending_deliveries_of_webhook ON webhook_deliveries (webhook_id, next_attempt_at)
            WHERE status = 'pending';
        CREATE INDEX deliveries_by_end ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

        """
}
