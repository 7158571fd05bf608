-- One look: cells, experiments and checkpoints of the unit log that changed since the versions already read (`since`, by partition; `oldest` is their
-- smallest, for the index). One statement reads one set of parts, and a flush is one part, so each partition appears as of one position.
-- Several versions of a key may come back: the highest counts.
SELECT part, kind, experiment, phase, hex(key) AS key, ver, arm, metric, candidate, slot, clock, n, arrayMap(v -> toString(v), x) AS x, arrayMap(v -> toString(v), xx) AS xx, body
FROM state
WHERE log = 'unit' AND kind IN ('checkpoint', 'experiment', 'report', 'entry') AND ver > {oldest:UInt64} AND ver > {since:Array(UInt64)}[part + 1]
