-- Units' sums by slice, value, arm and metric, for metrics of inferences: what a difference of two ratios with unit-clustered variance is made of. One accepted record each,
-- as in recount-decision.sql; units seen in two arms are left out, or stay with their first arm. `ordinals`: places of the metrics in the experiment, 0-based; `perUnit`: 1
-- where a metric has no denominator.
-- What is unknown is not 0: a call counts in a metric when every field that the metric reads is there. `needOf`, `needFields`: the fields that metric `needOf` (index into
-- `ordinals`) reads; `needSlices`, `needEquals`: only in this slice, empty: everywhere. Without a denominator a unit counts when all its calls in the slice are known.
-- `names`: N slices looked at, at most 8; `pairNames`, `pairValues`: their P values looked at. place: 0 all calls, 1 to P that value, P + j another value of name j, P + N + j name j
-- is not said, 65535 accepted, but without a row in table inferences (the sink is behind, or it was erased).
WITH
  arrayMap((n, v) -> concat(n, '\0', v), {pairNames:Array(String)}, {pairValues:Array(String)}) AS keys,
  length(keys) AS p,
  arrayResize({names:Array(String)}, 8, '') AS eight,
  accepted AS (
    SELECT facts.id AS id, facts.unit AS whose, kind, facts.arm AS side, facts.amounts AS amounts, bitShiftLeft(toUInt128(partition_id), 64) + position AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
    ORDER BY partition_id, position
    LIMIT 1 BY id, whose
  ),
  counted AS (
    SELECT whose, argMin(side, at) AS arm, arrayJoin(groupArrayIf((id, amounts), kind = 'inference')) AS call
    FROM accepted
    GROUP BY whose
    HAVING min(side) = max(side) OR {crossovers:String} = 'first'
  ),
  calls AS (
    SELECT
      toFixedString(if(length(event_id) = 36 AND match(event_id, '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'), unhex(replaceAll(event_id, '-', '')), substring(SHA256(event_id), 1, 16)), 16) AS id,
      arrayConcat([toUInt16(0)], arrayMap(
        (n, said, j) -> toUInt16(if(said = '', p + length({names:Array(String)}) + j, transform(concat(n, '\0', said), keys, arrayEnumerate(keys), toUInt32(p + j)))),
        {names:Array(String)}, arraySlice([slices[eight[1]], slices[eight[2]], slices[eight[3]], slices[eight[4]], slices[eight[5]], slices[eight[6]], slices[eight[7]], slices[eight[8]]], 1, length({names:Array(String)})), arrayEnumerate({names:Array(String)}))) AS places,
      arrayMap(
        (field, slice, equals) -> multiIf(
          slice != '' AND slices[slice] != equals, 1,
          field = 'cost_nano_usd', isNotNull(cost_nano_usd), field = 'token_in', isNotNull(token_in), field = 'token_out', isNotNull(token_out), field = 'latency_ms', isNotNull(latency_ms),
          field = 'ttft_ms', isNotNull(ttft_ms), field = 'schema_valid', isNotNull(schema_valid), field = 'status', status != 'unknown', startsWith(field, 'score '), mapContains(scores, substring(field, 7)), 0),
        {needFields:Array(String)}, {needSlices:Array(String)}, {needEquals:Array(String)}) AS met,
      arrayMap(m -> toUInt8(arrayAll((ok, of) -> of != m OR ok = 1, met, {needOf:Array(UInt32)})), range(length({ordinals:Array(UInt32)}))) AS known,
      1 AS found
    FROM inferences FINAL
    WHERE has(experiments, {experiment:String})
  ),
  units AS (
    SELECT place, arm, whose, count() AS calls,
      sumForEach(arrayMap(m -> toUInt64(if(found = 1, known[m + 1], 0)), range(length({ordinals:Array(UInt32)})))) AS knowns,
      sumForEach(arrayMap((m, o) -> toInt128(if(found = 1 AND known[m + 1] = 1, call.2[2 * o + 1], 0)), range(length({ordinals:Array(UInt32)})), {ordinals:Array(UInt32)})) AS numerators,
      sumForEach(arrayMap((m, o) -> toInt128(if(found = 1 AND known[m + 1] = 1, call.2[2 * o + 2], 0)), range(length({ordinals:Array(UInt32)})), {ordinals:Array(UInt32)})) AS denominators
    FROM counted
    LEFT JOIN calls ON calls.id = counted.call.1
    ARRAY JOIN if(found = 1, places, [toUInt16(65535)]) AS place
    GROUP BY place, arm, whose
  ),
  flat AS (
    SELECT place, arm, m, calls, knowns[m + 1] AS k, numerators[m + 1] AS y, if({perUnit:Array(UInt8)}[m + 1] = 1, toInt128(1), denominators[m + 1]) AS x,
      if({perUnit:Array(UInt8)}[m + 1] = 1, k = calls, k > 0 AND (x != 0 OR y != 0)) AS counts
    FROM units ARRAY JOIN range(length({ordinals:Array(UInt32)})) AS m
  )
SELECT place, arm, toUInt32(m) AS metric, toString(sum(k)) AS known, toString(sum(calls - k)) AS unknown, toString(countIf(counts)) AS units,
  toString(sumIf(y, counts)) AS sumY, toString(sumIf(x, counts)) AS sumX, toString(sumIf(y * y, counts)) AS sumYY, toString(sumIf(x * x, counts)) AS sumXX, toString(sumIf(x * y, counts)) AS sumXY,
  sumIf(pow(toFloat64(y), 3), counts) AS sumYYY, sumIf(pow(toFloat64(y), 2) * toFloat64(x), counts) AS sumYYX, sumIf(toFloat64(y) * pow(toFloat64(x), 2), counts) AS sumYXX, sumIf(pow(toFloat64(x), 3), counts) AS sumXXX
FROM flat
GROUP BY place, arm, m
ORDER BY place, arm, m
