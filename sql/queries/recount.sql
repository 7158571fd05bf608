-- Standing audit: report cells against a recount of the unit rows they were summed from. No row comes back when they agree, to the last digit.
WITH
  cells AS (
    SELECT experiment, phase, arm, slot AS ordinal, sum(n) AS units, sum(x[1]) AS first_events, sum(xx[1]) AS numerator, sum(xx[2]) AS denominator, sum(xx[3]) AS numerator2, sum(xx[4]) AS denominator2, sum(xx[5]) AS product
    FROM state FINAL WHERE log = 'unit' AND kind = 'report' GROUP BY experiment, phase, arm, ordinal
  ),
  units AS (
    SELECT experiment, phase, arm, ordinal, count() AS units, countIf(numerator > 0) AS first_events, sum(numerator) AS numerator, sum(denominator) AS denominator,
      sum(numerator * numerator) AS numerator2, sum(denominator * denominator) AS denominator2, sum(numerator * denominator) AS product
    FROM (
      SELECT experiment, phase, arm, pair AS ordinal, toInt128(x[2 * pair + 1]) AS numerator, toInt128(x[2 * pair + 2]) AS denominator
      FROM state FINAL ARRAY JOIN range(toUInt32(length(x) / 2)) AS pair WHERE log = 'unit' AND kind = 'unit' AND n = 1
    ) GROUP BY experiment, phase, arm, ordinal
  )
SELECT experiment, phase, arm, ordinal, cells.units, units.units, cells.numerator, units.numerator, cells.denominator, units.denominator
FROM cells FULL OUTER JOIN units USING (experiment, phase, arm, ordinal)
WHERE (cells.units, cells.first_events, cells.numerator, cells.denominator, cells.numerator2, cells.denominator2, cells.product)
   != (units.units, units.first_events, units.numerator, units.denominator, units.numerator2, units.denominator2, units.product)
