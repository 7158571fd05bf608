-- {"insert_quorum":"auto","insert_quorum_parallel":0,"select_sequential_consistency":"1"}
CREATE TABLE IF NOT EXISTS state ON CLUSTER main (
  log Enum8('unit' = 1, 'entity' = 2),
  partition_id UInt16,
  kind Enum8('checkpoint' = 1, 'experiment' = 2, 'metric_aggregate' = 3, 'test_aggregate' = 4, 'unit' = 5, 'entity' = 6, 'pending' = 7, 'link' = 8),
  experiment LowCardinality(String),
  phase UInt32,
  key String,
  position UInt64,
  arm LowCardinality(String),
  bucket Int16,
  crossover Bool,
  first_exposed_at DateTime64(3, 'UTC'),
  totals Array(Int64),
  entries Array(Int64),
  metric LowCardinality(String),
  candidate LowCardinality(String),
  metric_ordinal UInt16,
  segment UInt32,
  state_revision UInt16,
  event_clock DateTime64(3, 'UTC'),
  expires_at DateTime64(3, 'UTC'),
  units Int64,
  first_events Int64,
  waiting UInt32,
  sums Array(Int128),
  test_sums Array(Int64),
  body String,
  INDEX by_position position TYPE minmax GRANULARITY 1,
  INDEX by_unit substring(key, 1, 16) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', position) ORDER BY (log, partition_id, kind, experiment, phase, key) SETTINGS index_granularity = 512;
CREATE TABLE IF NOT EXISTS facts ON CLUSTER main (
  partition_id UInt16,
  id FixedString(16),
  position UInt64,
  kind Enum8('exposure' = 1, 'inference' = 2, 'outcome' = 3),
  unit FixedString(16),
  occurred_at DateTime64(3, 'UTC'),
  received_at DateTime64(3, 'UTC'),
  experiment LowCardinality(String),
  phase UInt32,
  arm LowCardinality(String),
  amounts Array(Int64),
  outcome_kind LowCardinality(String),
  value Nullable(Int64)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}') ORDER BY (partition_id, id, position, experiment) SETTINGS index_granularity = 1024;
CREATE TABLE IF NOT EXISTS generations ON CLUSTER main (
  generation UInt32,
  topic String,
  first_partition_id UInt16,
  partitions UInt16,
  parent Int32,
  ends Array(UInt64),
  sibling_group UInt16,
  step UInt8
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', step) ORDER BY generation;
CREATE TABLE IF NOT EXISTS inferences ON CLUSTER main (
  kafka_partition UInt16,
  kafka_offset UInt64,
  event_id String, trace_id String, span_id String,
  occurred_at DateTime64(3, 'UTC'), received_at DateTime64(3, 'UTC'),
  service LowCardinality(String), environment LowCardinality(String),
  user_id String, org_id String, session_id String, entity_type LowCardinality(String), entity_id String,
  experiments Array(LowCardinality(String)), phases Array(UInt32), variants Array(LowCardinality(String)), reasons Array(LowCardinality(String)),
  operation LowCardinality(String), provider LowCardinality(String), model_requested LowCardinality(String), model_served LowCardinality(String),
  prompt_name Nullable(String), prompt_version LowCardinality(String), rag_index_version Nullable(String), tool_set_version Nullable(String),
  token_in Nullable(Int64), token_out Nullable(Int64), token_cache_read Nullable(Int64), token_cache_write Nullable(Int64), token_reasoning Nullable(Int64), token_source LowCardinality(String),
  cost_nano_usd Nullable(Int64), cost_status LowCardinality(String), price_table_version Nullable(String),
  cost_usd_est Nullable(Float64) ALIAS cost_nano_usd / 1e9,
  latency_ms Nullable(Float64), ttft_ms Nullable(Float64), status LowCardinality(String), error_type Nullable(String), finish_reasons Array(String), attempts Int32,
  schema_valid Nullable(Bool), schema_repairs Int32, guardrails Array(String), tool_calls Array(String), tools_denied UInt32,
  scores Map(String, Float64), slices Map(String, String), prompt Nullable(String), response Nullable(String), attributes Map(String, String),
  redactions Map(String, UInt32),
  redaction_tiers Map(LowCardinality(String), UInt32), redactor_version LowCardinality(String), policy_version LowCardinality(String),
  INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) PARTITION BY toYYYYMM(occurred_at) ORDER BY event_id;
CREATE TABLE IF NOT EXISTS outcomes ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, outcome_id String, revision Int32, occurred_at DateTime64(3, 'UTC'), received_at DateTime64(3, 'UTC'), trace_id String,
  kind LowCardinality(String), value Nullable(Float64), entity_type LowCardinality(String), entity_id String, inference_id String,
  user_id String, org_id String, session_id String, source LowCardinality(String), attributes Map(String, String),
  redactions Map(String, UInt32), redaction_tiers Map(LowCardinality(String), UInt32), redactor_version LowCardinality(String), policy_version LowCardinality(String)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (outcome_id, revision);
CREATE TABLE IF NOT EXISTS readings ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, experiment LowCardinality(String), phase UInt32, revision UInt32, look_seq UInt64, watermark Nullable(DateTime64(3, 'UTC')), events_folded UInt64,
  state LowCardinality(String), settled Bool, crossovers UInt64, srm_log_e Float64, metric LowCardinality(String), candidate LowCardinality(String), role LowCardinality(String),
  status LowCardinality(String), reason String, log_e Nullable(Float64), weighted_log_e Nullable(Float64), threshold Nullable(Float64),
  engine LowCardinality(String), test_start String, win_log_e Nullable(Float64), arm LowCardinality(String), units UInt64, entries Int64,
  numerator String, denominator String, estimate Nullable(Float64),
  difference Nullable(Float64),
  difference_lower Nullable(Float64), difference_upper Nullable(Float64),
  relative Nullable(Float64), relative_lower Nullable(Float64), relative_upper Nullable(Float64),
  interval_note String
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, phase, metric, candidate, arm, look_seq);
CREATE TABLE IF NOT EXISTS decisions ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, decision_id String, experiment LowCardinality(String), phase UInt32, seq UInt32, action LowCardinality(String), reason_code LowCardinality(String), rule_id LowCardinality(String), rule_version UInt32,
  candidate LowCardinality(String), metric LowCardinality(String), test_start String, estimate Nullable(Float64), log_e Nullable(Float64), threshold Nullable(Float64), alpha Nullable(Float64), watermark Nullable(DateTime64(3, 'UTC')),
  events_folded UInt64, version_partition_ids Array(UInt32), version_positions Array(UInt64), config_sha String, revision UInt32, evidence String, actor LowCardinality(String), note String, trace_id String
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, seq, decision_id);
CREATE TABLE IF NOT EXISTS acks ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, decision_id String, experiment LowCardinality(String), phase UInt32, seq UInt32, actuator LowCardinality(String), previous_coverage Float64, new_coverage Float64, revision UInt32,
  applied_at DateTime64(3, 'UTC'), result LowCardinality(String), trace_id String
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, seq, actuator);
CREATE TABLE IF NOT EXISTS parked ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, stage LowCardinality(String), code LowCardinality(String), message String, source_topic LowCardinality(String), source_partition UInt32, source_offset UInt64, schema_id String,
  first_seen DateTime64(3, 'UTC'), bytes UInt64
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (source_topic, source_partition, source_offset, stage);
ALTER TABLE facts ON CLUSTER main ADD COLUMN IF NOT EXISTS unknown Array(UInt16) AFTER amounts;
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS known Int64,
  ADD COLUMN IF NOT EXISTS unknown Int64,
  ADD COLUMN IF NOT EXISTS incomplete Int64,
  ADD COLUMN IF NOT EXISTS known_calls UInt64,
  ADD COLUMN IF NOT EXISTS unknown_calls UInt64,
  ADD COLUMN IF NOT EXISTS below Int64,
  ADD COLUMN IF NOT EXISTS above Int64,
  ADD COLUMN IF NOT EXISTS clipped String,
  ADD COLUMN IF NOT EXISTS contradiction LowCardinality(String);
CREATE TABLE IF NOT EXISTS missing ON CLUSTER main (
  kafka_partition UInt16, kafka_offset UInt64, experiment LowCardinality(String), phase UInt32, revision UInt32, look_seq UInt64, watermark Nullable(DateTime64(3, 'UTC')),
  candidate LowCardinality(String), step LowCardinality(String), metric LowCardinality(String),
  action LowCardinality(String), status LowCardinality(String), control_entries Int64, control_missing Int64, candidate_entries Int64, candidate_missing Int64,
  test_start String, weighted_log_e Nullable(Float64), threshold Nullable(Float64)
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', kafka_offset) ORDER BY (experiment, phase, step, metric, candidate, look_seq);
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS crossover_reasons Map(LowCardinality(String), UInt64) AFTER crossovers;
ALTER TABLE acks ON CLUSTER main ADD COLUMN IF NOT EXISTS code LowCardinality(String) AFTER result, ADD COLUMN IF NOT EXISTS reason String AFTER code;
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS not_obeyed Array(String) AFTER crossover_reasons;
ALTER TABLE readings ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE missing ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE acks ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE parked ON CLUSTER main ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE state ON CLUSTER main MODIFY COLUMN sums Array(Int256);
ALTER TABLE state ON CLUSTER main MODIFY COLUMN test_sums Array(Int128);
