-- Instants are microseconds since 1970 in UTC, days are DATE, amounts are whole cents.

-- The one row that every decision transaction begins with: numbers are given in its order, without gaps.
CREATE TABLE decision_head (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    last_sequence BIGINT NOT NULL CHECK (last_sequence >= 0),
    last_hash BYTEA NOT NULL CHECK (length(last_hash) = 32),
    last_outbox BIGINT NOT NULL CHECK (last_outbox >= 0)
);
INSERT INTO decision_head VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0);

-- Whatever can change a later decision. hash = SHA-256(previous_hash || body).
CREATE TABLE log (
    sequence BIGINT PRIMARY KEY CHECK (sequence > 0),
    kind TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    previous_hash BYTEA NOT NULL CHECK (length(previous_hash) = 32),
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    body BYTEA NOT NULL
);
CREATE FUNCTION log_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the log is never changed'; END$$;
CREATE TRIGGER log_is_never_changed BEFORE UPDATE OR DELETE ON log
FOR EACH ROW EXECUTE FUNCTION log_is_never_changed();
CREATE TRIGGER log_is_never_emptied BEFORE TRUNCATE ON log
FOR EACH STATEMENT EXECUTE FUNCTION log_is_never_changed();

-- Registered messages with their newest outcome (samenloop.declaration.v1.Outcome).
CREATE TABLE message (
    message_id UUID PRIMARY KEY,
    party TEXT NOT NULL,
    content_digest BYTEA NOT NULL CHECK (length(content_digest) = 32),
    sequence BIGINT NOT NULL UNIQUE REFERENCES log (sequence),
    version BIGINT NOT NULL CHECK (version > 0),
    received_at BIGINT NOT NULL,
    received_on DATE NOT NULL,
    decided_at BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('accepted', 'partly', 'rejected', 'in_review')),
    outcome BYTEA NOT NULL,
    outcome_sent TEXT CHECK (outcome_sent IN ('confirmed', 'unclaimed', 'parked')),
    claims_sent TEXT CHECK (claims_sent IN ('confirmed', 'unclaimed', 'parked'))
);

-- One row per line. Evidence stands in the outcome of the message; numbers of a refused message may repeat.
CREATE TABLE decision (
    sequence BIGINT NOT NULL REFERENCES log (sequence),
    line_number BIGINT NOT NULL,
    line_index BIGINT NOT NULL,
    declarant TEXT,
    line_reference TEXT NOT NULL,
    insurer TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('debit', 'credit')),
    verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'reduce', 'review', 'reject', 'withdrawn')),
    declared_cents BIGINT NOT NULL,
    awarded_cents BIGINT NOT NULL,
    proposed_cents BIGINT NOT NULL,
    reasons TEXT NOT NULL,
    credited_by_sequence BIGINT,
    credited_by_line BIGINT,
    -- samenloop.record.v1.PastFacts, Coverage and ClaimFacts.
    facts BYTEA,
    coverage BYTEA,
    claim BYTEA,
    PRIMARY KEY (sequence, line_number, line_index),
    CHECK ((credited_by_sequence IS NULL) = (credited_by_line IS NULL))
);
CREATE INDEX decision_reference ON decision (declarant, line_reference);

-- Prestaties that never passed through the queue.
CREATE TABLE existing (
    sequence BIGINT NOT NULL REFERENCES log (sequence),
    row_number BIGINT NOT NULL,
    awarded_cents BIGINT NOT NULL,
    coverage BYTEA NOT NULL,
    PRIMARY KEY (sequence, row_number)
);

-- Coverage in force: one row per AGB code or pseudonym of a line, or of an existing prestatie. Freed rows are gone.
CREATE TABLE coverage (
    coverage_key TEXT NOT NULL,
    sequence BIGINT NOT NULL REFERENCES log (sequence),
    line BIGINT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL CHECK (first_day <= last_day),
    state TEXT NOT NULL CHECK (state IN ('awarded', 'held', 'imported')),
    PRIMARY KEY (sequence, line, coverage_key)
);
CREATE INDEX coverage_by_key ON coverage (coverage_key, last_day, first_day);

CREATE TABLE invoice_part (
    payee TEXT NOT NULL,
    invoice_number TEXT NOT NULL,
    part BIGINT NOT NULL,
    used_on DATE NOT NULL,
    PRIMARY KEY (payee, invoice_number, part)
);

CREATE TABLE term_use (
    contract_id TEXT NOT NULL,
    list TEXT NOT NULL,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    insurer TEXT NOT NULL,
    used BIGINT NOT NULL CHECK (used >= 0),
    PRIMARY KEY (contract_id, list, code, subject, insurer)
);

CREATE TABLE ceiling_use (
    contract_id TEXT NOT NULL,
    name TEXT NOT NULL,
    taken_cents BIGINT NOT NULL CHECK (taken_cents >= 0),
    PRIMARY KEY (contract_id, name)
);

CREATE TABLE reference_version (
    version TEXT PRIMARY KEY,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    canonical BYTEA NOT NULL
);

-- The version in force is that of the last row.
CREATE TABLE reference_activation (
    sequence BIGINT PRIMARY KEY REFERENCES log (sequence),
    version TEXT NOT NULL REFERENCES reference_version (version)
);
CREATE INDEX reference_activation_of ON reference_activation (version, sequence);

-- What is to be sent on, in order of id.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    relay TEXT NOT NULL CHECK (relay IN ('outcomes', 'claims')),
    kind TEXT NOT NULL CHECK (kind IN ('outcome', 'refusal', 'claims')),
    party TEXT,
    message_id UUID,
    version BIGINT NOT NULL,
    traceparent TEXT NOT NULL,
    body BYTEA NOT NULL,
    written_at BIGINT,
    sent TEXT CHECK (sent IN ('confirmed', 'unclaimed', 'parked')),
    sent_at BIGINT,
    CHECK ((sent IS NULL) = (sent_at IS NULL))
);
CREATE INDEX outbox_unsent ON outbox (relay, id) WHERE sent IS NULL;
CREATE INDEX outbox_stuck ON outbox (sent) WHERE sent IN ('unclaimed', 'parked');

CREATE TABLE relay_lease (
    relay TEXT PRIMARY KEY CHECK (relay IN ('outcomes', 'claims')),
    holder UUID NOT NULL,
    held_until BIGINT NOT NULL
);

-- Attempts at deliveries that have not come through yet.
CREATE TABLE attempt (
    stage TEXT NOT NULL,
    fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
    attempts BIGINT NOT NULL CHECK (attempts > 0),
    attempted_at BIGINT NOT NULL,
    PRIMARY KEY (stage, fingerprint)
);

-- Deliveries that no role can work on; the body is sealed.
CREATE TABLE quarantine (
    id UUID PRIMARY KEY,
    stage TEXT NOT NULL,
    fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
    reason TEXT NOT NULL,
    problem TEXT NOT NULL,
    party TEXT,
    message_id TEXT NOT NULL,
    content_type TEXT NOT NULL,
    sealed_body BYTEA NOT NULL,
    quarantined_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    UNIQUE (stage, fingerprint)
);
CREATE INDEX quarantine_newest ON quarantine (quarantined_at, id);

-- Messages that wait for an original or predecessor (samenloop.record.v1.Validated).
CREATE TABLE waiting (
    party TEXT NOT NULL,
    message_id UUID NOT NULL,
    validated BYTEA NOT NULL,
    wait_until BIGINT NOT NULL,
    PRIMARY KEY (party, message_id)
);
CREATE INDEX waiting_first ON waiting (wait_until, message_id);

-- Counts for the operator page, kept by the transaction that changes them.
CREATE TABLE tally (
    kind TEXT NOT NULL CHECK (kind IN ('messages', 'verdict', 'reason')),
    tally_key TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (kind, tally_key)
);
