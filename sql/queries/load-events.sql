-- Which events of a batch were accepted before, and for which unit. Facts at or past `below` belong to somebody who ran ahead, or to a flush that never completed.
-- <keys>: 16 bytes each, in hex, with commas; in the text, because a URL would not hold them.
WITH keys AS (SELECT toFixedString(unhex(arrayJoin(splitByChar(',', '<keys>'))), 16) AS k)
SELECT hex(facts.id) AS id, hex(facts.unit) AS unit, toString(toUnixTimestamp64Milli(min(occurred_at))) AS at
FROM facts
WHERE part = {part:UInt16} AND ver < {below:UInt64} AND kind IN ('exposure', 'inference') AND facts.id IN (SELECT k FROM keys)
GROUP BY facts.id, facts.unit
ORDER BY min(ver)
