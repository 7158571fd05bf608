-- The ids accepted below the checkpoint: what tells that an event is certainly new. Facts past it belong to a flush that never completed. Read as it lies, without
-- sorting: an id may come several times. `partitionIds`: the partition and those it was divided from, `belows`: the end of each.
SELECT facts.id
FROM facts
WHERE partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)] AND kind IN ('exposure', 'inference')
