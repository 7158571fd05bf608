-- Which events of a batch were accepted before, and for which unit. Facts at or past the end of their part belong to somebody who ran ahead, or to a flush that
-- never completed. `parts`: oldest first, the parts that this one was divided from, then itself; `belows`: the end of each. `inherited`: accepted in an earlier one.
-- <keys>: 16 bytes each, in hex, with commas; in the text, because a URL would not hold them.
WITH keys AS (SELECT toFixedString(unhex(arrayJoin(splitByChar(',', '<keys>'))), 16) AS k)
SELECT hex(facts.id) AS id, hex(facts.unit) AS unit, toString(toUnixTimestamp64Milli(min(occurred_at))) AS at, toUInt8(min(indexOf({parts:Array(UInt16)}, part)) < length({parts:Array(UInt16)})) AS inherited
FROM facts
WHERE part IN {parts:Array(UInt16)} AND ver < {belows:Array(UInt64)}[indexOf({parts:Array(UInt16)}, part)] AND kind IN ('exposure', 'inference') AND facts.id IN (SELECT k FROM keys)
GROUP BY facts.id, facts.unit
ORDER BY min((indexOf({parts:Array(UInt16)}, part), ver))
