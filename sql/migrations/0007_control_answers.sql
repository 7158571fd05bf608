-- What for: every control record has an answer that says why. Column `seq` of decisions and acks is the record's offset on the control topic from now on.
-- Safe while writers run: yes; a writer that does not know the columns leaves them empty.
-- How to know it worked: `SELECT code, reason FROM acks LIMIT 1` and `SELECT not_obeyed FROM readings LIMIT 1` answer.
-- Undo: ALTER TABLE acks DROP COLUMN code, DROP COLUMN reason; ALTER TABLE readings DROP COLUMN not_obeyed.
ALTER TABLE acks ADD COLUMN IF NOT EXISTS code LowCardinality(String) AFTER result, ADD COLUMN IF NOT EXISTS reason String AFTER code;
ALTER TABLE readings ADD COLUMN IF NOT EXISTS not_obeyed Array(String) AFTER crossover_reasons;
