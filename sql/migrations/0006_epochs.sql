-- What for: generations of the unit log's state (services/kernel/generations.ts): partitions multiplied with their state, or everything folded again. Rows of `state`
-- and `facts` carry the partition_id numbers that are listed here. Safe while writers run: yes, it only creates; without a row there is one generation, parts are partitions.
-- Worked when: `SELECT count() FROM generations` answers. Undo: DROP TABLE generations, only while it is empty.
CREATE TABLE IF NOT EXISTS generations (
  generation UInt32,
  topic String COMMENT 'of the unit log, without the prefix',
  first_partition_id UInt16 COMMENT 'parts first_partition_id to first_partition_id + partitions - 1 are the partitions of the topic, in their order',
  partitions UInt16,
  parent Int32 COMMENT 'generation that its state was divided from; -1: it begins with its topic',
  ends Array(UInt64) COMMENT 'final version of each partition of the parent',
  sibling_group UInt16 COMMENT 'how many of its partitions stand for one of the first generation of its chain',
  step UInt8 COMMENT '0 planned, 1 divided, 2 open; the highest open generation is what everybody reads'
) ENGINE = ReplacingMergeTree(step) ORDER BY generation;
ALTER TABLE state COMMENT COLUMN slot 'entry cells: segment; report cells: ordinal of the metric, its pair in x of unit rows; unit and entity rows: bucket of the unit + 1, 0 when nobody said it';
