-- Which rows of which file an entry imported, so that a file imported again adds only what is missing.
CREATE TABLE existing_chunk (
    sequence INTEGER PRIMARY KEY REFERENCES log (sequence),
    source TEXT NOT NULL,
    file_digest BLOB NOT NULL CHECK (length(file_digest) = 32),
    first_row INTEGER NOT NULL,
    last_row INTEGER NOT NULL CHECK (first_row <= last_row),
    row_count INTEGER NOT NULL CHECK (row_count > 0),
    awarded_cents INTEGER NOT NULL,
    imported_at INTEGER NOT NULL
) STRICT;
CREATE INDEX existing_chunk_of_file ON existing_chunk (file_digest, first_row);
