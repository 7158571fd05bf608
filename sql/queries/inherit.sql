-- Copies to a partition what it inherits from the one it is divided from, true of position 0 of its own log: units and their entities by bucket, waiting outcomes by the
-- bucket in the id of their inference (UUIDv7: rand_a), aggregates whole to the first child. The same rows however often it runs.
INSERT INTO state (log, partition_id, kind, experiment, phase, key, position, arm, bucket, crossover, first_exposed_at, totals, entries, metric, candidate, metric_ordinal, segment, state_revision, event_clock, expires_at, units, first_events, waiting, sums, test_sums, body)
SELECT log, {to:UInt16}, kind, experiment, phase, key, toUInt64(0), arm, bucket, crossover, first_exposed_at, totals, entries, metric, candidate, metric_ordinal, segment, state_revision, event_clock, expires_at, units, first_events, waiting, sums, test_sums, body
FROM state FINAL
WHERE log = 'unit' AND partition_id = {from:UInt16} AND (
  (kind IN ('unit', 'entity') AND bucket BETWEEN {first:Int32} AND {last:Int32})
  OR (kind = 'pending' AND waiting > 0 AND bitAnd(reinterpretAsUInt16(reverse(substring(key, 7, 2))), 4095) BETWEEN {first:Int32} AND {last:Int32})
  OR (kind IN ('metric_aggregate', 'test_aggregate') AND {isFirst:UInt8} = 1)
)
