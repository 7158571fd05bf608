-- What the candidates lose at each step, at the last look at an experiment: steps at which nothing is lost are left out.
WITH last AS (SELECT phase, max(look_seq) AS look_seq FROM missing WHERE experiment = {experiment:String} GROUP BY phase ORDER BY phase DESC LIMIT 1)
SELECT candidate, step, metric, action, status, toString(control_entries) AS control_entries, toString(control_missing) AS control_missing,
  toString(candidate_entries) AS candidate_entries, toString(candidate_missing) AS candidate_missing, weighted_log_e, threshold, test_start
FROM missing FINAL
WHERE experiment = {experiment:String} AND (phase, look_seq) IN last AND (missing.control_missing > 0 OR missing.candidate_missing > 0)
ORDER BY step, metric, candidate
