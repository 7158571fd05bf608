-- The last look at an experiment: one row per metric, candidate and arm. `p` is valid at every look: 1 over the largest weighted e of the phase so far.
WITH last AS (SELECT phase, max(look_seq) AS look_seq FROM readings WHERE experiment = {experiment:String} GROUP BY phase ORDER BY phase DESC LIMIT 1)
SELECT metric, role, candidate, arm, toString(units) AS units, estimate, status, log_e, weighted_log_e, threshold, test_start, state, toString(watermark) AS watermark, reason,
  entries, known, unknown, incomplete, clipped, contradiction,
  if(best.log_e IS NULL, NULL, least(1, exp(-best.log_e))) AS p, difference, difference_lower, difference_upper, interval_note,
  toString(crossovers - crossover_reasons['alias']) AS crossovers_arms, toString(crossover_reasons['alias']) AS crossovers_alias, not_obeyed
FROM readings FINAL
LEFT JOIN (
  SELECT metric, candidate, max(weighted_log_e) AS log_e FROM readings WHERE experiment = {experiment:String} AND phase = (SELECT phase FROM last) GROUP BY metric, candidate
) AS best USING (metric, candidate)
WHERE experiment = {experiment:String} AND (phase, look_seq) IN last
ORDER BY role, metric, candidate, arm
