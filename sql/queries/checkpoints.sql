-- How far the state of each partition of the unit log is: asked often, so it reads nothing else.
SELECT partition_id AS partitionId, max(state.position) AS position FROM state WHERE log = 'unit' AND kind = 'checkpoint' GROUP BY partition_id
