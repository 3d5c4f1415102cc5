-- What people look declarations up by, what they decided of them, and decisions that wait for a second person.

-- What a message can be found by, beside its id and its lines: its party, declarant, insurer, invoice, contracts, trace.
CREATE TABLE message_key (
    value TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('party', 'declarant', 'insurer', 'invoice', 'contract', 'trace')),
    sequence BIGINT NOT NULL REFERENCES log (sequence),
    PRIMARY KEY (value, kind, sequence)
);

-- Everybody who ever declared: line references are unique for one declarant only.
CREATE TABLE known_declarant (
    declarant TEXT PRIMARY KEY
);

INSERT INTO message_key SELECT party, 'party', sequence FROM message;
INSERT INTO message_key SELECT DISTINCT declarant, 'declarant', sequence FROM decision WHERE declarant IS NOT NULL;
INSERT INTO message_key SELECT DISTINCT insurer, 'insurer', sequence FROM decision WHERE insurer IS NOT NULL;
INSERT INTO known_declarant SELECT DISTINCT declarant FROM decision WHERE declarant IS NOT NULL;

-- The entry of the log that decided a line of a message anew.
CREATE TABLE revision (
    message_id UUID NOT NULL,
    version BIGINT NOT NULL CHECK (version > 1),
    sequence BIGINT NOT NULL REFERENCES log (sequence),
    PRIMARY KEY (message_id, version)
);

-- A decision of a person on a held line, above the amount for which a second person must agree. The command is a
-- samenloop.record.v1.Command without the second person; its id is that of the proposal.
CREATE TABLE proposal (
    id UUID PRIMARY KEY,
    sequence BIGINT NOT NULL REFERENCES log (sequence),
    line_number BIGINT NOT NULL,
    line_reference TEXT NOT NULL,
    insurer TEXT NOT NULL,
    person TEXT NOT NULL,
    command BYTEA NOT NULL,
    cents BIGINT NOT NULL,
    proposed_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'agreed', 'declined')),
    closed_by TEXT,
    closed_at BIGINT,
    CHECK ((state = 'open') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL))
);
CREATE UNIQUE INDEX proposal_of_line ON proposal (sequence, line_number) WHERE state = 'open';
CREATE INDEX proposal_open ON proposal (proposed_at, id) WHERE state = 'open';
