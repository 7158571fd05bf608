-- Units whose bucket no record said: they could not be divided.
SELECT uniqExact(substring(key, 1, 16)) AS units FROM state FINAL WHERE log = 'unit' AND partition_id IN {partitionIds:Array(UInt16)} AND kind IN ('unit', 'entity') AND bucket < 0
