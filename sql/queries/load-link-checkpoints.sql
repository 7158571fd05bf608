-- How far each partition of the entity log is folded.
SELECT part, max(ver) AS ver FROM state WHERE log = 'entity' AND kind = 'checkpoint' GROUP BY part
