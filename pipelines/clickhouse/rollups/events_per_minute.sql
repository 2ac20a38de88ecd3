-- Events per minute by name, each event once. Computed anew every 5 minutes.
REFRESH EVERY 5 MINUTE
ENGINE = MergeTree ORDER BY (event_name, minute)
AS SELECT toStartOfMinute(timestamp) AS minute, event_name, count() AS events
FROM events_unique
GROUP BY minute, event_name
