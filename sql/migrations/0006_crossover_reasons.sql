-- What for: why units are crossovers: `arms` (seen in two), `alias` (counted under another of their names, `fallback_unit`). Readings of before have an empty map.
-- Safe while writers run: yes; a writer that does not know the column leaves it empty.
-- How to know it worked: `SELECT sum(length(crossover_reasons)) FROM readings` answers.
-- Undo: ALTER TABLE readings DROP COLUMN crossover_reasons.
ALTER TABLE readings ADD COLUMN IF NOT EXISTS crossover_reasons Map(LowCardinality(String), UInt64) AFTER crossovers;
