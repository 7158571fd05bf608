-- What for: what was taken out of each row by type and tier; `redactions` stays the short form, by type.
-- Safe while writers run: yes, a column with a default; older sinks leave it out.
-- Worked when: SELECT redaction_tiers FROM inferences LIMIT 1 answers.
-- Undo: ALTER TABLE inferences DROP COLUMN redaction_tiers, outcomes likewise.
ALTER TABLE inferences ADD COLUMN IF NOT EXISTS redaction_tiers Map(LowCardinality(String), UInt32) COMMENT 'how many of each type and tier were taken out, as in EMAIL structured; empty in rows from before it came' AFTER redactions;
ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS redaction_tiers Map(LowCardinality(String), UInt32) COMMENT 'as in inferences' AFTER redactions;
