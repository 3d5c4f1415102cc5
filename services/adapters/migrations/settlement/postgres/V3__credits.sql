-- A claim is credited once. The id is that of the claim that is reversed, as "sequence.version.line_number".
ALTER TABLE claim ADD COLUMN reverses TEXT COLLATE "C" CHECK (reverses <> '');
CREATE UNIQUE INDEX claim_by_original ON claim (reverses) WHERE reverses IS NOT NULL;
