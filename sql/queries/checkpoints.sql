-- How far each partition of the unit log is folded: asked often, so it reads nothing else.
SELECT part, max(ver) AS ver FROM state WHERE log = 'unit' AND kind = 'checkpoint' GROUP BY part
