-- What a decision's arms had done by its version vector, recounted from the facts: one accepted record each, whatever was delivered twice. For metrics of inferences
-- (`ordinal`: place of the metric in the experiment, 0-based). `partitionIds`: its partitions and those they were divided from, `belows`: the end of each. Units seen in
-- two arms are left out, or stay with their first arm; those that count under another name (`fallback_unit`) are left out in any case.
WITH
  accepted AS (
    SELECT id, facts.unit AS whose, argMin(facts.arm, (partition_id, position)) AS side, argMin(facts.amounts, (partition_id, position)) AS amounts, min((partition_id, position)) AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
    GROUP BY id, whose
  ),
  elsewhere AS (
    SELECT unit FROM facts
    WHERE kind = 'outcome' AND outcome_kind = concat('tripline.alias/', {experiment:String}, '/', toString({phase:UInt32})) AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
  ),
  members AS (SELECT whose, argMin(side, at) AS arm, uniqExact(side) AS arms FROM accepted GROUP BY whose)
SELECT members.arm AS arm, toString(uniqExact(accepted.whose)) AS units, toString(sum(toInt128(accepted.amounts[2 * {ordinal:UInt32} + 1]))) AS numerator, toString(sum(toInt128(accepted.amounts[2 * {ordinal:UInt32} + 2]))) AS denominator
FROM accepted INNER JOIN members ON members.whose = accepted.whose
WHERE (members.arms = 1 OR {crossovers:String} = 'first') AND members.whose NOT IN (SELECT unit FROM elsewhere)
GROUP BY arm
ORDER BY arm
