-- Everything that the joiner knows about one partition of the unit log but its units, as of its checkpoint: the highest position of each key.
SELECT kind, experiment, phase, hex(key) AS key, position, arm, candidate, slot, clock, n, arrayMap(v -> toString(v), x) AS x, arrayMap(v -> toString(v), xx) AS xx, arrayMap(v -> toString(v), y) AS y, body
FROM state FINAL
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind IN ('checkpoint', 'experiment', 'report', 'entry', 'pending')
