-- Ids accepted below the checkpoint: what a duplicate is told by. Facts past the checkpoint belong to a flush that never completed.
SELECT DISTINCT hex(id) AS id, hex(unit) AS unit
FROM facts
WHERE part = {part:UInt16} AND ver < {ver:UInt64} AND kind IN ('exposure', 'inference')
