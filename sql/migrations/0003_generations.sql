-- What for: generations of the unit log's state (services/kernel/generations.ts): its partitions multiplied, or everything computed again.
-- Safe while writers run: yes, it only creates. Without a row there is one generation, whose partition ids are the partitions of `unit.v1`.
-- How to know it worked: `SELECT count() FROM generations` answers.
-- Undo: DROP TABLE generations, only while it is empty.
CREATE TABLE IF NOT EXISTS generations (
  generation UInt32,
  topic String COMMENT 'of the unit log, without the prefix',
  first_partition_id UInt16 COMMENT 'ids first_partition_id to first_partition_id + partitions - 1 are the partitions of the topic, in their order',
  partitions UInt16,
  parent Int32 COMMENT 'generation that its state was divided from; -1: it begins with its topic',
  ends Array(UInt64) COMMENT 'last position of each partition of the parent',
  sibling_group UInt16 COMMENT 'how many of its partitions stand for one of the first generation of its chain',
  step UInt8 COMMENT '0 planned, 1 divided, 2 open; the highest open generation is what everybody reads'
) ENGINE = ReplacingMergeTree(step) ORDER BY generation;
