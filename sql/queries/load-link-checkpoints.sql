-- How far the state of each partition of the entity log is.
SELECT partition_id AS partitionId, max(state.position) AS position FROM state WHERE log = 'entity' AND kind = 'checkpoint' GROUP BY partition_id
