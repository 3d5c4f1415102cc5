-- An import asks only what is awarded of the coverage under its keys: imported rows, of which there may be millions, are
-- no part of it.
CREATE INDEX coverage_awarded ON coverage (coverage_key, last_day, first_day) WHERE state = 'awarded';
