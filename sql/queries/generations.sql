-- Every generation of the unit log, oldest first; none: there was never another than the first.
SELECT generation, topic, first_partition_id, partitions, parent, ends, step FROM generations FINAL ORDER BY generation
