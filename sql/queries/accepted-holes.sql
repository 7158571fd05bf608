-- Holes in the log that somebody accepted (TRIPLINE_ACCEPT_GAP), oldest first.
SELECT message, toString(first_seen) AS acceptedAt FROM parked FINAL WHERE code IN ('LOG_GAP', 'LOG_CUT') ORDER BY first_seen
