-- The pseudonyms of units whose erase record has been folded, as wide rows spell them.
SELECT lower(hex(key)) AS unit FROM state FINAL WHERE log = 'unit' AND kind = 'entity' AND body = '{"erased":true}'
