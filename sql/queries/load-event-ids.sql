-- One page of the ids accepted below the checkpoint: what tells that an event is certainly new. Facts past it belong to a flush that never completed.
-- `partitionIds`: the partition and those it was divided from, `belows`: the end of each.
SELECT DISTINCT hex(facts.id) AS id
FROM facts
WHERE partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)] AND kind IN ('exposure', 'inference') AND facts.id > toFixedString(unhex({after:String}), 16)
ORDER BY id
LIMIT {limit:UInt32}
