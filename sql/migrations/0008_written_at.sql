-- When a row came into its table, by the store's clock: how long it is kept counts from there (services/pipeline/keep-rows.ts). Rows that were there before
-- this migration count from their next merge.
ALTER TABLE readings ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE missing ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE acks ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
ALTER TABLE parked ADD COLUMN IF NOT EXISTS written_at DateTime DEFAULT now();
