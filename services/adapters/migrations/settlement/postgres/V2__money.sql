-- Money beside claims: commands of insurers, their journals and events, balances, budgets, payments.
-- A journal is of the claims of a message (sequence and version of its outcome) or of a command (its number, and the
-- place of the journal in it). Days are ISO 8601 text.

DO $$ BEGIN
    IF EXISTS (SELECT FROM claim) THEN
        RAISE EXCEPTION 'a settlement store without balances must be empty: start with a new one';
    END IF;
END $$;

DROP TABLE event;
DROP TABLE posting;
DROP TABLE journal;

CREATE DOMAIN agb AS TEXT COLLATE "C" CHECK (VALUE ~ '^[0-9]{8}$');
CREATE DOMAIN day AS TEXT COLLATE "C" CHECK (VALUE ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$');

ALTER TABLE claim ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR' CHECK (currency = 'EUR');

-- What an insurer asked for, each request id once. Numbers have no gap.
CREATE TABLE command (
    insurer        uzovi  NOT NULL,
    number         BIGINT NOT NULL CHECK (number > 0),
    request_id     UUID   NOT NULL,
    kind           TEXT   NOT NULL CHECK (kind <> ''),
    content_digest BYTEA  NOT NULL CHECK (length(content_digest) = 32),
    -- Encoded samenloop.settlement.v1.Entry, and the file that was asked for.
    entry          BYTEA  NOT NULL,
    file           BYTEA  NOT NULL,
    currency       TEXT   NOT NULL DEFAULT 'EUR' CHECK (currency = 'EUR'),
    recorded_at_us BIGINT NOT NULL,
    PRIMARY KEY (insurer, number),
    UNIQUE (insurer, request_id)
);

CREATE TABLE journal (
    origin            TEXT   COLLATE "C" NOT NULL DEFAULT 'claims'
                             CHECK (origin IN ('claims', 'commands')),
    sequence          BIGINT NOT NULL CHECK (sequence > 0),
    version           BIGINT NOT NULL CHECK (version >= 0),
    insurer           uzovi  NOT NULL,
    posting_count     BIGINT NOT NULL CHECK (posting_count >= 0),
    currency          TEXT   NOT NULL CHECK (currency = 'EUR'),
    recorded_at_us    BIGINT NOT NULL,
    -- The journal that this one undoes.
    reverses_sequence BIGINT,
    reverses_version  BIGINT,
    -- So that a posting cannot be slipped in by another transaction while the journal is not visible yet.
    transaction_id    XID8   NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (origin, sequence, version, insurer),
    UNIQUE (origin, sequence, version, insurer, transaction_id),
    UNIQUE (origin, insurer, reverses_sequence, reverses_version),
    CHECK ((reverses_sequence IS NULL) = (reverses_version IS NULL)),
    CHECK (reverses_sequence IS NULL OR origin = 'commands'),
    FOREIGN KEY (origin, reverses_sequence, reverses_version, insurer) REFERENCES journal
);

-- Summed per account. Debit positive.
CREATE TABLE posting (
    origin         TEXT   COLLATE "C" NOT NULL DEFAULT 'claims',
    sequence       BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    insurer        uzovi  NOT NULL,
    account        TEXT   COLLATE "C" NOT NULL CHECK (account <> ''),
    cents          cents  NOT NULL CHECK (cents <> 0),
    transaction_id XID8   NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (origin, sequence, version, insurer, account),
    FOREIGN KEY (origin, sequence, version, insurer, transaction_id)
        REFERENCES journal (origin, sequence, version, insurer, transaction_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX posting_by_account ON posting (insurer, account);

-- Of a claim or of a command. The columns behind `command` are those of the claim, for lists.
CREATE TABLE event (
    insurer     uzovi  NOT NULL,
    position    BIGINT NOT NULL CHECK (position > 0),
    sequence    BIGINT,
    version     BIGINT,
    line_number BIGINT,
    -- By how much more the insurer's sectors cost: of a claim, the sum of this insurer's parts.
    cents       cents  NOT NULL,
    command     BIGINT,
    payee       agb,
    contract_id TEXT   COLLATE "C",
    first_day   TEXT   COLLATE "C",
    last_day    TEXT   COLLATE "C",
    PRIMARY KEY (insurer, position),
    FOREIGN KEY (sequence, version, line_number) REFERENCES claim,
    FOREIGN KEY (insurer, command) REFERENCES command,
    CHECK ((command IS NULL) = (sequence IS NOT NULL)),
    CHECK ((sequence IS NULL) = (version IS NULL) AND (version IS NULL) = (line_number IS NULL))
);

CREATE INDEX event_by_payee ON event (insurer, payee, position);
CREATE INDEX event_by_contract ON event (insurer, contract_id, position);

-- The sums of the postings, kept with them; whoever changes one holds the insurer's stream_head.
CREATE TABLE balance (
    insurer       uzovi  NOT NULL,
    account       TEXT   COLLATE "C" NOT NULL,
    cents         BIGINT NOT NULL,
    posting_count BIGINT NOT NULL CHECK (posting_count > 0),
    PRIMARY KEY (insurer, account)
);

-- The keys that claims were split by, as each insurer sees them.
CREATE TABLE allocation_key (
    insurer     uzovi  NOT NULL,
    contract_id TEXT   COLLATE "C" NOT NULL,
    region      TEXT   COLLATE "C" NOT NULL,
    year        BIGINT NOT NULL,
    digest      TEXT   COLLATE "C" NOT NULL CHECK (length(digest) = 64),
    -- Encoded samenloop.settlement.v1.AllocationKey.
    body        BYTEA  NOT NULL,
    PRIMARY KEY (insurer, contract_id, region, year, digest)
);

CREATE TABLE budget (
    insurer     uzovi  NOT NULL,
    budget_id   TEXT   COLLATE "C" NOT NULL CHECK (length(budget_id) BETWEEN 1 AND 64),
    payee       agb    NOT NULL,
    contract_id TEXT   COLLATE "C" NOT NULL CHECK (length(contract_id) BETWEEN 1 AND 64),
    first_day   day    NOT NULL,
    last_day    day    NOT NULL CHECK (last_day >= first_day),
    cents       cents  NOT NULL CHECK (cents > 0),
    -- Encoded samenloop.settlement.v1.RecordBudgetRequest.
    body        BYTEA  NOT NULL,
    command     BIGINT NOT NULL,
    currency    TEXT   NOT NULL DEFAULT 'EUR' CHECK (currency = 'EUR'),
    PRIMARY KEY (insurer, budget_id),
    FOREIGN KEY (insurer, command) REFERENCES command
);

CREATE TABLE budget_term (
    insurer     uzovi  NOT NULL,
    budget_id   TEXT   COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL CHECK (number > 0),
    due_on      day    NOT NULL,
    cents       cents  NOT NULL CHECK (cents > 0),
    advanced_by BIGINT,
    PRIMARY KEY (insurer, budget_id, number),
    FOREIGN KEY (insurer, budget_id) REFERENCES budget,
    FOREIGN KEY (insurer, advanced_by) REFERENCES command
);

-- A period closed, by the command of that number; what came after `position` is of the next one.
CREATE TABLE payment_run (
    insurer  uzovi  NOT NULL,
    number   BIGINT NOT NULL,
    last_day day    NOT NULL,
    due_on   day    NOT NULL,
    position BIGINT NOT NULL,
    currency TEXT   NOT NULL DEFAULT 'EUR' CHECK (currency = 'EUR'),
    PRIMARY KEY (insurer, number),
    UNIQUE (insurer, last_day),
    FOREIGN KEY (insurer, number) REFERENCES command
);

-- What a payee gets of a run. A step is the number of its command and the place of its journal; the last one taken
-- is the state of the payment.
CREATE TABLE payment (
    insurer          uzovi  NOT NULL,
    run              BIGINT NOT NULL,
    payee            agb    NOT NULL,
    reference        TEXT   COLLATE "C" NOT NULL CHECK (length(reference) BETWEEN 1 AND 35),
    cents            cents  NOT NULL CHECK (cents >= 0),
    advanced_cents   cents  NOT NULL CHECK (advanced_cents >= 0),
    set_off_cents    cents  NOT NULL CHECK (set_off_cents >= 0),
    carried_cents    cents  NOT NULL CHECK (carried_cents >= 0),
    payable_version  BIGINT NOT NULL,
    ordered_by       BIGINT,
    ordered_version  BIGINT,
    paid_by          BIGINT,
    paid_version     BIGINT,
    reversed_by      BIGINT,
    PRIMARY KEY (insurer, run, payee),
    UNIQUE (insurer, reference),
    FOREIGN KEY (insurer, run) REFERENCES payment_run,
    FOREIGN KEY (insurer, ordered_by) REFERENCES command,
    FOREIGN KEY (insurer, paid_by) REFERENCES command,
    FOREIGN KEY (insurer, reversed_by) REFERENCES command,
    CHECK (carried_cents = 0 OR cents = 0),
    CHECK (cents > 0 OR (ordered_by IS NULL AND paid_by IS NULL AND reversed_by IS NULL))
);

CREATE OR REPLACE FUNCTION check_journals() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM inserted j
        WHERE j.transaction_id <> pg_current_xact_id() OR (
            SELECT coalesce(sum(p.cents), 0) <> 0 OR count(*) <> j.posting_count
            FROM posting p
            WHERE p.origin = j.origin AND p.sequence = j.sequence AND p.version = j.version
                AND p.insurer = j.insurer
        )
    ) THEN
        RAISE EXCEPTION 'the journal does not balance' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM inserted j JOIN posting p
            ON p.origin = j.origin AND p.insurer = j.insurer
            AND (p.sequence, p.version) IN
                ((j.sequence, j.version), (j.reverses_sequence, j.reverses_version))
        WHERE j.reverses_sequence IS NOT NULL
        GROUP BY j.insurer, j.sequence, j.version, p.account
        HAVING count(*) <> 2 OR sum(p.cents) <> 0
    ) THEN
        RAISE EXCEPTION 'the journal does not undo the one that it names'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION check_postings() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM inserted p
        WHERE p.transaction_id <> pg_current_xact_id() OR EXISTS (
            SELECT FROM journal j
            WHERE j.origin = p.origin AND j.sequence = p.sequence AND j.version = p.version
                AND j.insurer = p.insurer
        )
    ) THEN
        RAISE EXCEPTION 'the journal is written' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- A step is taken once, and nothing else of the row changes.
CREATE FUNCTION check_payment_step() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.insurer, OLD.run, OLD.payee, OLD.reference, OLD.cents, OLD.advanced_cents,
            OLD.set_off_cents, OLD.carried_cents, OLD.payable_version)
        IS DISTINCT FROM (NEW.insurer, NEW.run, NEW.payee, NEW.reference, NEW.cents,
            NEW.advanced_cents, NEW.set_off_cents, NEW.carried_cents, NEW.payable_version)
        OR OLD.reversed_by IS NOT NULL
        OR (OLD.paid_by IS NOT NULL AND (OLD.paid_by, OLD.paid_version, OLD.ordered_by,
            OLD.ordered_version) IS DISTINCT FROM (NEW.paid_by, NEW.paid_version,
            NEW.ordered_by, NEW.ordered_version))
        OR (OLD.ordered_by IS NOT NULL AND (OLD.ordered_by, OLD.ordered_version)
            IS DISTINCT FROM (NEW.ordered_by, NEW.ordered_version))
    THEN
        RAISE EXCEPTION 'a payment takes each step once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_term_advanced() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.insurer, OLD.budget_id, OLD.number, OLD.due_on, OLD.cents) IS DISTINCT FROM
            (NEW.insurer, NEW.budget_id, NEW.number, NEW.due_on, NEW.cents)
        OR OLD.advanced_by IS NOT NULL
    THEN
        RAISE EXCEPTION 'a term is advanced once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER journal_balances AFTER INSERT ON journal
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_journals();
CREATE TRIGGER posting_comes_before_its_journal AFTER INSERT ON posting
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_postings();
CREATE TRIGGER event_follows AFTER INSERT ON event
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_events();
CREATE TRIGGER payment_goes_forward BEFORE UPDATE ON payment
    FOR EACH ROW EXECUTE FUNCTION check_payment_step();
CREATE TRIGGER term_is_advanced_once BEFORE UPDATE ON budget_term
    FOR EACH ROW EXECUTE FUNCTION check_term_advanced();

DO $$
DECLARE kept TEXT;
BEGIN
    FOREACH kept IN ARRAY ARRAY['journal', 'posting', 'event', 'command', 'budget', 'payment_run']
    LOOP
        EXECUTE format('CREATE TRIGGER %1$s_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON %1$I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', kept);
    END LOOP;
END $$;
CREATE TRIGGER payment_is_kept BEFORE DELETE OR TRUNCATE ON payment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER budget_term_is_kept BEFORE DELETE OR TRUNCATE ON budget_term
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- By role as well, so that a trigger switched off is not enough: the role of the service may not. Where a foreign key
-- locks a row it must be allowed to update some column, so it may update the one that a check pins.
REVOKE UPDATE, DELETE, TRUNCATE ON
    claim, journal, posting, event, command, budget, payment_run FROM CURRENT_USER;
REVOKE DELETE, TRUNCATE ON payment, budget_term FROM CURRENT_USER;
GRANT UPDATE (currency) ON claim, journal, command, budget, payment_run TO CURRENT_USER;
