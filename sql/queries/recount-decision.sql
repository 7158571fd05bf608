-- What a decision's arms had done by its version vector, recounted from the facts: one accepted record each, whatever was delivered twice. For metrics of inferences
-- (`ordinal`: position of the metric in the experiment, 0-based). `until`: end of each partition. Units seen in two arms are left out, or stay with their first arm.
WITH
  accepted AS (
    SELECT part, id, argMin(facts.unit, ver) AS whose, argMin(facts.arm, ver) AS side, argMin(facts.x, ver) AS sums, min(ver) AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND ver < {until:Array(UInt64)}[part + 1]
    GROUP BY part, id
  ),
  members AS (SELECT part, whose, argMin(side, at) AS arm, uniqExact(side) AS arms FROM accepted GROUP BY part, whose)
SELECT members.arm AS arm, toString(uniqExact(accepted.part, accepted.whose)) AS units, toString(sum(toInt128(accepted.sums[2 * {ordinal:UInt32} + 1]))) AS numerator, toString(sum(toInt128(accepted.sums[2 * {ordinal:UInt32} + 2]))) AS denominator
FROM accepted INNER JOIN members ON members.part = accepted.part AND members.whose = accepted.whose
WHERE members.arms = 1 OR {crossovers:String} = 'first'
GROUP BY arm
ORDER BY arm
