-- Units' sums by slice, value, arm and metric, for metrics of inferences: what a difference of two ratios with unit-clustered variance is made of. One accepted record each,
-- as in recount-decision.sql; units seen in two arms are left out, or stay with their first arm. `names`: slices looked at; `pairNames`, `pairValues`: their values looked
-- at, every other one is `other`. `ordinals`: places of the metrics in the experiment, 0-based; `perUnit`: 1 where a metric has no denominator.
-- What is unknown is not 0: a call counts in a metric when every field that the metric reads is there. `needOf`, `needFields`: the fields that metric `needOf` (index into
-- `ordinals`) reads; `needSlices`, `needEquals`: only in this slice, empty: everywhere. Without a denominator a unit counts when all its calls in the slice are known.
-- grouping: `all` calls, a `value`, `other` values, `not said`, `missing`: accepted, but without a row in table inferences (the sink is behind, or it was erased).
WITH
  accepted AS (
    SELECT id, facts.unit AS whose, argMin(facts.arm, (partition_id, position)) AS side, argMin(facts.kind, (partition_id, position)) AS of, argMin(facts.amounts, (partition_id, position)) AS amounts, min((partition_id, position)) AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
    GROUP BY id, whose
  ),
  members AS (SELECT whose, argMin(side, at) AS arm, uniqExact(side) AS arms FROM accepted GROUP BY whose),
  calls AS (
    SELECT
      toFixedString(if(match(event_id, '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'), unhex(replaceAll(event_id, '-', '')), substring(SHA256(event_id), 1, 16)), 16) AS id,
      arrayConcat([('', 'all', '')], arrayMap(n -> multiIf(slices[n] = '', (n, 'not said', ''), has(arrayZip({pairNames:Array(String)}, {pairValues:Array(String)}), (n, slices[n])), (n, 'value', slices[n]), (n, 'other', '')), {names:Array(String)})) AS groups,
      arrayMap(
        (field, slice, equals) -> multiIf(
          slice != '' AND slices[slice] != equals, 1,
          field = 'cost_nano_usd', isNotNull(cost_nano_usd), field = 'token_in', isNotNull(token_in), field = 'token_out', isNotNull(token_out), field = 'latency_ms', isNotNull(latency_ms),
          field = 'ttft_ms', isNotNull(ttft_ms), field = 'schema_valid', isNotNull(schema_valid), startsWith(field, 'score '), mapContains(scores, substring(field, 7)), 0),
        {needFields:Array(String)}, {needSlices:Array(String)}, {needEquals:Array(String)}) AS met,
      arrayMap(m -> toUInt8(arrayAll((ok, of) -> of != m OR ok = 1, met, {needOf:Array(UInt32)})), range(length({ordinals:Array(UInt32)}))) AS known,
      1 AS found
    FROM inferences FINAL
    WHERE has(experiments, {experiment:String})
  ),
  units AS (
    SELECT grouping, members.arm AS arm, accepted.whose AS unit, count() AS calls,
      sumForEach(arrayMap(m -> toUInt64(if(found = 1, known[m + 1], 0)), range(length({ordinals:Array(UInt32)})))) AS knowns,
      sumForEach(arrayMap(m -> toInt128(if(found = 1 AND known[m + 1] = 1, amounts[2 * {ordinals:Array(UInt32)}[m + 1] + 1], 0)), range(length({ordinals:Array(UInt32)})))) AS numerators,
      sumForEach(arrayMap(m -> toInt128(if(found = 1 AND known[m + 1] = 1, amounts[2 * {ordinals:Array(UInt32)}[m + 1] + 2], 0)), range(length({ordinals:Array(UInt32)})))) AS denominators
    FROM accepted
    INNER JOIN members ON members.whose = accepted.whose
    LEFT JOIN calls ON calls.id = accepted.id
    ARRAY JOIN if(found = 1, groups, [('', 'missing', '')]) AS grouping
    WHERE accepted.of = 'inference' AND (members.arms = 1 OR {crossovers:String} = 'first')
    GROUP BY grouping, arm, unit
  ),
  flat AS (
    SELECT grouping, arm, m, calls, knowns[m + 1] AS k, numerators[m + 1] AS y, if({perUnit:Array(UInt8)}[m + 1] = 1, toInt128(1), denominators[m + 1]) AS x,
      if({perUnit:Array(UInt8)}[m + 1] = 1, k = calls, k > 0 AND (x != 0 OR y != 0)) AS counts
    FROM units ARRAY JOIN range(length({ordinals:Array(UInt32)})) AS m
  )
SELECT grouping.1 AS slice, grouping.2 AS kind, grouping.3 AS value, arm, toUInt32(m) AS metric, toString(sum(k)) AS known, toString(sum(calls - k)) AS unknown, toString(countIf(counts)) AS units,
  toString(sumIf(y, counts)) AS sumY, toString(sumIf(x, counts)) AS sumX, toString(sumIf(y * y, counts)) AS sumYY, toString(sumIf(x * x, counts)) AS sumXX, toString(sumIf(x * y, counts)) AS sumXY,
  sumIf(pow(toFloat64(y), 3), counts) AS sumYYY, sumIf(pow(toFloat64(y), 2) * toFloat64(x), counts) AS sumYYX, sumIf(toFloat64(y) * pow(toFloat64(x), 2), counts) AS sumYXX, sumIf(pow(toFloat64(x), 3), counts) AS sumXXX
FROM flat
GROUP BY grouping, arm, m
ORDER BY slice, kind, value, arm, m
