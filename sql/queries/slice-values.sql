-- Which slices there are: names by how many calls say them, and of each the values that most units have, both arms together, so that no arm's numbers choose what is
-- looked at. One accepted record each, as in recount-decision.sql, whatever was delivered twice. `maxNames`, `maxValues`: what is not among them is `other` later, or not
-- looked at. An empty value is none. Event ids that are no UUID: first half of their SHA-256, as in table facts.
WITH
  accepted AS (
    SELECT id, facts.unit AS whose, argMin(facts.arm, (partition_id, position)) AS side, argMin(facts.kind, (partition_id, position)) AS of, min((partition_id, position)) AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
    GROUP BY id, whose
  ),
  members AS (SELECT whose, uniqExact(side) AS arms FROM accepted GROUP BY whose),
  calls AS (
    SELECT toFixedString(if(match(event_id, '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'), unhex(replaceAll(event_id, '-', '')), substring(SHA256(event_id), 1, 16)), 16) AS id, slices
    FROM inferences FINAL
    WHERE has(experiments, {experiment:String})
  ),
  found AS (
    SELECT name, slices[name] AS value, count() AS calls, uniqExact(accepted.whose) AS units
    FROM accepted
    INNER JOIN members ON members.whose = accepted.whose
    INNER JOIN calls ON calls.id = accepted.id
    ARRAY JOIN mapKeys(slices) AS name
    WHERE accepted.of = 'inference' AND (members.arms = 1 OR {crossovers:String} = 'first') AND slices[name] != ''
    GROUP BY name, value
  ),
  named AS (SELECT *, sum(calls) OVER (PARTITION BY name) AS said, count() OVER (PARTITION BY name) AS distinct FROM found),
  ranked AS (SELECT *, dense_rank() OVER (ORDER BY said DESC, name) AS place FROM named)
SELECT name, value, toUInt32(distinct) AS distinctValues, toUInt32((SELECT max(place) FROM ranked)) AS distinctNames
FROM ranked
WHERE place <= {maxNames:UInt32}
ORDER BY place, units DESC, value
LIMIT {maxValues:UInt32} BY name
