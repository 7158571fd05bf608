-- Standing audit of one slice (audit-slices.sql): units whose latest closed entry began in a segment (entries[17 m + 1] of metric m), against the units of that segment's
-- test aggregate, which is a difference and over all siblings never negative. It gives up after 30 s; the next slice is audited then.
WITH
  aggregates AS (
    SELECT arm, candidate, metric, segment, sum(units) AS total
    FROM state FINAL WHERE log = 'unit' AND partition_id BETWEEN {first:UInt16} AND {last:UInt16} AND kind = 'test_aggregate' AND experiment = {experiment:String} AND phase = {phase:UInt32}
    GROUP BY arm, candidate, metric, segment
  ),
  metrics AS (
    SELECT DISTINCT metric, metric_ordinal AS ordinal
    FROM state FINAL WHERE log = 'unit' AND partition_id BETWEEN {first:UInt16} AND {last:UInt16} AND kind = 'metric_aggregate' AND experiment = {experiment:String} AND phase = {phase:UInt32}
  ),
  entered AS (
    SELECT arm, ordinal, last_segment, toInt64(count()) AS total
    FROM (
      SELECT arm, toUInt16(number) AS ordinal, entries[17 * number + 1] AS last_segment
      FROM state FINAL ARRAY JOIN range(toUInt32(length(entries) / 17)) AS number WHERE log = 'unit' AND partition_id BETWEEN {first:UInt16} AND {last:UInt16} AND kind = 'unit' AND experiment = {experiment:String} AND phase = {phase:UInt32}
    )
    WHERE last_segment >= 0 GROUP BY arm, ordinal, last_segment
  )
SELECT aggregates.arm AS arm, aggregates.metric AS metric, aggregates.segment AS segment, aggregates.total AS aggregate, entered.total AS recount
FROM aggregates
INNER JOIN metrics ON metrics.metric = aggregates.metric
LEFT JOIN entered ON entered.arm = aggregates.arm AND entered.ordinal = metrics.ordinal AND entered.last_segment = aggregates.segment
WHERE aggregates.total != entered.total
SETTINGS max_execution_time = 30
