-- The last look at an experiment: one row per metric, candidate and arm.
SELECT metric, role, candidate, arm, toString(units) AS units, estimate, status, log_e, weighted_log_e, threshold, restart, state, toString(watermark) AS watermark, reason
FROM readings FINAL
WHERE experiment = {experiment:String} AND (phase, look_seq) IN (SELECT phase, max(look_seq) FROM readings WHERE experiment = {experiment:String} GROUP BY phase ORDER BY phase DESC LIMIT 1)
ORDER BY role, metric, candidate, arm
