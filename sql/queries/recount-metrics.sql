-- Standing audit: metric aggregates against a recount of the unit rows they were summed from, in the partitions of the open generation. No row comes back when they
-- agree, to the last digit.
WITH
  (SELECT argMax((first_partition_id, partitions), generation) FROM generations WHERE step = 2) AS open,
  aggregates AS (
    SELECT experiment, phase, arm, metric_ordinal AS ordinal,
      (sum(units), sum(first_events), sum(sums[1]), sum(sums[2]), sum(sums[3]), sum(sums[4]), sum(sums[5]), sum(sums[6]), sum(sums[7]), sum(sums[8])) AS total
    FROM state FINAL WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'metric_aggregate' GROUP BY experiment, phase, arm, ordinal
  ),
  recounted AS (
    SELECT experiment, phase, arm, ordinal,
      (toInt64(count()), toInt64(countIf(numerator != 0)), sum(numerator), sum(denominator), sum(numerator * numerator), sum(denominator * denominator), sum(numerator * denominator), sum(known), sum(unknown), toInt256(countIf(unknown > 0))) AS total
    FROM (
      SELECT experiment, phase, arm, toUInt16(number) AS ordinal, toInt256(totals[4 * number + 1]) AS numerator, toInt256(totals[4 * number + 2]) AS denominator, toInt256(totals[4 * number + 3]) AS known, toInt256(totals[4 * number + 4]) AS unknown
      FROM state FINAL ARRAY JOIN range(toUInt32(length(totals) / 4)) AS number WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'unit' AND NOT crossover
    ) GROUP BY experiment, phase, arm, ordinal
  )
SELECT experiment, phase, arm, ordinal, aggregates.total AS aggregate, recounted.total AS recount
FROM aggregates FULL OUTER JOIN recounted USING (experiment, phase, arm, ordinal)
WHERE aggregates.total != recounted.total
