-- One look: cells, experiments and checkpoints of the open epoch that changed since the versions already read (`since`: the first version wanted, by partition;
-- `oldest` is their smallest, for the index; `first`: the part of partition 0). One statement reads one set of parts, and a flush is one part, so each partition appears as of one position.
-- Several versions of a key may come back: the highest counts.
SELECT part, kind, experiment, phase, hex(key) AS key, ver, arm, metric, candidate, slot, clock, n, arrayMap(v -> toString(v), x) AS x, arrayMap(v -> toString(v), xx) AS xx, body
FROM state
WHERE log = 'unit' AND kind IN ('checkpoint', 'experiment', 'report', 'entry') AND part >= {first:UInt16} AND part < {first:UInt16} + length({since:Array(UInt64)})
  AND ver >= {oldest:UInt64} AND ver >= {since:Array(UInt64)}[part - {first:UInt16} + 1]
