-- Instants are microseconds since 1970 in UTC, days are YYYY-MM-DD, amounts are whole cents.

-- The one row that every decision transaction begins with: numbers are given in its order, without gaps.
CREATE TABLE decision_head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    last_sequence INTEGER NOT NULL CHECK (last_sequence >= 0),
    last_hash BLOB NOT NULL CHECK (length(last_hash) = 32),
    last_outbox INTEGER NOT NULL CHECK (last_outbox >= 0)
) STRICT;
INSERT INTO decision_head VALUES (1, 0, zeroblob(32), 0);

-- Whatever can change a later decision. hash = SHA-256(previous_hash || body).
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    kind TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    body BLOB NOT NULL
) STRICT;
CREATE TRIGGER log_is_never_updated BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is never changed'); END;
CREATE TRIGGER log_is_never_deleted BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is never changed'); END;

-- Registered messages with their newest outcome (samenloop.declaration.v1.Outcome).
CREATE TABLE message (
    message_id BLOB PRIMARY KEY CHECK (length(message_id) = 16),
    party TEXT NOT NULL,
    content_digest BLOB NOT NULL CHECK (length(content_digest) = 32),
    sequence INTEGER NOT NULL UNIQUE REFERENCES log (sequence),
    version INTEGER NOT NULL CHECK (version > 0),
    received_at INTEGER NOT NULL,
    received_on TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('accepted', 'partly', 'rejected', 'in_review')),
    outcome BLOB NOT NULL,
    outcome_sent TEXT CHECK (outcome_sent IN ('confirmed', 'unclaimed', 'parked')),
    claims_sent TEXT CHECK (claims_sent IN ('confirmed', 'unclaimed', 'parked'))
) STRICT, WITHOUT ROWID;

-- One row per line. Evidence stands in the outcome of the message; numbers of a refused message may repeat.
CREATE TABLE decision (
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    line_number INTEGER NOT NULL,
    line_index INTEGER NOT NULL,
    declarant TEXT,
    line_reference TEXT NOT NULL,
    insurer TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('debit', 'credit')),
    verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'reduce', 'review', 'reject', 'withdrawn')),
    declared_cents INTEGER NOT NULL,
    awarded_cents INTEGER NOT NULL,
    proposed_cents INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    credited_by_sequence INTEGER,
    credited_by_line INTEGER,
    -- samenloop.record.v1.PastFacts, Coverage and ClaimFacts.
    facts BLOB,
    coverage BLOB,
    claim BLOB,
    PRIMARY KEY (sequence, line_number, line_index),
    CHECK ((credited_by_sequence IS NULL) = (credited_by_line IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_reference ON decision (declarant, line_reference);

-- Prestaties that never passed through the queue.
CREATE TABLE existing (
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    row_number INTEGER NOT NULL,
    awarded_cents INTEGER NOT NULL,
    coverage BLOB NOT NULL,
    PRIMARY KEY (sequence, row_number)
) STRICT, WITHOUT ROWID;

-- Coverage in force: one row per AGB code or pseudonym of a line, or of an existing prestatie. Freed rows are gone.
CREATE TABLE coverage (
    coverage_key TEXT NOT NULL,
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    line INTEGER NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL CHECK (first_day <= last_day),
    state TEXT NOT NULL CHECK (state IN ('awarded', 'held', 'imported')),
    PRIMARY KEY (sequence, line, coverage_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX coverage_by_key ON coverage (coverage_key, last_day, first_day);

CREATE TABLE invoice_part (
    payee TEXT NOT NULL,
    invoice_number TEXT NOT NULL,
    part INTEGER NOT NULL,
    used_on TEXT NOT NULL,
    PRIMARY KEY (payee, invoice_number, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE term_use (
    contract_id TEXT NOT NULL,
    list TEXT NOT NULL,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    insurer TEXT NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (contract_id, list, code, subject, insurer)
) STRICT, WITHOUT ROWID;

CREATE TABLE ceiling_use (
    contract_id TEXT NOT NULL,
    name TEXT NOT NULL,
    taken_cents INTEGER NOT NULL CHECK (taken_cents >= 0),
    PRIMARY KEY (contract_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE reference_version (
    version TEXT PRIMARY KEY,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    canonical BLOB NOT NULL
) STRICT;

-- The version in force is that of the last row.
CREATE TABLE reference_activation (
    sequence INTEGER PRIMARY KEY REFERENCES log (sequence),
    version TEXT NOT NULL REFERENCES reference_version (version)
) STRICT;
CREATE INDEX reference_activation_of ON reference_activation (version, sequence);

-- What is to be sent on, in order of id.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    relay TEXT NOT NULL CHECK (relay IN ('outcomes', 'claims')),
    kind TEXT NOT NULL CHECK (kind IN ('outcome', 'refusal', 'claims')),
    party TEXT,
    message_id BLOB,
    version INTEGER NOT NULL,
    traceparent TEXT NOT NULL,
    body BLOB NOT NULL,
    written_at INTEGER,
    sent TEXT CHECK (sent IN ('confirmed', 'unclaimed', 'parked')),
    sent_at INTEGER,
    CHECK ((sent IS NULL) = (sent_at IS NULL))
) STRICT;
CREATE INDEX outbox_unsent ON outbox (relay, id) WHERE sent IS NULL;
CREATE INDEX outbox_stuck ON outbox (sent) WHERE sent IN ('unclaimed', 'parked');

CREATE TABLE relay_lease (
    relay TEXT PRIMARY KEY CHECK (relay IN ('outcomes', 'claims')),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    held_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Attempts at deliveries that have not come through yet.
CREATE TABLE attempt (
    stage TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    attempts INTEGER NOT NULL CHECK (attempts > 0),
    attempted_at INTEGER NOT NULL,
    PRIMARY KEY (stage, fingerprint)
) STRICT, WITHOUT ROWID;

-- Deliveries that no role can work on; the body is sealed.
CREATE TABLE quarantine (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    stage TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    reason TEXT NOT NULL,
    problem TEXT NOT NULL,
    party TEXT,
    message_id TEXT NOT NULL,
    content_type TEXT NOT NULL,
    sealed_body BLOB NOT NULL,
    quarantined_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    UNIQUE (stage, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX quarantine_newest ON quarantine (quarantined_at, id);

-- Messages that wait for an original or predecessor (samenloop.record.v1.Validated).
CREATE TABLE waiting (
    party TEXT NOT NULL,
    message_id BLOB NOT NULL CHECK (length(message_id) = 16),
    validated BLOB NOT NULL,
    wait_until INTEGER NOT NULL,
    PRIMARY KEY (party, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_first ON waiting (wait_until, message_id);

-- Counts for the operator page, kept by the transaction that changes them.
CREATE TABLE tally (
    kind TEXT NOT NULL CHECK (kind IN ('messages', 'verdict', 'reason')),
    tally_key TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, tally_key)
) STRICT, WITHOUT ROWID;
