-- What the standing audit goes through, one row at a time: each phase of each experiment, in the partitions of the open generation that were one in the first (`first` to
-- `last`): when a partition was divided, its aggregates stayed whole with one of its children. Newest phases first.
WITH (SELECT argMax((first_partition_id, partitions, sibling_group), generation) FROM generations WHERE step = 2) AS open
SELECT DISTINCT experiment, phase, toUInt16(open.1 + intDiv(partition_id - open.1, greatest(open.3, 1)) * greatest(open.3, 1)) AS first, toUInt16(first + greatest(open.3, 1) - 1) AS last
FROM state
WHERE log = 'unit' AND kind = 'experiment' AND (open.2 = 0 OR (partition_id >= open.1 AND partition_id < open.1 + open.2))
ORDER BY phase DESC, experiment, first
