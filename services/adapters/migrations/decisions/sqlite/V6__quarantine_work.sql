-- What operators do with the quarantine, and the log of what they did.

ALTER TABLE quarantine ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'replayed', 'parked', 'discarded'));
CREATE INDEX quarantine_state ON quarantine (state, quarantined_at, id);
CREATE INDEX quarantine_party ON quarantine (party, quarantined_at, id);

-- What became of a delivery in quarantine, in order of time; the newest state is that of its row.
CREATE TABLE quarantine_event (
    number INTEGER PRIMARY KEY,
    quarantine_id BLOB NOT NULL REFERENCES quarantine (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('waiting', 'replayed', 'parked', 'discarded')),
    operation_id BLOB CHECK (length(operation_id) = 16),
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX quarantine_event_of ON quarantine_event (quarantine_id, number);

-- Every action of a person, and every look at what is masked elsewhere.
CREATE TABLE operation (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    person TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    matched INTEGER NOT NULL CHECK (matched >= 0),
    done INTEGER NOT NULL CHECK (done >= 0),
    failed INTEGER NOT NULL CHECK (failed >= 0),
    started_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_newest ON operation (started_at, id);
