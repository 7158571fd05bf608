-- Standing audit: report cells against a recount of the unit rows they were summed from, in the parts of the open generation. No row comes back when they agree, to the
-- last digit.
WITH
  (SELECT argMax((first_partition_id, partitions), generation) FROM generations WHERE step = 2) AS open,
  cells AS (
    SELECT experiment, phase, arm, slot AS ordinal,
      (sum(n), sum(x[1]), sum(xx[1]), sum(xx[2]), sum(xx[3]), sum(xx[4]), sum(xx[5])) AS sums
    FROM state FINAL WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'report' GROUP BY experiment, phase, arm, ordinal
  ),
  units AS (
    SELECT experiment, phase, arm, ordinal,
      (toInt64(count()), toInt64(countIf(y > 0)), sum(y), sum(d), sum(y * y), sum(d * d), sum(y * d)) AS sums
    FROM (
      SELECT experiment, phase, arm, pair AS ordinal, toInt128(x[2 * pair + 1]) AS y, toInt128(x[2 * pair + 2]) AS d
      FROM state FINAL ARRAY JOIN range(toUInt32(length(x) / 2)) AS pair WHERE log = 'unit' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2)) AND kind = 'unit' AND n = 1
    ) GROUP BY experiment, phase, arm, ordinal
  )
SELECT experiment, phase, arm, ordinal, cells.sums AS aggregate, units.sums AS recount
FROM cells FULL OUTER JOIN units USING (experiment, phase, arm, ordinal)
WHERE cells.sums != units.sums
