-- The store of settlement. Claims, journals, postings and events are written once and stay as they are.
-- A claim is named "sequence.version.line_number". Times are microseconds since 1970, amounts are cents.

CREATE DOMAIN cents AS BIGINT CHECK (abs(VALUE) <= 10000000000000);
CREATE DOMAIN uzovi AS TEXT COLLATE "C" CHECK (VALUE ~ '^[0-9]{4}$');

CREATE TABLE claim (
    sequence       BIGINT NOT NULL CHECK (sequence > 0),
    version        BIGINT NOT NULL CHECK (version >= 0),
    line_number    BIGINT NOT NULL CHECK (line_number >= 0),
    message_id     UUID   NOT NULL,
    insurer        uzovi  NOT NULL,
    awarded_cents  cents  NOT NULL,
    content_digest BYTEA  NOT NULL CHECK (length(content_digest) = 32),
    -- Encoded samenloop.record.v1.AllocatedClaim: the claim as submitted, its parts and their sum.
    body           BYTEA  NOT NULL,
    recorded_at_us BIGINT NOT NULL,
    PRIMARY KEY (sequence, version, line_number)
);

CREATE INDEX claim_by_message ON claim (message_id);

-- One for each message and insurer, written after its postings.
CREATE TABLE journal (
    sequence       BIGINT NOT NULL CHECK (sequence > 0),
    version        BIGINT NOT NULL CHECK (version >= 0),
    insurer        uzovi  NOT NULL,
    posting_count  BIGINT NOT NULL CHECK (posting_count >= 0),
    currency       TEXT   NOT NULL CHECK (currency = 'EUR'),
    recorded_at_us BIGINT NOT NULL,
    -- So that a posting cannot be slipped in by another transaction while the journal is not visible yet.
    transaction_id XID8   NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (sequence, version, insurer),
    UNIQUE (sequence, version, insurer, transaction_id)
);

-- Summed per account. Debit positive.
CREATE TABLE posting (
    sequence       BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    insurer        uzovi  NOT NULL,
    account        TEXT   COLLATE "C" NOT NULL CHECK (account <> ''),
    cents          cents  NOT NULL CHECK (cents <> 0),
    transaction_id XID8   NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (sequence, version, insurer, account),
    FOREIGN KEY (sequence, version, insurer, transaction_id)
        REFERENCES journal (sequence, version, insurer, transaction_id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE event (
    insurer     uzovi  NOT NULL,
    position    BIGINT NOT NULL CHECK (position > 0),
    sequence    BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    line_number BIGINT NOT NULL,
    -- This insurer's amount: the sum of its parts.
    cents       cents  NOT NULL,
    PRIMARY KEY (insurer, position),
    FOREIGN KEY (sequence, version, line_number) REFERENCES claim
);

-- Locked by whoever takes positions, until it commits: order of positions is order of commits.
CREATE TABLE stream_head (
    insurer  uzovi  NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL CHECK (position > 0),
    cents    BIGINT NOT NULL
);

CREATE TABLE subscription (
    insurer         uzovi  NOT NULL,
    name            TEXT   NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    position        BIGINT NOT NULL CHECK (position >= 0),
    acknowledged_us BIGINT NOT NULL,
    PRIMARY KEY (insurer, name)
);

-- What is inserted is checked once for each statement.

CREATE FUNCTION check_journals() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM inserted j
        WHERE j.transaction_id <> pg_current_xact_id() OR (
            SELECT coalesce(sum(p.cents), 0) <> 0 OR count(*) <> j.posting_count
            FROM posting p
            WHERE p.sequence = j.sequence AND p.version = j.version AND p.insurer = j.insurer
        )
    ) THEN
        RAISE EXCEPTION 'the journal does not balance' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION check_postings() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM inserted p
        WHERE p.transaction_id <> pg_current_xact_id() OR EXISTS (
            SELECT FROM journal j
            WHERE j.sequence = p.sequence AND j.version = p.version AND j.insurer = p.insurer
        )
    ) THEN
        RAISE EXCEPTION 'the journal is written' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION check_events() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT insurer, min(position) AS first, max(position) AS last, count(*) AS count
            FROM inserted GROUP BY insurer
        ) run
        WHERE run.last - run.first + 1 <> run.count OR (
            run.first > 1 AND NOT EXISTS (
                SELECT FROM event e
                WHERE e.insurer = run.insurer AND e.position = run.first - 1
            )
        )
    ) THEN
        RAISE EXCEPTION 'the position does not follow the last one'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER journal_balances AFTER INSERT ON journal
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_journals();
CREATE TRIGGER posting_comes_before_its_journal AFTER INSERT ON posting
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_postings();
CREATE TRIGGER event_follows AFTER INSERT ON event
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_events();

CREATE TRIGGER claim_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON claim
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
