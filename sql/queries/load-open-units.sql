-- One page of the units of an experiment in one partition, with the times (Unix ms) at which their open entries close. `windows`: ms, by metric.
-- entries[17 m + 11]: segment of metric m's open entry, -1 when none is open; entries[17 m + 12]: when it began.
SELECT hex(key) AS key, position, arrayMap(t -> toString(t), arrayDistinct(arrayFilter(t -> t >= 0, arrayMap((w, m) -> if(entries[17 * m + 11] >= 0, entries[17 * m + 12] + w, -1), {windows:Array(Int64)}, range(length({windows:Array(Int64)})))))) AS closes
FROM state FINAL
WHERE log = 'unit' AND partition_id = {partitionId:UInt16} AND kind = 'unit' AND experiment = {experiment:String} AND phase = {phase:UInt32} AND state.key > unhex({after:String})
ORDER BY state.key
LIMIT {limit:UInt32}
