-- What for: one immutable row per accepted record of the unit log and experiment. Any prefix of history is `WHERE position < P`.
-- Safe while writers run: yes, it only creates.
-- How to know it worked: `SELECT count() FROM facts` answers.
-- Undo: DROP TABLE facts; the unit log rebuilds it.
CREATE TABLE IF NOT EXISTS facts (
  partition_id UInt16 COMMENT 'of the unit log, numbered over all generations',
  id FixedString(16) COMMENT 'event or outcome id; ids that are no UUID: first half of their SHA-256',
  position UInt64 COMMENT 'in the unit log: offset * 4096 + index in the message',
  kind Enum8('exposure' = 1, 'inference' = 2, 'outcome' = 3),
  unit FixedString(16) COMMENT 'keyed hash',
  occurred_at DateTime64(3, 'UTC'),
  received_at DateTime64(3, 'UTC'),
  experiment LowCardinality(String) COMMENT 'exposure, inference',
  phase UInt32 COMMENT 'exposure, inference',
  arm LowCardinality(String) COMMENT 'exposure, inference',
  amounts Array(Int64) COMMENT 'inference: numerator and denominator per metric, whole numbers of the measure''s scale',
  outcome_kind LowCardinality(String) COMMENT 'outcome',
  value Nullable(Int64) COMMENT 'outcome: in millionths; null: taken back, or another kind of fact'
) ENGINE = ReplacingMergeTree ORDER BY (partition_id, id, position, experiment) SETTINGS index_granularity = 1024;
