-- Everything that the joiner knows about one partition of the unit log but its units, as of its checkpoint: the highest position of each key.
SELECT partition_id AS partitionId, kind, experiment, phase, hex(key) AS key, position, arm, metric, candidate, metric_ordinal AS metricOrdinal, segment, state_revision AS stateRevision,
  toUnixTimestamp64Milli(event_clock) AS eventClock, toUnixTimestamp64Milli(expires_at) AS expiresAt, units, first_events AS firstEvents, waiting,
  arrayMap(v -> toString(v), sums) AS sums, arrayMap(v -> toString(v), test_sums) AS testSums, body
FROM state FINAL
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind IN ('checkpoint', 'experiment', 'metric_aggregate', 'test_aggregate', 'pending')
