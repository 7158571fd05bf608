-- Units and their entities that a batch needs and memory lacks. Every row of a key comes back, the reader takes the highest position: cheaper than FINAL for a few keys.
-- <keys>: 16 bytes each, in hex, with commas; in the text, because a URL would not hold them.
WITH keys AS (SELECT unhex(arrayJoin(splitByChar(',', '<keys>'))) AS k)
SELECT kind, experiment, phase, hex(state.key) AS key, position, arm, bucket, crossover, toUnixTimestamp64Milli(first_exposed_at) AS firstExposedAt, arrayMap(v -> toString(v), totals) AS totals, arrayMap(v -> toString(v), entries) AS entries, body
FROM state
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind = 'unit' AND state.key IN (SELECT k FROM keys)
UNION ALL
SELECT kind, experiment, phase, hex(state.key) AS key, position, arm, bucket, crossover, toUnixTimestamp64Milli(first_exposed_at) AS firstExposedAt, emptyArrayString() AS totals, emptyArrayString() AS entries, body
FROM state
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind = 'entity' AND experiment = '' AND phase = 0 AND substring(state.key, 1, 16) IN (SELECT k FROM keys)
