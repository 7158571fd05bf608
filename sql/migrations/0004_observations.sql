-- What for: the wide clean rows that analysts query: one per clean event, reading, decision, ack and parked record.
-- Safe while writers run: yes, it only creates.
-- How to know it worked: `SHOW TABLES` lists the six.
-- Undo: drop the tables; the clean topics rebuild them while they are kept.
-- A record delivered twice has the same key, and the highest offset wins. `kafka_partition`, `kafka_offset`: where the record stands on its topic.
CREATE TABLE IF NOT EXISTS inferences (
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
) ENGINE = ReplacingMergeTree(kafka_offset) PARTITION BY toYYYYMM(occurred_at) ORDER BY event_id;

CREATE TABLE IF NOT EXISTS outcomes (
  kafka_partition UInt16, kafka_offset UInt64, outcome_id String, revision Int32 COMMENT 'the highest counts', occurred_at DateTime64(3, 'UTC'), received_at DateTime64(3, 'UTC'), trace_id String,
  kind LowCardinality(String), value Nullable(Float64) COMMENT 'null retracts', entity_type LowCardinality(String), entity_id String COMMENT 'keyed hash', inference_id String,
  user_id String COMMENT 'keyed hash', org_id String COMMENT 'keyed hash', session_id String COMMENT 'keyed hash', source LowCardinality(String), attributes Map(String, String),
  redactions Map(String, UInt32), redaction_tiers Map(LowCardinality(String), UInt32) COMMENT 'as in inferences', redactor_version LowCardinality(String), policy_version LowCardinality(String)
) ENGINE = ReplacingMergeTree(kafka_offset) ORDER BY (outcome_id, revision);

CREATE TABLE IF NOT EXISTS readings (
  kafka_partition UInt16, kafka_offset UInt64, experiment LowCardinality(String), phase UInt32, revision UInt32, look_seq UInt64, watermark Nullable(DateTime64(3, 'UTC')), events_folded UInt64,
  state LowCardinality(String) COMMENT 'first rule that held', settled Bool, crossovers UInt64, srm_log_e Float64, metric LowCardinality(String), candidate LowCardinality(String), role LowCardinality(String),
  status LowCardinality(String), reason String, log_e Nullable(Float64) COMMENT 'natural log of the strongest harm test', weighted_log_e Nullable(Float64), threshold Nullable(Float64) COMMENT 'log(1/alpha)',
  engine LowCardinality(String), test_start String COMMENT 'from where that test counts', win_log_e Nullable(Float64), arm LowCardinality(String), units UInt64, entries Int64,
  numerator String COMMENT 'whole numbers of the measure''s scale', denominator String, estimate Nullable(Float64),
  difference Nullable(Float64) COMMENT 'candidate minus control of the mean capped entry value, in the metric''s own unit',
  difference_lower Nullable(Float64) COMMENT 'holds at all looks with probability 1 - alpha; asymptotic', difference_upper Nullable(Float64),
  relative Nullable(Float64) COMMENT 'difference as a share of control''s mean', relative_lower Nullable(Float64), relative_upper Nullable(Float64),
  interval_note String COMMENT 'gate not passed yet, or why there is no interval'
) ENGINE = ReplacingMergeTree(kafka_offset) ORDER BY (experiment, phase, metric, candidate, arm, look_seq);

CREATE TABLE IF NOT EXISTS decisions (
  kafka_partition UInt16, kafka_offset UInt64, decision_id String, experiment LowCardinality(String), phase UInt32, seq UInt32, action LowCardinality(String), reason_code LowCardinality(String), rule_id LowCardinality(String), rule_version UInt32,
  candidate LowCardinality(String), metric LowCardinality(String), test_start String, estimate Nullable(Float64), log_e Nullable(Float64), threshold Nullable(Float64), alpha Nullable(Float64), watermark Nullable(DateTime64(3, 'UTC')),
  events_folded UInt64, version_partition_ids Array(UInt32), version_positions Array(UInt64), config_sha String, revision UInt32, evidence String COMMENT 'canonical JSON', actor LowCardinality(String), note String, trace_id String
) ENGINE = ReplacingMergeTree(kafka_offset) ORDER BY (experiment, seq, decision_id);

CREATE TABLE IF NOT EXISTS acks (
  kafka_partition UInt16, kafka_offset UInt64, decision_id String, experiment LowCardinality(String), phase UInt32, seq UInt32, actuator LowCardinality(String), previous_coverage Float64, new_coverage Float64, revision UInt32,
  applied_at DateTime64(3, 'UTC'), result LowCardinality(String), trace_id String
) ENGINE = ReplacingMergeTree(kafka_offset) ORDER BY (experiment, seq, actuator);

CREATE TABLE IF NOT EXISTS parked (
  kafka_partition UInt16, kafka_offset UInt64, stage LowCardinality(String), code LowCardinality(String), message String, source_topic LowCardinality(String) COMMENT 'where the record stood that could not be used', source_partition UInt32, source_offset UInt64, schema_id String,
  first_seen DateTime64(3, 'UTC'), bytes UInt64 COMMENT 'size of the original, which stays on the topic'
) ENGINE = ReplacingMergeTree(kafka_offset) ORDER BY (source_topic, source_partition, source_offset, stage);
