-- Standing audit: report cells against a recount of the unit rows they were summed from. No row comes back when they agree, to the last digit.
WITH
  cells AS (
    SELECT experiment, phase, arm, slot AS ordinal,
      (sum(n), sum(x[1]), sum(xx[1]), sum(xx[2]), sum(xx[3]), sum(xx[4]), sum(xx[5])) AS sums
    FROM state FINAL WHERE log = 'unit' AND kind = 'report' GROUP BY experiment, phase, arm, ordinal
  ),
  units AS (
    SELECT experiment, phase, arm, ordinal,
      (toInt64(count()), toInt64(countIf(y > 0)), sum(y), sum(d), sum(y * y), sum(d * d), sum(y * d)) AS sums
    FROM (
      SELECT experiment, phase, arm, pair AS ordinal, toInt128(x[2 * pair + 1]) AS y, toInt128(x[2 * pair + 2]) AS d
      FROM state FINAL ARRAY JOIN range(toUInt32(length(x) / 2)) AS pair WHERE log = 'unit' AND kind = 'unit' AND n = 1
    ) GROUP BY experiment, phase, arm, ordinal
  )
SELECT experiment, phase, arm, ordinal, cells.sums AS cell, units.sums AS recount
FROM cells FULL OUTER JOIN units USING (experiment, phase, arm, ordinal)
WHERE cells.sums != units.sums
