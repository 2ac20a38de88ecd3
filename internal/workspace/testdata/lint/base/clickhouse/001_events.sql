CREATE TABLE events (event_id String, plan LowCardinality(String)) ENGINE = MergeTree ORDER BY event_id;
