-- One look: every cell, experiment and checkpoint of the unit log, each at its highest ver. One statement reads one set of parts, and a
-- flush is one part, so each partition appears as of one position.
SELECT part, kind, experiment, phase, ver, arm, metric, candidate, slot, clock, n, arrayMap(v -> toString(v), x) AS x, arrayMap(v -> toString(v), xx) AS xx, body
FROM state FINAL
WHERE log = 'unit' AND kind IN ('checkpoint', 'experiment', 'report', 'entry')
