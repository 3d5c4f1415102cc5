-- Up to here an insurer's events are no longer sent: whoever has not had them takes a snapshot. The events stay, for
-- lists and remittances are made of them.
CREATE TABLE stream_floor (
    insurer   TEXT    NOT NULL PRIMARY KEY,
    position  INTEGER NOT NULL CHECK (position > 0),
    pruned_us INTEGER NOT NULL
) STRICT;
