-- Which rows of which file an entry imported, so that a file imported again adds only what is missing.
CREATE TABLE existing_chunk (
    sequence BIGINT PRIMARY KEY REFERENCES log (sequence),
    source TEXT NOT NULL,
    file_digest BYTEA NOT NULL CHECK (length(file_digest) = 32),
    first_row BIGINT NOT NULL,
    last_row BIGINT NOT NULL CHECK (first_row <= last_row),
    row_count BIGINT NOT NULL CHECK (row_count > 0),
    awarded_cents BIGINT NOT NULL,
    imported_at BIGINT NOT NULL
);
CREATE INDEX existing_chunk_of_file ON existing_chunk (file_digest, first_row);
