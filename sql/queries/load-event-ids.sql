-- One page of the ids accepted below the checkpoint: what tells that an event is certainly new. Facts past it belong to a flush that never completed.
SELECT DISTINCT hex(facts.id) AS id
FROM facts
WHERE part = {part:UInt16} AND ver < {below:UInt64} AND kind IN ('exposure', 'inference') AND facts.id > toFixedString(unhex({after:String}), 16)
ORDER BY id
LIMIT {limit:UInt32}
