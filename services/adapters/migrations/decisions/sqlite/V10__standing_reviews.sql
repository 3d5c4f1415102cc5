-- What persons decided of two contracts, for days of judgement; the row goes when the decision is ended.
CREATE TABLE standing_review (
    sequence INTEGER NOT NULL REFERENCES log (sequence),
    contract_id TEXT NOT NULL,
    other_contract_id TEXT NOT NULL CHECK (contract_id <= other_contract_id),
    rule TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('accept', 'refuse')),
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL CHECK (first_day <= last_day),
    PRIMARY KEY (sequence, contract_id, other_contract_id, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_review_contract ON standing_review (contract_id);
CREATE INDEX standing_review_other ON standing_review (other_contract_id);
