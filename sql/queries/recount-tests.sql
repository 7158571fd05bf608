-- Standing audit: units whose latest closed entry began in a segment, against the n of that segment's cell (a difference: it is never negative). Partitions that
-- were one in the first generation are taken together: when a partition_id was divided its cells stayed whole with one of its children.
WITH
  (SELECT argMax((first_partition_id, partitions, sibling_group), generation) FROM generations WHERE step = 2) AS open,
  cells AS (
    SELECT intDiv(partition_id - open.1, greatest(open.3, 1)) AS sibling_group, experiment, phase, arm, candidate, metric, slot AS segment, sum(n) AS total
    FROM state FINAL WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'entry'
    GROUP BY sibling_group, experiment, phase, arm, candidate, metric, segment
  ),
  metrics AS (SELECT DISTINCT experiment, phase, metric, slot AS ordinal FROM state FINAL WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'report'),
  units AS (
    SELECT intDiv(partition_id - open.1, greatest(open.3, 1)) AS sibling_group, experiment, phase, arm, ordinal, y[9 * ordinal + 1] AS segment, toInt64(count()) AS n
    FROM (SELECT partition_id, experiment, phase, candidate AS arm, pair AS ordinal, y FROM state FINAL ARRAY JOIN range(toUInt32(length(y) / 9)) AS pair WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'unit')
    WHERE segment >= 0 GROUP BY sibling_group, experiment, phase, arm, ordinal, segment
  )
SELECT cells.sibling_group AS partition_id, cells.experiment, cells.phase, cells.arm, cells.metric, cells.segment, cells.total AS n, units.n
FROM cells
INNER JOIN metrics ON metrics.experiment = cells.experiment AND metrics.phase = cells.phase AND metrics.metric = cells.metric
LEFT JOIN units ON units.sibling_group = cells.sibling_group AND units.experiment = cells.experiment AND units.phase = cells.phase AND units.arm = cells.arm AND units.ordinal = metrics.ordinal AND units.segment = cells.segment
WHERE cells.total != units.n
