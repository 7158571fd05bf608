-- Standing audit: units whose latest closed entry began in a segment, against the n of that segment's cell (a difference: it is never negative).
WITH
  cells AS (
    SELECT part, experiment, phase, arm, candidate, metric, slot AS segment, n FROM state FINAL WHERE log = 'unit' AND kind = 'entry'
  ),
  metrics AS (SELECT DISTINCT experiment, phase, metric, slot AS ordinal FROM state FINAL WHERE log = 'unit' AND kind = 'report'),
  units AS (
    SELECT part, experiment, phase, arm, ordinal, y[9 * ordinal + 1] AS segment, count() AS n
    FROM (SELECT part, experiment, phase, candidate AS arm, pair AS ordinal, y FROM state FINAL ARRAY JOIN range(toUInt32(length(y) / 9)) AS pair WHERE log = 'unit' AND kind = 'unit')
    WHERE segment >= 0 GROUP BY part, experiment, phase, arm, ordinal, segment
  )
SELECT cells.part, cells.experiment, cells.phase, cells.arm, cells.metric, cells.segment, cells.n, units.n
FROM cells
INNER JOIN metrics ON metrics.experiment = cells.experiment AND metrics.phase = cells.phase AND metrics.metric = cells.metric
LEFT JOIN units ON units.part = cells.part AND units.experiment = cells.experiment AND units.phase = cells.phase AND units.arm = cells.arm AND units.ordinal = metrics.ordinal AND units.segment = cells.segment
WHERE cells.n != units.n
