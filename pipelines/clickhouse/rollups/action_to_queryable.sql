-- Seconds from the act to the row, by hour and event, of the live stream: median, 90th and 99th of a hundred. Every 5 minutes.
REFRESH EVERY 5 MINUTE
ENGINE = MergeTree ORDER BY (event_name, hour)
AS SELECT
    toStartOfHour(timestamp) AS hour,
    event_name,
    count() AS events,
    quantileExact(0.5)(dateDiff('millisecond', timestamp, inserted_at)) / 1000 AS p50_seconds,
    quantileExact(0.9)(dateDiff('millisecond', timestamp, inserted_at)) / 1000 AS p90_seconds,
    quantileExact(0.99)(dateDiff('millisecond', timestamp, inserted_at)) / 1000 AS p99_seconds
FROM events_unique
WHERE replay_epoch = 0
GROUP BY hour, event_name
