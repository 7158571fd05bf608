-- The same for outcomes. One that names only an inference is known by that inference's row while it is there, and by its fact, which stays.
WITH erased AS (SELECT lower(hex(key)) FROM state FINAL WHERE log = 'unit' AND kind = 'entity' AND body = '{"erased":true}')
SELECT DISTINCT outcome_id AS id FROM outcomes
WHERE user_id IN erased OR org_id IN erased OR session_id IN erased OR entity_id IN erased
   OR (inference_id != '' AND inference_id IN (SELECT event_id FROM inferences WHERE user_id IN erased OR org_id IN erased OR session_id IN erased OR entity_id IN erased))
   OR (inference_id != '' AND substring(unhex(replaceAll(inference_id, '-', '')), 1, 16) IN (SELECT toString(id) FROM facts WHERE kind = 'inference' AND lower(hex(unit)) IN erased))
