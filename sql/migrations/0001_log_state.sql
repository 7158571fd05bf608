-- What for: everything that the joiner and the linker know, versioned by their position in the log, and one immutable row per accepted record.
-- Safe while writers run: yes, it only creates. How to know it worked: `SELECT count() FROM state`. Undo: DROP TABLE state, facts; the log rebuilds them.
CREATE TABLE IF NOT EXISTS state (
  log Enum8('unit' = 1, 'entity' = 2) COMMENT 'which log the row was folded from',
  partition_id UInt16 COMMENT 'partition of that log',
  kind Enum8('checkpoint' = 1, 'experiment' = 2, 'report' = 3, 'entry' = 4, 'unit' = 5, 'entity' = 6, 'pending' = 7, 'link' = 8),
  experiment LowCardinality(String),
  phase UInt32,
  key String COMMENT 'unit, entity: 16-byte pseudonyms; cells: their coordinates',
  position UInt64 COMMENT 'position of the log up to which the row is true: offset * 4096 + index in the message',
  arm LowCardinality(String),
  metric LowCardinality(String),
  candidate LowCardinality(String) COMMENT 'entry cells: whose bets against control',
  slot Int32 COMMENT 'entry cells: segment; report cells: ordinal of the metric, its pair in x of unit rows',
  clock Int64 COMMENT 'checkpoint: largest received_at folded; unit: first exposure; epoch milliseconds',
  n Int64 COMMENT 'units',
  x Array(Int64) COMMENT 'unit: numerator, denominator per metric; report: units with a first event; entry: s, sv, svv, 7 harm and 7 win bet logs in 2^-32',
  xx Array(Int128) COMMENT 'report: sums of numerator, denominator, their squares and product',
  y Array(Int64) COMMENT 'unit: entries, 9 numbers per metric',
  body String COMMENT 'experiment, entity, pending, link: the rest as JSON',
  INDEX by_ver position TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(position) ORDER BY (log, partition_id, kind, experiment, phase, key) SETTINGS index_granularity = 512;

CREATE TABLE IF NOT EXISTS facts (
  partition_id UInt16,
  id FixedString(16) COMMENT 'event or outcome id; ids that are no UUID: first half of their SHA-256',
  position UInt64 COMMENT 'position in the unit log; any prefix of history is WHERE position < position',
  kind Enum8('exposure' = 1, 'inference' = 2, 'outcome' = 3),
  unit FixedString(16) COMMENT 'keyed hash',
  occurred_at DateTime64(3, 'UTC'),
  received_at DateTime64(3, 'UTC'),
  experiment LowCardinality(String),
  phase UInt32,
  arm LowCardinality(String),
  name LowCardinality(String) COMMENT 'kind of the outcome',
  x Array(Int64) COMMENT 'inference: numerator, denominator per metric; outcome: the value in millionths, empty when retracted'
) ENGINE = ReplacingMergeTree ORDER BY (partition_id, id, position, experiment) SETTINGS index_granularity = 1024;
