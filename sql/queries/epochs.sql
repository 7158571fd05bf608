-- Every epoch of the unit log, oldest first; none: there was never another than the first.
SELECT epoch, topic, first_part, partitions, parent, ends, step FROM epochs FINAL ORDER BY epoch
