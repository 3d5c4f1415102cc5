-- Lines that are decided again: by a person, or because what excluded them is gone.

-- The version of the outcome of its message in which the line was decided last.
ALTER TABLE decision ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
-- samenloop.record.v1.Hits: reviews that persons were shown and accepted while the line stays held.
ALTER TABLE decision ADD COLUMN seen BLOB;
-- The rival that excludes a refused line. When it goes, the line is looked at again and waits for another, or is free.
ALTER TABLE decision ADD COLUMN excluded_by_sequence INTEGER;
ALTER TABLE decision ADD COLUMN excluded_by_line INTEGER;
CREATE INDEX decision_excluded_by ON decision (excluded_by_sequence, excluded_by_line, sequence, line_number)
WHERE excluded_by_sequence IS NOT NULL;

-- Held lines, for lists; a line that leaves is gone. rules is " id id ".
CREATE TABLE held (
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    line_number INTEGER NOT NULL,
    message_id BLOB NOT NULL CHECK (length(message_id) = 16),
    line_reference TEXT NOT NULL,
    declarant TEXT NOT NULL,
    insurer TEXT NOT NULL,
    contract_id TEXT NOT NULL,
    rules TEXT NOT NULL,
    version INTEGER NOT NULL,
    proposed_cents INTEGER NOT NULL,
    held_since INTEGER NOT NULL,
    PRIMARY KEY (sequence, line_number)
) STRICT, WITHOUT ROWID;

INSERT INTO held
SELECT d.sequence, d.line_number, m.message_id, d.line_reference, d.declarant, d.insurer, '', ' ', 1, d.proposed_cents,
    m.decided_at
FROM decision AS d JOIN message AS m ON m.sequence = d.sequence WHERE d.verdict = 'review';

-- What persons asked for; the same id again gets the same result (samenloop.record.v1.CommandResult).
CREATE TABLE command (
    command_id BLOB PRIMARY KEY CHECK (length(command_id) = 16),
    content_digest BLOB NOT NULL CHECK (length(content_digest) = 32),
    person TEXT NOT NULL,
    sequence INTEGER REFERENCES log (sequence),
    result BLOB NOT NULL,
    decided_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a person is told of beside held lines: a line, what it is about, and the entry that gave rise to it.
CREATE TABLE review_case (
    case_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('loser', 'dependant', 'import_pair', 'superseded')),
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    line INTEGER NOT NULL,
    other_sequence INTEGER NOT NULL,
    other_line INTEGER NOT NULL,
    cause INTEGER NOT NULL REFERENCES log (sequence),
    line_reference TEXT NOT NULL,
    declarant TEXT NOT NULL,
    insurer TEXT NOT NULL,
    contract_id TEXT NOT NULL,
    rules TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_by BLOB REFERENCES command (command_id),
    UNIQUE (kind, sequence, line, other_sequence, other_line)
) STRICT;
CREATE INDEX review_case_open ON review_case (case_id) WHERE closed_at IS NULL;
CREATE INDEX review_case_of ON review_case (sequence, line) WHERE closed_at IS NULL;
CREATE INDEX review_case_other ON review_case (other_sequence, other_line) WHERE closed_at IS NULL;
