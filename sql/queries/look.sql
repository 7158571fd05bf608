-- One look: aggregates, experiments and checkpoints of the open generation that changed since the positions already read (`since`: the first position wanted, by
-- partition; `oldest` is their smallest, for the index; `first`: the id of partition 0). One statement reads one snapshot, and a flush is one insert, so each partition
-- appears as of one position. Several rows of a key may come back: the highest position counts.
SELECT partition_id AS partitionId, kind, experiment, phase, hex(key) AS key, position, arm, metric, candidate, metric_ordinal AS metricOrdinal, segment,
  toUnixTimestamp64Milli(event_clock) AS eventClock, units, first_events AS firstEvents, arrayMap(v -> toString(v), sums) AS sums, arrayMap(v -> toString(v), test_sums) AS testSums, body
FROM state
WHERE log = 'unit' AND kind IN ('checkpoint', 'experiment', 'metric_aggregate', 'test_aggregate') AND partition_id >= {first:UInt16} AND partition_id < {first:UInt16} + length({since:Array(UInt64)})
  AND position >= {oldest:UInt64} AND position >= {since:Array(UInt64)}[partition_id - {first:UInt16} + 1]
