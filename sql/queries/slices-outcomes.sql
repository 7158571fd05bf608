-- The same sums for metrics that read an outcome. An outcome belongs to a unit, not to a call: a unit stands in the slices of its first accepted call, with the totals that
-- table `state` has of it now (`openIds`: partitions of the open generation), whatever position the calls are read to. `ordinals`, `perUnit`, `names`, `pairNames`,
-- `pairValues`, place: as in slices.sql. A unit without anything in its denominator has no outcome to speak of yet: it is unknown and in no sum; known and unknown are
-- numbers of units here.
WITH
  arrayMap((n, v) -> concat(n, '\0', v), {pairNames:Array(String)}, {pairValues:Array(String)}) AS keys,
  length(keys) AS p,
  arrayResize({names:Array(String)}, 8, '') AS eight,
  accepted AS (
    SELECT facts.id AS id, facts.unit AS whose, kind, facts.arm AS side, bitShiftLeft(toUInt128(partition_id), 64) + position AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
    ORDER BY partition_id, position
    LIMIT 1 BY id, whose
  ),
  firsts AS (SELECT whose, argMin(id, at) AS id FROM accepted WHERE kind = 'inference' GROUP BY whose),
  calls AS (
    SELECT
      toFixedString(if(length(event_id) = 36 AND match(event_id, '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'), unhex(replaceAll(event_id, '-', '')), substring(SHA256(event_id), 1, 16)), 16) AS id,
      arrayConcat([toUInt16(0)], arrayMap(
        (n, said, j) -> toUInt16(if(said = '', p + length({names:Array(String)}) + j, transform(concat(n, '\0', said), keys, arrayEnumerate(keys), toUInt32(p + j)))),
        {names:Array(String)}, arraySlice([slices[eight[1]], slices[eight[2]], slices[eight[3]], slices[eight[4]], slices[eight[5]], slices[eight[6]], slices[eight[7]], slices[eight[8]]], 1, length({names:Array(String)})), arrayEnumerate({names:Array(String)}))) AS places,
      1 AS found
    FROM inferences FINAL
    WHERE has(experiments, {experiment:String})
  ),
  totals AS (
    SELECT substring(key, 1, 16) AS unit, any(state.arm) AS arm, any(state.totals) AS totals
    FROM state FINAL
    WHERE log = 'unit' AND partition_id IN {openIds:Array(UInt16)} AND kind = 'unit' AND experiment = {experiment:String} AND phase = {phase:UInt32} AND NOT crossover
    GROUP BY unit
  ),
  placed AS (
    SELECT place, totals.arm AS arm, totals.totals AS counted
    FROM firsts
    INNER JOIN totals ON totals.unit = toString(firsts.whose)
    LEFT JOIN calls ON calls.id = firsts.id
    ARRAY JOIN if(found = 1, places, [toUInt16(65535)]) AS place
  ),
  flat AS (
    SELECT place, arm, m, toInt128(counted[4 * {ordinals:Array(UInt32)}[m + 1] + 1]) AS y,
      if({perUnit:Array(UInt8)}[m + 1] = 1, toInt128(1), toInt128(counted[4 * {ordinals:Array(UInt32)}[m + 1] + 2])) AS x, x != 0 OR y != 0 AS counts
    FROM placed ARRAY JOIN range(length({ordinals:Array(UInt32)})) AS m
  )
SELECT place, arm, toUInt32(m) AS metric, toString(countIf(counts)) AS known, toString(countIf(NOT counts)) AS unknown, toString(countIf(counts)) AS units,
  toString(sumIf(y, counts)) AS sumY, toString(sumIf(x, counts)) AS sumX, toString(sumIf(y * y, counts)) AS sumYY, toString(sumIf(x * x, counts)) AS sumXX, toString(sumIf(x * y, counts)) AS sumXY,
  sumIf(pow(toFloat64(y), 3), counts) AS sumYYY, sumIf(pow(toFloat64(y), 2) * toFloat64(x), counts) AS sumYYX, sumIf(toFloat64(y) * pow(toFloat64(x), 2), counts) AS sumYXX, sumIf(pow(toFloat64(x), 3), counts) AS sumXXX
FROM flat
GROUP BY place, arm, m
ORDER BY place, arm, m
