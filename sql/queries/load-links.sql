-- Everything that the linker knows about one partition of the entity log, as of its checkpoint.
SELECT kind, hex(key) AS key, position, toUnixTimestamp64Milli(event_clock) AS eventClock, body
FROM state FINAL
WHERE log = 'entity' AND partition_id = {partitionId:UInt16}
