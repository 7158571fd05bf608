-- Which slices there are: names by how many calls say them, and of each the values that most calls have, both arms together, so that no arm's numbers choose what is
-- looked at. One accepted record each, as in recount-decision.sql, whatever was delivered twice. `maxNames`, `maxValues`: what is not among them is `other` later, or not
-- looked at. An empty value is none. Event ids that are no UUID: first half of their SHA-256, as in table facts.
WITH
  accepted AS (
    SELECT facts.id AS id, facts.unit AS whose, kind, facts.arm AS side, bitShiftLeft(toUInt128(partition_id), 64) + position AS at
    FROM facts
    WHERE experiment = {experiment:String} AND phase = {phase:UInt32} AND kind IN ('exposure', 'inference') AND partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)]
    ORDER BY partition_id, position
    LIMIT 1 BY id, whose
  ),
  counted AS (
    SELECT arrayJoin(groupArrayIf(id, kind = 'inference')) AS id
    FROM accepted
    GROUP BY whose
    HAVING min(side) = max(side) OR {crossovers:String} = 'first'
  ),
  said AS (
    SELECT toFixedString(if(length(event_id) = 36 AND match(event_id, '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'), unhex(replaceAll(event_id, '-', '')), substring(SHA256(event_id), 1, 16)), 16) AS id, slices
    FROM inferences FINAL
    WHERE has(experiments, {experiment:String})
  ),
  found AS (
    SELECT name, slices[name] AS value, count() AS calls
    FROM said ARRAY JOIN mapKeys(slices) AS name
    WHERE id IN (SELECT id FROM counted) AND slices[name] != ''
    GROUP BY name, value
  ),
  named AS (SELECT *, sum(calls) OVER (PARTITION BY name) AS total, count() OVER (PARTITION BY name) AS distinct FROM found),
  ranked AS (SELECT *, dense_rank() OVER (ORDER BY total DESC, name) AS place FROM named),
  numbered AS (SELECT *, max(place) OVER () AS places FROM ranked)
SELECT name, value, toUInt32(distinct) AS distinctValues, toUInt32(places) AS distinctNames
FROM numbered
WHERE place <= {maxNames:UInt32}
ORDER BY place, calls DESC, value
LIMIT {maxValues:UInt32} BY name
