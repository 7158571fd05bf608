-- What for: everything that the joiner and the linker know, each row true of one position of its log.
-- Safe while writers run: yes, it only creates.
-- How to know it worked: `SELECT count() FROM state` answers.
-- Undo: DROP TABLE state; the unit and entity logs rebuild it.
-- One INSERT of one block is atomic because there is no PARTITION BY: a flush is there whole or not at all. Columns and kinds: services/kernel/state/kinds.ts.
CREATE TABLE IF NOT EXISTS state (
  log Enum8('unit' = 1, 'entity' = 2) COMMENT 'which log the row comes from',
  partition_id UInt16 COMMENT 'partition of that log; for the unit log numbered over all generations, see table generations',
  kind Enum8('checkpoint' = 1, 'experiment' = 2, 'metric_aggregate' = 3, 'test_aggregate' = 4, 'unit' = 5, 'entity' = 6, 'pending' = 7, 'link' = 8),
  experiment LowCardinality(String),
  phase UInt32,
  key String COMMENT 'unit, entity, pending, link: 16-byte pseudonyms and ids; aggregates: which one',
  position UInt64 COMMENT 'of the log, up to which the row is true: offset * 4096 + index in the message',
  arm LowCardinality(String) COMMENT 'unit: of its first exposure; aggregates: whose units they are about',
  bucket Int16 COMMENT 'unit, entity: 0 to 4095, -1 when no record said it; other kinds: -1',
  crossover Bool COMMENT 'unit: seen in two arms of an experiment that leaves such units out; no aggregate counts it',
  first_exposed_at DateTime64(3, 'UTC') COMMENT 'unit',
  totals Array(Int64) COMMENT 'unit: numerator and denominator per metric, whole numbers of the measure''s scale',
  entries Array(Int64) COMMENT 'unit: 9 numbers per metric; elements 9 m + 1 to 9 m + 9 are those of metric m (0-based). Last closed entry: 1 segment or -1, 2 start (epoch ms), 3 numerator, 4 denominator, 5 segment of the closed entry before it or -1. Open entry: 6 segment or -1, 7 start (epoch ms), 8 numerator, 9 denominator',
  metric LowCardinality(String) COMMENT 'aggregates',
  candidate LowCardinality(String) COMMENT 'test aggregate: whose bets against control',
  metric_ordinal UInt16 COMMENT 'metric aggregate: place of the metric in the experiment, 0-based',
  segment UInt32 COMMENT 'test aggregate',
  state_revision UInt16 COMMENT 'checkpoint of the unit log: which revision of the joiner''s state wrote it',
  event_clock DateTime64(3, 'UTC') COMMENT 'checkpoint: largest received_at so far; link: what it was at the entity''s last record',
  expires_at DateTime64(3, 'UTC') COMMENT 'pending: when the outcomes are given up',
  units Int64 COMMENT 'aggregates; of a test aggregate a difference, like all its sums',
  first_events Int64 COMMENT 'metric aggregate: units with a numerator above 0',
  waiting UInt32 COMMENT 'pending: how many outcomes; 0: none any more',
  sums Array(Int128) COMMENT 'metric aggregate, over units: numerator, denominator, numerator squared, denominator squared, numerator * denominator',
  test_sums Array(Int64) COMMENT 'test aggregate: units with a value above 0; then in 2^-32: value, value squared, 7 harm and 7 win bet logs',
  body String COMMENT 'experiment, entity, pending, link, checkpoint of the entity log: the rest as JSON; empty: nothing is left',
  INDEX by_position position TYPE minmax GRANULARITY 1,
  INDEX by_unit substring(key, 1, 16) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(position) ORDER BY (log, partition_id, kind, experiment, phase, key) SETTINGS index_granularity = 512;
