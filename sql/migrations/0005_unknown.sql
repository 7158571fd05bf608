-- What for: a value that is not known is no number. Facts say which metrics a call has no value for; the comments of table state say where known and unknown are counted.
-- Readings say how much of each arm is known, and table missing what a candidate loses at each step.
-- Safe while writers run: yes; joiners of before write facts without the new column. Rows of state that they wrote are of an earlier revision: see `npx tripline rebuild`.
-- How to know it worked: `SELECT count() FROM facts WHERE notEmpty(unknown)` answers.
-- Undo: ALTER TABLE facts DROP COLUMN unknown; DROP TABLE missing; drop the columns of readings; their topics fill them again.
ALTER TABLE facts ADD COLUMN IF NOT EXISTS unknown Array(UInt16) COMMENT 'inference: metrics (place in the experiment, 0-based) that it has no value for; their amounts are 0, but for a denominator of requests' AFTER amounts;
ALTER TABLE state COMMENT COLUMN totals 'unit: 4 numbers per metric: numerator and denominator in whole numbers of the measure''s scale, calls with a value, calls without';
ALTER TABLE state COMMENT COLUMN entries 'unit: 17 numbers per metric; elements 17 m + 1 to 17 m + 17 are those of metric m (0-based). Last closed entry: 1 segment or -1, 2 start (epoch ms), 3 numerator, 4 denominator, 5 calls with a value, 6 calls without, 7 reached (1: called, 2: answered, added up), 8 and 9 scales of its weight in 2^-20 (harm, win), 10 segment of the closed entry before it or -1. Open entry: 11 segment or -1, 12 start (epoch ms), 13 numerator, 14 denominator, 15 calls with a value, 16 calls without, 17 reached';
ALTER TABLE state COMMENT COLUMN first_events 'metric aggregate: units with a numerator that is not 0';
ALTER TABLE state COMMENT COLUMN sums 'metric aggregate, over units: numerator, denominator, numerator squared, denominator squared, numerator * denominator, calls with a value, calls without, units with a call without';
ALTER TABLE state COMMENT COLUMN test_sums 'test aggregate: units with a value that is not 0; in 2^-32: value, value squared, 7 harm and 7 win bet logs; entries with a value, entries with a denominator of 0, entries with a call without a value, entries without a call, entries without an answer, values below the floor, values above the cap; in 2^-20: weights that a win reckons with; of known values weight w, w x, w^2, w^2 x, w^2 x^2';
ALTER TABLE readings ADD COLUMN IF NOT EXISTS known Int64 COMMENT 'closed entries with a value',
  ADD COLUMN IF NOT EXISTS unknown Int64 COMMENT 'closed entries whose value is not known at all',
  ADD COLUMN IF NOT EXISTS incomplete Int64 COMMENT 'closed entries with a call whose value is not known',
  ADD COLUMN IF NOT EXISTS known_calls UInt64 COMMENT 'calls with a value',
  ADD COLUMN IF NOT EXISTS unknown_calls UInt64 COMMENT 'calls without',
  ADD COLUMN IF NOT EXISTS below Int64 COMMENT 'known values below the floor',
  ADD COLUMN IF NOT EXISTS above Int64 COMMENT 'known values above the cap',
  ADD COLUMN IF NOT EXISTS clipped String COMMENT 'more than 5% of an arm''s values lie outside floor and cap',
  ADD COLUMN IF NOT EXISTS contradiction LowCardinality(String) COMMENT 'harm or win: evidence past its bound whose own means say the opposite';
CREATE TABLE IF NOT EXISTS missing (
  kafka_partition UInt16, kafka_offset UInt64, experiment LowCardinality(String), phase UInt32, revision UInt32, look_seq UInt64, watermark Nullable(DateTime64(3, 'UTC')),
  candidate LowCardinality(String), step LowCardinality(String) COMMENT 'called, answered, measured, resolved', metric LowCardinality(String) COMMENT 'by whose entries it is counted; of measured and resolved also which metric it is about',
  action LowCardinality(String) COMMENT 'what is done when it is bad', status LowCardinality(String) COMMENT 'bad, suspected, fine, unknown', control_entries Int64, control_missing Int64, candidate_entries Int64, candidate_missing Int64,
  test_start String COMMENT 'from where the strongest test counts', weighted_log_e Nullable(Float64), threshold Nullable(Float64) COMMENT 'log(1/alpha_missing)'
) ENGINE = ReplacingMergeTree(kafka_offset) ORDER BY (experiment, phase, step, metric, candidate, look_seq);
