-- What a purchaser is shown: the messages with a line to its insurer, newest first.
CREATE INDEX decision_insurer ON decision (insurer, sequence);
