-- Units and their entities that a batch needs and memory lacks. Every version comes back, the reader takes the highest: cheaper than FINAL for a few keys.
-- <keys>: 16 bytes each, in hex, with commas; in the text, because a URL would not hold them.
WITH keys AS (SELECT unhex(arrayJoin(splitByChar(',', '<keys>'))) AS k)
SELECT kind, experiment, phase, hex(state.key) AS key, position, arm, candidate, slot, clock, n, arrayMap(v -> toString(v), x) AS x, emptyArrayString() AS xx, arrayMap(v -> toString(v), y) AS y, body
FROM state
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind = 'unit' AND state.key IN (SELECT k FROM keys)
UNION ALL
SELECT kind, experiment, phase, hex(state.key) AS key, position, arm, candidate, slot, clock, n, emptyArrayString() AS x, emptyArrayString() AS xx, emptyArrayString() AS y, body
FROM state
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind = 'entity' AND experiment = '' AND phase = 0 AND substring(state.key, 1, 16) IN (SELECT k FROM keys)
