-- What for: intervals for people beside each verdict, as a look found them.
-- Safe while writers run: yes, columns with defaults; older sinks leave them out.
-- Worked when: SELECT difference_lower FROM readings LIMIT 1 answers.
-- Undo: ALTER TABLE readings DROP COLUMN, once for each.
ALTER TABLE readings
  ADD COLUMN IF NOT EXISTS difference Nullable(Float64) COMMENT 'candidate minus control of the mean capped entry value, metric''s own unit' AFTER estimate,
  ADD COLUMN IF NOT EXISTS difference_lower Nullable(Float64) COMMENT 'holds at all looks with probability 1 - alpha; E3, asymptotic' AFTER difference,
  ADD COLUMN IF NOT EXISTS difference_upper Nullable(Float64) AFTER difference_lower,
  ADD COLUMN IF NOT EXISTS relative Nullable(Float64) COMMENT 'difference as a share of control''s mean' AFTER difference_upper,
  ADD COLUMN IF NOT EXISTS relative_lower Nullable(Float64) AFTER relative,
  ADD COLUMN IF NOT EXISTS relative_upper Nullable(Float64) AFTER relative_lower,
  ADD COLUMN IF NOT EXISTS interval_note String COMMENT 'gate not passed yet, or why there is no interval' AFTER relative_upper;
