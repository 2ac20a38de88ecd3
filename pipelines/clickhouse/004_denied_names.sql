-- The name of each event that the sink held back, so that data_status counts it where it belongs.
ALTER TABLE ebbgate_chunks ADD COLUMN IF NOT EXISTS denied_names Array(String) COMMENT 'Name of each of denied_events; older rows have none' AFTER denied_events;
