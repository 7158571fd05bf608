-- One page of the units that have entities or were forgotten: which there are, not what they hold.
SELECT DISTINCT hex(substring(state.key, 1, 16)) AS key
FROM state
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind = 'entity' AND experiment = '' AND phase = 0 AND state.key > concat(unhex({after:String}), if({after:String} = '', '', unhex('FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF')))
ORDER BY key
LIMIT {limit:UInt32}
