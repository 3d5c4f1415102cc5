-- Money beside claims: commands of insurers, their journals and events, balances, budgets, payments.
-- A journal is of the claims of a message (sequence and version of its outcome) or of a command (its number, and the
-- place of the journal in it). Days are ISO 8601 text.

CREATE TABLE empty_store (
    claims INTEGER NOT NULL CONSTRAINT "a store without balances must be empty" CHECK (claims = 0)
);
INSERT INTO empty_store SELECT count(*) FROM claim;
DROP TABLE empty_store;

DROP TABLE event;
DROP TABLE posting;
DROP TABLE journal;

ALTER TABLE claim ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR' CHECK (currency = 'EUR');

-- What an insurer asked for, each request id once. Numbers have no gap.
CREATE TABLE command (
    insurer        TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    number         INTEGER NOT NULL CHECK (number > 0),
    request_id     TEXT    NOT NULL CHECK (length(request_id) = 36),
    kind           TEXT    NOT NULL CHECK (kind <> ''),
    content_digest BLOB    NOT NULL CHECK (length(content_digest) = 32),
    -- Encoded samenloop.settlement.v1.Entry, and the file that was asked for.
    entry          BLOB    NOT NULL,
    file           BLOB    NOT NULL,
    currency       TEXT    NOT NULL DEFAULT 'EUR' CHECK (currency = 'EUR'),
    recorded_at_us INTEGER NOT NULL,
    PRIMARY KEY (insurer, number),
    UNIQUE (insurer, request_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    origin            TEXT    NOT NULL DEFAULT 'claims' CHECK (origin IN ('claims', 'commands')),
    sequence          INTEGER NOT NULL CHECK (sequence > 0),
    version           INTEGER NOT NULL CHECK (version >= 0),
    insurer           TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    posting_count     INTEGER NOT NULL CHECK (posting_count >= 0),
    currency          TEXT    NOT NULL CHECK (currency = 'EUR'),
    recorded_at_us    INTEGER NOT NULL,
    -- The journal that this one undoes.
    reverses_sequence INTEGER,
    reverses_version  INTEGER,
    PRIMARY KEY (origin, sequence, version, insurer),
    UNIQUE (origin, insurer, reverses_sequence, reverses_version),
    CHECK ((reverses_sequence IS NULL) = (reverses_version IS NULL)),
    CHECK (reverses_sequence IS NULL OR origin = 'commands'),
    FOREIGN KEY (origin, reverses_sequence, reverses_version, insurer)
        REFERENCES journal (origin, sequence, version, insurer)
) STRICT, WITHOUT ROWID;

-- Summed per account. Debit positive.
CREATE TABLE posting (
    origin   TEXT    NOT NULL DEFAULT 'claims',
    sequence INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    insurer  TEXT    NOT NULL,
    account  TEXT    NOT NULL CHECK (account <> ''),
    cents    INTEGER NOT NULL CHECK (cents <> 0 AND abs(cents) <= 10000000000000),
    PRIMARY KEY (origin, sequence, version, insurer, account),
    FOREIGN KEY (origin, sequence, version, insurer) REFERENCES journal
        DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE INDEX posting_by_account ON posting (insurer, account);

-- Of a claim or of a command. The columns behind `command` are those of the claim, for lists.
CREATE TABLE event (
    insurer     TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    position    INTEGER NOT NULL CHECK (position > 0),
    sequence    INTEGER,
    version     INTEGER,
    line_number INTEGER,
    -- By how much more the insurer's sectors cost: of a claim, the sum of this insurer's parts.
    cents       INTEGER NOT NULL CHECK (abs(cents) <= 10000000000000),
    command     INTEGER,
    payee       TEXT    CHECK (payee GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'),
    contract_id TEXT,
    first_day   TEXT,
    last_day    TEXT,
    PRIMARY KEY (insurer, position),
    FOREIGN KEY (sequence, version, line_number) REFERENCES claim,
    FOREIGN KEY (insurer, command) REFERENCES command,
    CHECK ((command IS NULL) = (sequence IS NOT NULL)),
    CHECK ((sequence IS NULL) = (version IS NULL) AND (version IS NULL) = (line_number IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX event_by_payee ON event (insurer, payee, position);
CREATE INDEX event_by_contract ON event (insurer, contract_id, position);

-- The sums of the postings, kept with them.
CREATE TABLE balance (
    insurer       TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    cents         INTEGER NOT NULL,
    posting_count INTEGER NOT NULL CHECK (posting_count > 0),
    PRIMARY KEY (insurer, account)
) STRICT, WITHOUT ROWID;

-- The keys that claims were split by, as each insurer sees them.
CREATE TABLE allocation_key (
    insurer     TEXT    NOT NULL CHECK (insurer GLOB '[0-9][0-9][0-9][0-9]'),
    contract_id TEXT    NOT NULL,
    region      TEXT    NOT NULL,
    year        INTEGER NOT NULL,
    digest      TEXT    NOT NULL CHECK (length(digest) = 64),
    -- Encoded samenloop.settlement.v1.AllocationKey.
    body        BLOB    NOT NULL,
    PRIMARY KEY (insurer, contract_id, region, year, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget (
    insurer     TEXT    NOT NULL,
    budget_id   TEXT    NOT NULL CHECK (length(budget_id) BETWEEN 1 AND 64),
    payee       TEXT    NOT NULL CHECK (payee GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'),
    contract_id TEXT    NOT NULL CHECK (length(contract_id) BETWEEN 1 AND 64),
    first_day   TEXT    NOT NULL CHECK (first_day IS date(first_day)),
    last_day    TEXT    NOT NULL CHECK (last_day IS date(last_day) AND last_day >= first_day),
    cents       INTEGER NOT NULL CHECK (cents BETWEEN 1 AND 10000000000000),
    -- Encoded samenloop.settlement.v1.RecordBudgetRequest.
    body        BLOB    NOT NULL,
    command     INTEGER NOT NULL,
    PRIMARY KEY (insurer, budget_id),
    FOREIGN KEY (insurer, command) REFERENCES command
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_term (
    insurer     TEXT    NOT NULL,
    budget_id   TEXT    NOT NULL,
    number      INTEGER NOT NULL CHECK (number > 0),
    due_on      TEXT    NOT NULL CHECK (due_on IS date(due_on)),
    cents       INTEGER NOT NULL CHECK (cents BETWEEN 1 AND 10000000000000),
    advanced_by INTEGER,
    PRIMARY KEY (insurer, budget_id, number),
    FOREIGN KEY (insurer, budget_id) REFERENCES budget,
    FOREIGN KEY (insurer, advanced_by) REFERENCES command
) STRICT, WITHOUT ROWID;

-- A period closed, by the command of that number; what came after `position` is of the next one.
CREATE TABLE payment_run (
    insurer  TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    last_day TEXT    NOT NULL CHECK (last_day IS date(last_day)),
    due_on   TEXT    NOT NULL CHECK (due_on IS date(due_on)),
    position INTEGER NOT NULL,
    PRIMARY KEY (insurer, number),
    UNIQUE (insurer, last_day),
    FOREIGN KEY (insurer, number) REFERENCES command
) STRICT, WITHOUT ROWID;

-- What a payee gets of a run. A step is the number of its command and the place of its journal; the last one taken
-- is the state of the payment.
CREATE TABLE payment (
    insurer          TEXT    NOT NULL,
    run              INTEGER NOT NULL,
    payee            TEXT    NOT NULL,
    reference        TEXT    NOT NULL CHECK (length(reference) BETWEEN 1 AND 35),
    cents            INTEGER NOT NULL CHECK (cents BETWEEN 0 AND 10000000000000),
    advanced_cents   INTEGER NOT NULL CHECK (advanced_cents BETWEEN 0 AND 10000000000000),
    set_off_cents    INTEGER NOT NULL CHECK (set_off_cents BETWEEN 0 AND 10000000000000),
    carried_cents    INTEGER NOT NULL CHECK (carried_cents BETWEEN 0 AND 10000000000000),
    payable_version  INTEGER NOT NULL,
    ordered_by       INTEGER,
    ordered_version  INTEGER,
    paid_by          INTEGER,
    paid_version     INTEGER,
    reversed_by      INTEGER,
    PRIMARY KEY (insurer, run, payee),
    UNIQUE (insurer, reference),
    FOREIGN KEY (insurer, run) REFERENCES payment_run,
    FOREIGN KEY (insurer, ordered_by) REFERENCES command,
    FOREIGN KEY (insurer, paid_by) REFERENCES command,
    FOREIGN KEY (insurer, reversed_by) REFERENCES command,
    CHECK (carried_cents = 0 OR cents = 0),
    CHECK (cents > 0 OR (ordered_by IS NULL AND paid_by IS NULL AND reversed_by IS NULL))
) STRICT, WITHOUT ROWID;

-- What is inserted. REPLACE deletes without a delete trigger, so an insert over a row is refused as well.

CREATE TRIGGER journal_balances BEFORE INSERT ON journal
WHEN (
    SELECT coalesce(sum(cents), 0) <> 0 OR count(*) <> NEW.posting_count FROM posting
    WHERE origin = NEW.origin AND sequence = NEW.sequence AND version = NEW.version
        AND insurer = NEW.insurer
)
BEGIN
    SELECT RAISE(ABORT, 'the journal does not balance');
END;

CREATE TRIGGER journal_undoes_the_one_named BEFORE INSERT ON journal
WHEN NEW.reverses_sequence IS NOT NULL AND EXISTS (
    SELECT 1 FROM posting
    WHERE origin = NEW.origin AND insurer = NEW.insurer AND (
        (sequence = NEW.sequence AND version = NEW.version)
        OR (sequence = NEW.reverses_sequence AND version = NEW.reverses_version)
    )
    GROUP BY account HAVING count(*) <> 2 OR sum(cents) <> 0
)
BEGIN
    SELECT RAISE(ABORT, 'the journal does not undo the one that it names');
END;

CREATE TRIGGER journal_is_new BEFORE INSERT ON journal
WHEN EXISTS (
    SELECT 1 FROM journal
    WHERE origin = NEW.origin AND sequence = NEW.sequence AND version = NEW.version
        AND insurer = NEW.insurer
) OR EXISTS (
    SELECT 1 FROM journal
    WHERE origin = NEW.origin AND insurer = NEW.insurer
        AND reverses_sequence = NEW.reverses_sequence AND reverses_version = NEW.reverses_version
)
BEGIN
    SELECT RAISE(ABORT, 'the journal is written');
END;

CREATE TRIGGER posting_comes_before_its_journal BEFORE INSERT ON posting
WHEN EXISTS (
    SELECT 1 FROM journal
    WHERE origin = NEW.origin AND sequence = NEW.sequence AND version = NEW.version
        AND insurer = NEW.insurer
)
BEGIN
    SELECT RAISE(ABORT, 'the journal is written');
END;

CREATE TRIGGER event_follows BEFORE INSERT ON event
WHEN NEW.position <> 1 + coalesce(
    (SELECT max(position) FROM event WHERE insurer = NEW.insurer), 0
)
BEGIN
    SELECT RAISE(ABORT, 'the position does not follow the last one');
END;

CREATE TRIGGER command_follows BEFORE INSERT ON command
WHEN NEW.number <> 1 + coalesce((SELECT max(number) FROM command WHERE insurer = NEW.insurer), 0)
    OR EXISTS (
        SELECT 1 FROM command WHERE insurer = NEW.insurer AND request_id = NEW.request_id
    )
BEGIN
    SELECT RAISE(ABORT, 'the command is recorded, or does not follow the last one');
END;

CREATE TRIGGER budget_is_new BEFORE INSERT ON budget
WHEN EXISTS (SELECT 1 FROM budget WHERE insurer = NEW.insurer AND budget_id = NEW.budget_id)
BEGIN SELECT RAISE(ABORT, 'the budget is recorded'); END;
CREATE TRIGGER budget_term_is_new BEFORE INSERT ON budget_term
WHEN EXISTS (
    SELECT 1 FROM budget_term
    WHERE insurer = NEW.insurer AND budget_id = NEW.budget_id AND number = NEW.number
)
BEGIN SELECT RAISE(ABORT, 'the term is recorded'); END;
CREATE TRIGGER payment_run_is_new BEFORE INSERT ON payment_run
WHEN EXISTS (
    SELECT 1 FROM payment_run
    WHERE insurer = NEW.insurer AND (number = NEW.number OR last_day = NEW.last_day)
)
BEGIN SELECT RAISE(ABORT, 'the period is closed'); END;
CREATE TRIGGER payment_is_new BEFORE INSERT ON payment
WHEN EXISTS (
    SELECT 1 FROM payment
    WHERE insurer = NEW.insurer
        AND ((run = NEW.run AND payee = NEW.payee) OR reference = NEW.reference)
)
BEGIN SELECT RAISE(ABORT, 'the payment is recorded'); END;

-- What is changed: a payment takes each step once, a term is advanced once, and nothing else of these rows changes.

CREATE TRIGGER payment_goes_forward BEFORE UPDATE ON payment
WHEN (OLD.insurer, OLD.run, OLD.payee, OLD.reference, OLD.cents, OLD.advanced_cents,
        OLD.set_off_cents, OLD.carried_cents, OLD.payable_version)
    IS NOT (NEW.insurer, NEW.run, NEW.payee, NEW.reference, NEW.cents, NEW.advanced_cents,
        NEW.set_off_cents, NEW.carried_cents, NEW.payable_version)
    OR OLD.reversed_by IS NOT NULL
    OR (OLD.paid_by IS NOT NULL
        AND (OLD.paid_by, OLD.paid_version, OLD.ordered_by, OLD.ordered_version)
        IS NOT (NEW.paid_by, NEW.paid_version, NEW.ordered_by, NEW.ordered_version))
    OR (OLD.ordered_by IS NOT NULL
        AND (OLD.ordered_by, OLD.ordered_version) IS NOT (NEW.ordered_by, NEW.ordered_version))
BEGIN SELECT RAISE(ABORT, 'a payment takes each step once'); END;

CREATE TRIGGER term_is_advanced_once BEFORE UPDATE ON budget_term
WHEN (OLD.insurer, OLD.budget_id, OLD.number, OLD.due_on, OLD.cents)
    IS NOT (NEW.insurer, NEW.budget_id, NEW.number, NEW.due_on, NEW.cents)
    OR OLD.advanced_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a term is advanced once'); END;

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
CREATE TRIGGER command_stays BEFORE UPDATE ON command
BEGIN SELECT RAISE(ABORT, 'a command is never changed'); END;
CREATE TRIGGER command_is_kept BEFORE DELETE ON command
BEGIN SELECT RAISE(ABORT, 'a command is never deleted'); END;
CREATE TRIGGER budget_stays BEFORE UPDATE ON budget
BEGIN SELECT RAISE(ABORT, 'a budget is never changed'); END;
CREATE TRIGGER budget_is_kept BEFORE DELETE ON budget
BEGIN SELECT RAISE(ABORT, 'a budget is never deleted'); END;
CREATE TRIGGER budget_term_is_kept BEFORE DELETE ON budget_term
BEGIN SELECT RAISE(ABORT, 'a term is never deleted'); END;
CREATE TRIGGER payment_run_stays BEFORE UPDATE ON payment_run
BEGIN SELECT RAISE(ABORT, 'a payment run is never changed'); END;
CREATE TRIGGER payment_run_is_kept BEFORE DELETE ON payment_run
BEGIN SELECT RAISE(ABORT, 'a payment run is never deleted'); END;
CREATE TRIGGER payment_is_kept BEFORE DELETE ON payment
BEGIN SELECT RAISE(ABORT, 'a payment is never deleted'); END;
