-- What operators do with the quarantine, and the log of what they did.

ALTER TABLE quarantine ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'replayed', 'parked', 'discarded'));
CREATE INDEX quarantine_state ON quarantine (state, quarantined_at, id);
CREATE INDEX quarantine_party ON quarantine (party, quarantined_at, id);

-- What became of a delivery in quarantine, in order of time; the newest state is that of its row.
CREATE TABLE quarantine_event (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine_id UUID NOT NULL REFERENCES quarantine (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('waiting', 'replayed', 'parked', 'discarded')),
    operation_id UUID,
    detail TEXT NOT NULL
);
CREATE INDEX quarantine_event_of ON quarantine_event (quarantine_id, number);

-- Every action of a person, and every look at what is masked elsewhere.
CREATE TABLE operation (
    id UUID PRIMARY KEY,
    person TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    matched BIGINT NOT NULL CHECK (matched >= 0),
    done BIGINT NOT NULL CHECK (done >= 0),
    failed BIGINT NOT NULL CHECK (failed >= 0),
    started_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX operation_newest ON operation (started_at, id);
