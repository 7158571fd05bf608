-- Copies to a partition_id what it inherits from the one it is divided from, true of position 0 of its own log: units and their entities by bucket, waiting outcomes by the
-- bucket in the id of their inference (UUIDv7: rand_a), cells whole to the first child. The same rows however often it runs.
INSERT INTO state (log, partition_id, kind, experiment, phase, key, position, arm, metric, candidate, slot, clock, n, x, xx, y, body)
SELECT log, {to:UInt16}, kind, experiment, phase, key, toUInt64(0), arm, metric, candidate, slot, clock, n, x, xx, y, body
FROM state FINAL
WHERE log = 'unit' AND partition_id = {from:UInt16} AND (
  (kind IN ('unit', 'entity') AND slot BETWEEN {first:Int32} + 1 AND {last:Int32} + 1)
  OR (kind = 'pending' AND n > 0 AND bitAnd(reinterpretAsUInt16(reverse(substring(key, 7, 2))), 4095) BETWEEN {first:Int32} AND {last:Int32})
  OR (kind IN ('report', 'entry') AND {isFirst:UInt8} = 1)
)
