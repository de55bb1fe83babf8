/// The steps from an empty file to the inbox that this version knows; see `Schema` for the rules of steps.
enum InboxSchema {
    static let steps: [String] = [first, second]

    /// Times are microseconds since 1970. `state_at` is until when a run waits, or since when its state holds.
    private static let first = """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            route TEXT NOT NULL,
            delivery_id TEXT,
            received_at INTEGER NOT NULL,
            method TEXT NOT NULL,
            target TEXT NOT NULL,
            address TEXT NOT NULL,
            fields TEXT NOT NULL,
            body BLOB NOT NULL,
            verdict TEXT NOT NULL,
            is_wanted INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX events_by_delivery ON events (route, delivery_id) WHERE delivery_id IS NOT NULL;
        CREATE INDEX events_by_time ON events (received_at);

        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            event_id INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
            route TEXT NOT NULL,
            line TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            attempt_count INTEGER NOT NULL,
            state TEXT NOT NULL
                CHECK (state IN ('waiting', 'running', 'succeeded', 'dead', 'cancelled', 'dropped')),
            state_at INTEGER NOT NULL,
            death TEXT CHECK ((death IS NULL) = (state <> 'dead')),
            detail TEXT NOT NULL,
            output BLOB NOT NULL
        ) STRICT;
        CREATE INDEX runs_of_event ON runs (event_id);
        CREATE INDEX open_runs ON runs (id) WHERE state IN ('waiting', 'running', 'dead');

        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER NOT NULL,
            has_succeeded INTEGER NOT NULL,
            detail TEXT NOT NULL
        ) STRICT;
        CREATE INDEX attempts_of_run ON attempts (run_id);

        CREATE TABLE messages (
            route TEXT NOT NULL,
            digest BLOB NOT NULL,
            forget_at INTEGER NOT NULL,
            PRIMARY KEY (route, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX messages_by_end ON messages (forget_at);

        CREATE TABLE wishes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            act TEXT NOT NULL,
            subject INTEGER NOT NULL,
            answer TEXT
        ) STRICT;
        """

    /// Why a filter did not come to a verdict; an older program that shares the inbox leaves it out.
    private static let second = "ALTER TABLE events ADD COLUMN filter_note TEXT;"
}
