-- One page of the ids accepted below the checkpoint: what tells that an event is certainly new. Facts past it belong to a flush that never completed.
-- `parts`: the part and those it was divided from, `belows`: the end of each.
SELECT DISTINCT hex(facts.id) AS id
FROM facts
WHERE part IN {parts:Array(UInt16)} AND ver < {belows:Array(UInt64)}[indexOf({parts:Array(UInt16)}, part)] AND kind IN ('exposure', 'inference') AND facts.id > toFixedString(unhex({after:String}), 16)
ORDER BY id
LIMIT {limit:UInt32}
