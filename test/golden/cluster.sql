-- {"insert_quorum":"auto","insert_quorum_parallel":0,"select_sequential_consistency":"1"}
CREATE TABLE IF NOT EXISTS state ON CLUSTER main (
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
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', position) ORDER BY (log, partition_id, kind, experiment, phase, key) SETTINGS index_granularity = 512;
CREATE TABLE IF NOT EXISTS facts ON CLUSTER main (
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
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}') ORDER BY (partition_id, id, position, experiment) SETTINGS index_granularity = 1024;
CREATE TABLE IF NOT EXISTS generations ON CLUSTER main (
  generation UInt32,
  topic String COMMENT 'of the unit log, without the prefix',
  first_partition_id UInt16 COMMENT 'ids first_partition_id to first_partition_id + partitions - 1 are the partitions of the topic, in their order',
  partitions UInt16,
  parent Int32 COMMENT 'generation that its state was divided from; -1: it begins with its topic',
  ends Array(UInt64) COMMENT 'last position of each partition of the parent',
  sibling_group UInt16 COMMENT 'how many of its partitions stand for one of the first generation of its chain',
  step UInt8 COMMENT '0 planned, 1 divided, 2 open; the highest open generation is what everybody reads'
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', step) ORDER BY generation;
CREATE TABLE IF NOT EXISTS inferences ON CLUSTER main (
  kafka_partition UInt16 COMMENT 'of the record''s topic, tripline.inference.v1',
  kafka_offset UInt64,
  event_id String, trace_id String COMMENT '32 hex digits; the trace of the app''s request', span_id String,
  occurred_at DateTime64(3, 'UTC') COMMENT 'event time', received_at DateTime64(3, 'UTC') COMMENT 'broker time of the raw record',
  service LowCardinality(String), environment LowCardinality(String),
  user_id String COMMENT 'keyed hash', org_id String COMMENT 'keyed hash', session_id String COMMENT 'keyed hash', entity_type LowCardinality(String), entity_id String COMMENT 'keyed hash',
  experiments Array(LowCardinality(String)), phases Array(UInt32), variants Array(LowCardinality(String)), reasons Array(LowCardinality(String)),
  operation LowCardinality(String), provider LowCardinality(String), model_requested LowCardinality(String), model_served LowCardinality(String),
  prompt_name Nullable(String), prompt_version LowCardinality(String), rag_index_version Nullable(String), tool_set_version Nullable(String),
  token_in Nullable(Int64), token_out Nullable(Int64), token_cache_read Nullable(Int64) COMMENT 'part of token_in', token_cache_write Nullable(Int64) COMMENT 'part of token_in', token_reasoning Nullable(Int64) COMMENT 'part of token_out', token_source LowCardinality(String),
  cost_nano_usd Nullable(Int64) COMMENT '1e-9 USD; null when the price is unknown', cost_status LowCardinality(String), price_table_version Nullable(String),
  cost_usd_est Nullable(Float64) ALIAS cost_nano_usd / 1e9 COMMENT 'for reading; sums are taken over cost_nano_usd',
  latency_ms Nullable(Float64), ttft_ms Nullable(Float64), status LowCardinality(String), error_type Nullable(String), finish_reasons Array(String), attempts Int32,
  schema_valid Nullable(Bool) COMMENT 'null: not checked', schema_repairs Int32, guardrails Array(String) COMMENT 'name=action', tool_calls Array(String), tools_denied UInt32,
  scores Map(String, Float64), slices Map(String, String), prompt Nullable(String) COMMENT 'redacted', response Nullable(String) COMMENT 'redacted', attributes Map(String, String),
  redactions Map(String, UInt32) COMMENT 'how many of each type were taken out',
  redaction_tiers Map(LowCardinality(String), UInt32) COMMENT 'the same by type and tier, as in EMAIL structured', redactor_version LowCardinality(String), policy_version LowCardinality(String),
  INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) PARTITION BY toYYYYMM(occurred_at) ORDER BY event_id;
CREATE TABLE IF NOT EXISTS outcomes ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, outcome_id String, revision Int32 COMMENT 'the highest counts', occurred_at DateTime64(3, 'UTC'), received_at DateTime64(3, 'UTC'), trace_id String,
  kind LowCardinality(String), value Nullable(Float64) COMMENT 'null retracts', entity_type LowCardinality(String), entity_id String COMMENT 'keyed hash', inference_id String,
  user_id String COMMENT 'keyed hash', org_id String COMMENT 'keyed hash', session_id String COMMENT 'keyed hash', source LowCardinality(String), attributes Map(String, String),
  redactions Map(String, UInt32), redaction_tiers Map(LowCardinality(String), UInt32) COMMENT 'as in inferences', redactor_version LowCardinality(String), policy_version LowCardinality(String)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (outcome_id, revision);
CREATE TABLE IF NOT EXISTS readings ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, experiment LowCardinality(String), phase UInt32, revision UInt32, look_seq UInt64, watermark Nullable(DateTime64(3, 'UTC')), events_folded UInt64,
  state LowCardinality(String) COMMENT 'first rule that held', settled Bool, crossovers UInt64, srm_log_e Float64, metric LowCardinality(String), candidate LowCardinality(String), role LowCardinality(String),
  status LowCardinality(String), reason String, log_e Nullable(Float64) COMMENT 'natural log of the strongest harm test', weighted_log_e Nullable(Float64), threshold Nullable(Float64) COMMENT 'log(1/alpha)',
  engine LowCardinality(String), test_start String COMMENT 'from where that test counts', win_log_e Nullable(Float64), arm LowCardinality(String), units UInt64, entries Int64,
  numerator String COMMENT 'whole numbers of the measure''s scale', denominator String, estimate Nullable(Float64),
  difference Nullable(Float64) COMMENT 'candidate minus control of the mean capped entry value, in the metric''s own unit',
  difference_lower Nullable(Float64) COMMENT 'holds at all looks with probability 1 - alpha; asymptotic', difference_upper Nullable(Float64),
  relative Nullable(Float64) COMMENT 'difference as a share of control''s mean', relative_lower Nullable(Float64), relative_upper Nullable(Float64),
  interval_note String COMMENT 'gate not passed yet, or why there is no interval'
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, phase, metric, candidate, arm, look_seq);
CREATE TABLE IF NOT EXISTS decisions ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, decision_id String, experiment LowCardinality(String), phase UInt32, seq UInt32, action LowCardinality(String), reason_code LowCardinality(String), rule_id LowCardinality(String), rule_version UInt32,
  candidate LowCardinality(String), metric LowCardinality(String), test_start String, estimate Nullable(Float64), log_e Nullable(Float64), threshold Nullable(Float64), alpha Nullable(Float64), watermark Nullable(DateTime64(3, 'UTC')),
  events_folded UInt64, version_partition_ids Array(UInt32), version_positions Array(UInt64), config_sha String, revision UInt32, evidence String COMMENT 'canonical JSON', actor LowCardinality(String), note String, trace_id String
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, seq, decision_id);
CREATE TABLE IF NOT EXISTS acks ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, decision_id String, experiment LowCardinality(String), phase UInt32, seq UInt32, actuator LowCardinality(String), previous_coverage Float64, new_coverage Float64, revision UInt32,
  applied_at DateTime64(3, 'UTC'), result LowCardinality(String), trace_id String
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, seq, actuator);
CREATE TABLE IF NOT EXISTS parked ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, stage LowCardinality(String), code LowCardinality(String), message String, source_topic LowCardinality(String) COMMENT 'where the record stood that could not be used', source_partition UInt32, source_offset UInt64, schema_id String,
  first_seen DateTime64(3, 'UTC'), bytes UInt64 COMMENT 'size of the original, which stays on the topic'
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (source_topic, source_partition, source_offset, stage);
ALTER TABLE facts ON CLUSTER main ADD COLUMN IF NOT EXISTS unknown Array(UInt16) COMMENT 'inference: metrics (place in the experiment, 0-based) that it has no value for; their amounts are 0, but for a denominator of requests' AFTER amounts;
ALTER TABLE state ON CLUSTER main COMMENT COLUMN totals 'unit: 4 numbers per metric: numerator and denominator in whole numbers of the measure''s scale, calls with a value, calls without';
ALTER TABLE state ON CLUSTER main COMMENT COLUMN entries 'unit: 17 numbers per metric; elements 17 m + 1 to 17 m + 17 are those of metric m (0-based). Last closed entry: 1 segment or -1, 2 start (epoch ms), 3 numerator, 4 denominator, 5 calls with a value, 6 calls without, 7 reached (1: called, 2: answered, added up), 8 and 9 scales of its weight in 2^-20 (harm, win), 10 segment of the closed entry before it or -1. Open entry: 11 segment or -1, 12 start (epoch ms), 13 numerator, 14 denominator, 15 calls with a value, 16 calls without, 17 reached';
ALTER TABLE state ON CLUSTER main COMMENT COLUMN first_events 'metric aggregate: units with a numerator that is not 0';
ALTER TABLE state ON CLUSTER main COMMENT COLUMN sums 'metric aggregate, over units: numerator, denominator, numerator squared, denominator squared, numerator * denominator, calls with a value, calls without, units with a call without';
ALTER TABLE state ON CLUSTER main COMMENT COLUMN test_sums 'test aggregate: units with a value that is not 0; in 2^-32: value, value squared, 7 harm and 7 win bet logs; entries with a value, entries with a denominator of 0, entries with a call without a value, entries without a call, entries without an answer, values below the floor, values above the cap; in 2^-20: weights that a win reckons with; of known values weight w, w x, w^2, w^2 x, w^2 x^2';
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS known Int64 COMMENT 'closed entries with a value',
  ADD COLUMN IF NOT EXISTS unknown Int64 COMMENT 'closed entries whose value is not known at all',
  ADD COLUMN IF NOT EXISTS incomplete Int64 COMMENT 'closed entries with a call whose value is not known',
  ADD COLUMN IF NOT EXISTS known_calls UInt64 COMMENT 'calls with a value',
  ADD COLUMN IF NOT EXISTS unknown_calls UInt64 COMMENT 'calls without',
  ADD COLUMN IF NOT EXISTS below Int64 COMMENT 'known values below the floor',
  ADD COLUMN IF NOT EXISTS above Int64 COMMENT 'known values above the cap',
  ADD COLUMN IF NOT EXISTS clipped String COMMENT 'more than 5% of an arm''s values lie outside floor and cap',
  ADD COLUMN IF NOT EXISTS contradiction LowCardinality(String) COMMENT 'harm or win: evidence past its bound whose own means say the opposite';
CREATE TABLE IF NOT EXISTS missing ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, experiment LowCardinality(String), phase UInt32, revision UInt32, look_seq UInt64, watermark Nullable(DateTime64(3, 'UTC')),
  candidate LowCardinality(String), step LowCardinality(String) COMMENT 'called, answered, measured, resolved', metric LowCardinality(String) COMMENT 'by whose entries it is counted; of measured and resolved also which metric it is about',
  action LowCardinality(String) COMMENT 'what is done when it is bad', status LowCardinality(String) COMMENT 'bad, suspected, fine, unknown', control_entries Int64, control_missing Int64, candidate_entries Int64, candidate_missing Int64,
  test_start String COMMENT 'from where the strongest test counts', weighted_log_e Nullable(Float64), threshold Nullable(Float64) COMMENT 'log(1/alpha_missing)'
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, phase, step, metric, candidate, look_seq);
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS crossover_reasons Map(LowCardinality(String), UInt64) AFTER crossovers;
ALTER TABLE acks ON CLUSTER main ADD COLUMN IF NOT EXISTS code LowCardinality(String) AFTER result, ADD COLUMN IF NOT EXISTS reason String AFTER code;
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS not_obeyed Array(String) AFTER crossover_reasons;
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE missing ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE acks ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE parked ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE state ON CLUSTER main MODIFY COLUMN sums Array(Int256) COMMENT 'metric aggregate, over units: numerator, denominator, numerator squared, denominator squared, numerator * denominator, calls with a value, calls without, units with a call without';
ALTER TABLE state ON CLUSTER main MODIFY COLUMN test_sums Array(Int128) COMMENT 'test aggregate: units with a value that is not 0; in 2^-32: value, value squared, 7 harm and 7 win bet logs; entries with a value, entries with a denominator of 0, entries with a call without a value, entries without a call, entries with an exposure that no call followed, entries with a failed call, values below the floor, values above the cap; in 2^-20: weights that a win reckons with; of known values weight w, w x, w^2, w^2 x, w^2 x^2';
ALTER TABLE state ON CLUSTER main COMMENT COLUMN entries 'unit: 17 numbers per metric; elements 17 m + 1 to 17 m + 17 are those of metric m (0-based). Last closed entry: 1 segment or -1, 2 start (epoch ms), 3 numerator, 4 denominator, 5 calls with a value, 6 calls without, 7 reached (added up: 1 called, 2 a call failed, 4 exposed, 8 exposed and not called since, 16 an exposure without a call), 8 and 9 scales of its weight in 2^-20 (harm, win), 10 segment of the closed entry before it or -1. Open entry: 11 segment or -1, 12 start (epoch ms), 13 numerator, 14 denominator, 15 calls with a value, 16 calls without, 17 reached';
ALTER TABLE missing ON CLUSTER main COMMENT COLUMN step 'called, called again, answered, measured, resolved';
