-- Which events of a batch were accepted before, and for which unit. Facts at or past the end of their partition belong to an owner who ran ahead, or to a flush that
-- never completed. `partitionIds`: oldest first, the partitions that this one was divided from, then itself; `belows`: the end of each. `inherited`: accepted in an
-- earlier one.
-- <keys>: 16 bytes each, in hex, with commas; in the text, because a URL would not hold them.
WITH keys AS (SELECT toFixedString(unhex(arrayJoin(splitByChar(',', '<keys>'))), 16) AS k)
SELECT hex(facts.id) AS id, hex(facts.unit) AS unit, toString(toUnixTimestamp64Milli(min(occurred_at))) AS at, toUInt8(min(indexOf({partitionIds:Array(UInt16)}, partition_id)) < length({partitionIds:Array(UInt16)})) AS inherited
FROM facts
WHERE partition_id IN {partitionIds:Array(UInt16)} AND position < {belows:Array(UInt64)}[indexOf({partitionIds:Array(UInt16)}, partition_id)] AND kind IN ('exposure', 'inference') AND facts.id IN (SELECT k FROM keys)
GROUP BY facts.id, facts.unit
ORDER BY min((indexOf({partitionIds:Array(UInt16)}, partition_id), position))
