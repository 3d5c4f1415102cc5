-- The store of settlement. Claims, journals, postings and events are written once and stay as they are.
-- A claim is named "sequence.version.line_number". Times are microseconds since 1970, amounts are cents.

CREATE TABLE claim (
    sequence       INTEGER NOT NULL CHECK (sequence > 0),
    version        INTEGER NOT NULL CHECK (version >= 0),
    line_number    INTEGER NOT NULL CHECK (line_number >= 0),
    message_id     TEXT    NOT NULL CHECK (length(message_id) = 36),
    insurer        TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    awarded_cents  INTEGER NOT NULL CHECK (abs(awarded_cents) <= 10000000000000),
    content_digest BLOB    NOT NULL CHECK (length(content_digest) = 32),
    -- Encoded samenloop.record.v1.AllocatedClaim: the claim as submitted, its parts and their sum.
    body           BLOB    NOT NULL,
    recorded_at_us INTEGER NOT NULL,
    PRIMARY KEY (sequence, version, line_number)
) STRICT, WITHOUT ROWID;

CREATE INDEX claim_by_message ON claim (message_id);

-- One for each message and insurer, written after its postings.
CREATE TABLE journal (
    sequence       INTEGER NOT NULL CHECK (sequence > 0),
    version        INTEGER NOT NULL CHECK (version >= 0),
    insurer        TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    posting_count  INTEGER NOT NULL CHECK (posting_count >= 0),
    currency       TEXT    NOT NULL CHECK (currency = 'EUR'),
    recorded_at_us INTEGER NOT NULL,
    PRIMARY KEY (sequence, version, insurer)
) STRICT, WITHOUT ROWID;

-- Summed per account. Debit positive.
CREATE TABLE posting (
    sequence INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    insurer  TEXT    NOT NULL,
    account  TEXT    NOT NULL CHECK (account <> ''),
    cents    INTEGER NOT NULL CHECK (cents <> 0 AND abs(cents) <= 10000000000000),
    PRIMARY KEY (sequence, version, insurer, account),
    FOREIGN KEY (sequence, version, insurer) REFERENCES journal DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    insurer     TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    position    INTEGER NOT NULL CHECK (position > 0),
    sequence    INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    line_number INTEGER NOT NULL,
    -- This insurer's amount: the sum of its parts.
    cents       INTEGER NOT NULL CHECK (abs(cents) <= 10000000000000),
    PRIMARY KEY (insurer, position),
    FOREIGN KEY (sequence, version, line_number) REFERENCES claim
) STRICT, WITHOUT ROWID;

CREATE TABLE stream_head (
    insurer  TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL CHECK (position > 0),
    cents    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
    insurer         TEXT    NOT NULL,
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    position        INTEGER NOT NULL CHECK (position >= 0),
    acknowledged_us INTEGER NOT NULL,
    PRIMARY KEY (insurer, name)
) STRICT, WITHOUT ROWID;

-- What is inserted. REPLACE deletes without a delete trigger, so an insert over a row is refused as well.

CREATE TRIGGER journal_balances BEFORE INSERT ON journal
WHEN (
    SELECT coalesce(sum(cents), 0) <> 0 OR count(*) <> NEW.posting_count FROM posting
    WHERE sequence = NEW.sequence AND version = NEW.version AND insurer = NEW.insurer
)
BEGIN
    SELECT RAISE(ABORT, 'the journal does not balance');
END;

CREATE TRIGGER journal_is_new BEFORE INSERT ON journal
WHEN EXISTS (
    SELECT 1 FROM journal
    WHERE sequence = NEW.sequence AND version = NEW.version AND insurer = NEW.insurer
)
BEGIN
    SELECT RAISE(ABORT, 'the journal is written');
END;

CREATE TRIGGER posting_comes_before_its_journal BEFORE INSERT ON posting
WHEN EXISTS (
    SELECT 1 FROM journal
    WHERE sequence = NEW.sequence AND version = NEW.version AND insurer = NEW.insurer
)
BEGIN
    SELECT RAISE(ABORT, 'the journal is written');
END;

CREATE TRIGGER claim_is_new BEFORE INSERT ON claim
WHEN EXISTS (
    SELECT 1 FROM claim
    WHERE sequence = NEW.sequence AND version = NEW.version AND line_number = NEW.line_number
)
BEGIN
    SELECT RAISE(ABORT, 'the claim is recorded');
END;

CREATE TRIGGER event_follows BEFORE INSERT ON event
WHEN NEW.position <> 1 + coalesce(
    (SELECT max(position) FROM event WHERE insurer = NEW.insurer), 0
)
BEGIN
    SELECT RAISE(ABORT, 'the position does not follow the last one');
END;

CREATE TRIGGER claim_stays BEFORE UPDATE ON claim
BEGIN SELECT RAISE(ABORT, 'a claim is never changed'); END;
CREATE TRIGGER claim_is_kept BEFORE DELETE ON claim
BEGIN SELECT RAISE(ABORT, 'a claim is never deleted'); END;
CREATE TRIGGER journal_stays BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'a journal is never changed'); END;
CREATE TRIGGER journal_is_kept BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'a journal is never deleted'); END;
CREATE TRIGGER posting_stays BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'a posting is never changed'); END;
CREATE TRIGGER posting_is_kept BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'a posting is never deleted'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;
