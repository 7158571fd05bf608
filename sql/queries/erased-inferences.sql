-- Analytics records of units whose erase record is in the state, also those that a later delivery replaced.
WITH erased AS (SELECT lower(hex(key)) FROM state FINAL WHERE log = 'unit' AND kind = 'entity' AND body = '{"erased":true}')
SELECT DISTINCT event_id AS id FROM inferences WHERE user_id IN erased OR org_id IN erased OR session_id IN erased OR entity_id IN erased
