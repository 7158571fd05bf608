-- One look: cells, experiments and checkpoints of the open generation that changed since the versions already read (`since`: the first version wanted, by partition;
-- `oldest` is their smallest, for the index; `first`: the partition_id of partition 0). One statement reads one set of parts, and a flush is one partition_id, so each partition appears as of one position.
-- Several versions of a key may come back: the highest counts.
SELECT partition_id AS partitionId, kind, experiment, phase, hex(key) AS key, position, arm, metric, candidate, slot, clock, n, arrayMap(v -> toString(v), x) AS x, arrayMap(v -> toString(v), xx) AS xx, body
FROM state
WHERE log = 'unit' AND kind IN ('checkpoint', 'experiment', 'report', 'entry') AND partition_id >= {first:UInt16} AND partition_id < {first:UInt16} + length({since:Array(UInt64)})
  AND position >= {oldest:UInt64} AND position >= {since:Array(UInt64)}[partition_id - {first:UInt16} + 1]
