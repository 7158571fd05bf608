-- Standing audit: units whose latest closed entry began in a segment (entries[17 m + 1] of metric m), against the units of that segment's test aggregate, which is a
-- difference and never negative. Sibling partitions, which were one in the first generation, are taken together: when a partition was divided its aggregates stayed whole
-- with one of its children.
WITH
  (SELECT argMax((first_partition_id, partitions, sibling_group), generation) FROM generations WHERE step = 2) AS open,
  aggregates AS (
    SELECT intDiv(partition_id - open.1, greatest(open.3, 1)) AS siblings, experiment, phase, arm, candidate, metric, segment, sum(units) AS total
    FROM state FINAL WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'test_aggregate'
    GROUP BY siblings, experiment, phase, arm, candidate, metric, segment
  ),
  metrics AS (SELECT DISTINCT experiment, phase, metric, metric_ordinal AS ordinal FROM state FINAL WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'metric_aggregate'),
  entered AS (
    SELECT intDiv(partition_id - open.1, greatest(open.3, 1)) AS siblings, experiment, phase, arm, ordinal, last_segment, toInt64(count()) AS total
    FROM (
      SELECT partition_id, experiment, phase, arm, toUInt16(number) AS ordinal, entries[17 * number + 1] AS last_segment
      FROM state FINAL ARRAY JOIN range(toUInt32(length(entries) / 17)) AS number WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'unit'
    )
    WHERE last_segment >= 0 GROUP BY siblings, experiment, phase, arm, ordinal, last_segment
  )
SELECT aggregates.siblings AS siblings, aggregates.experiment AS experiment, aggregates.phase AS phase, aggregates.arm AS arm, aggregates.metric AS metric, aggregates.segment AS segment, aggregates.total AS aggregate, entered.total AS recount
FROM aggregates
INNER JOIN metrics ON metrics.experiment = aggregates.experiment AND metrics.phase = aggregates.phase AND metrics.metric = aggregates.metric
LEFT JOIN entered ON entered.siblings = aggregates.siblings AND entered.experiment = aggregates.experiment AND entered.phase = aggregates.phase AND entered.arm = aggregates.arm AND entered.ordinal = metrics.ordinal AND entered.last_segment = aggregates.segment
WHERE aggregates.total != entered.total
