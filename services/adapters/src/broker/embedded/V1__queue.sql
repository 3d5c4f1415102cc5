-- Which messages are handed out is kept in memory only: it ends with the process, and so it costs no commit.
CREATE TABLE queue (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- The id is the order of publication over all queues.
CREATE TABLE message (
  id             INTEGER PRIMARY KEY,
  queue          INTEGER NOT NULL REFERENCES queue (id),
  message_id     TEXT NOT NULL,
  correlation_id TEXT,
  message_type   TEXT NOT NULL,
  content_type   TEXT NOT NULL,
  user           TEXT,
  headers        TEXT NOT NULL,
  body           BLOB NOT NULL
) STRICT;

CREATE INDEX message_in_queue ON message (queue, id);
