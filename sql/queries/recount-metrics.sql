-- Standing audit of one slice (audit-slices.sql): metric aggregates against a recount of the unit rows they were summed from. No row comes back when they agree, to the
-- last digit. It gives up after 30 s; the next slice is audited then.
WITH
  aggregates AS (
    SELECT arm, metric_ordinal AS ordinal,
      (sum(units), sum(first_events), sum(sums[1]), sum(sums[2]), sum(sums[3]), sum(sums[4]), sum(sums[5]), sum(sums[6]), sum(sums[7]), sum(sums[8])) AS total
    FROM state FINAL WHERE log = 'unit' AND partition_id BETWEEN {first:UInt16} AND {last:UInt16} AND kind = 'metric_aggregate' AND experiment = {experiment:String} AND phase = {phase:UInt32} GROUP BY arm, ordinal
  ),
  recounted AS (
    SELECT arm, ordinal,
      (toInt64(count()), toInt64(countIf(numerator != 0)), sum(numerator), sum(denominator), sum(numerator * numerator), sum(denominator * denominator), sum(numerator * denominator), sum(known), sum(unknown), toInt256(countIf(unknown > 0))) AS total
    FROM (
      SELECT arm, toUInt16(number) AS ordinal, toInt256(totals[4 * number + 1]) AS numerator, toInt256(totals[4 * number + 2]) AS denominator, toInt256(totals[4 * number + 3]) AS known, toInt256(totals[4 * number + 4]) AS unknown
      FROM state FINAL ARRAY JOIN range(toUInt32(length(totals) / 4)) AS number WHERE log = 'unit' AND partition_id BETWEEN {first:UInt16} AND {last:UInt16} AND kind = 'unit' AND experiment = {experiment:String} AND phase = {phase:UInt32} AND NOT crossover
    ) GROUP BY arm, ordinal
  )
SELECT arm, ordinal, aggregates.total AS aggregate, recounted.total AS recount
FROM aggregates FULL OUTER JOIN recounted USING (arm, ordinal)
WHERE aggregates.total != recounted.total
SETTINGS max_execution_time = 30
