-- What for: the joiner looks up the entities of a few units by the first 16 bytes of their keys. Safe while writers run: yes; parts written before it
-- are read in full until they merge. How to know it worked: `SELECT name FROM system.data_skipping_indices WHERE table = 'state'`. Undo: DROP INDEX by_unit.
ALTER TABLE state ADD INDEX IF NOT EXISTS by_unit substring(key, 1, 16) TYPE bloom_filter(0.01) GRANULARITY 1;
